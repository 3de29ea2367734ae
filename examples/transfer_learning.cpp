// Transfer on MNIST: a denoising autoencoder learns from all images, a classifier on its encoder from the labels of
// few.
#include <CLI/CLI.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/transfer_learning";
  std::filesystem::path pretrained;
  hg::Index labelled = 1000;
  const char* what = "Classifies with the encoder of an autoencoder and few labels.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    const auto encoder = [&] {
      return hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}, hg::Linear{256, settings.latent}, hg::ReLU{}};
    };

    if (pretrained.empty()) {
      hg::Autoencoder model{encoder(), hg::Sequential{hg::Linear{settings.latent, 256}, hg::ReLU{},
                                                      hg::Linear<256, 784>{}, hg::Sigmoid{}}};
      hg::initialize(model, rng);
      hg::FitOptions<> options = example::fit_options(settings, mnist);
      options.corruption = hg::MaskingNoise{0.3};
      hg::fit(model, mnist.train.images, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}}, options, rng);
      pretrained = settings.output / "model.safetensors";
      hg::save(model, pretrained);
    }

    const hg::Dataset few = hg::Dataset(mnist.train).topRows(std::min(labelled, mnist.train.images.rows()));
    const auto train = [&](auto& classifier, const char* name, const hg::ParameterGroups& groups) {
      hg::FitOptions<> options = example::fit_options(settings, mnist);
      options.batch_size = 16;  // few images make few steps
      options.validation = mnist.test;
      options.metrics_csv = settings.output / (std::string(name) + ".csv");
      hg::fit(classifier, few, hg::CrossEntropyLoss{}, hg::Adam{{.lr = settings.learning_rate}, groups}, options, rng);
      if (!settings.quiet) std::cout << name << ": " << 100 * hg::accuracy(classifier, mnist.test) << " % correct\n";
    };

    // From the file of the whole autoencoder the encoder alone; on top of it a layer that gives one logit per digit.
    hg::Sequential classifier{encoder(), hg::Linear{settings.latent, 10}};
    hg::load_part(classifier.layer<0>(), pretrained, "encoder");
    hg::initialize(classifier.layer<1>(), rng);
    train(classifier, "linear_probe", {hg::frozen("0")});
    train(classifier, "fine_tuning", {{.prefix = "0", .lr = settings.learning_rate / 2}});
    hg::save(classifier, settings.output / "classifier.safetensors");

    hg::Sequential scratch{encoder(), hg::Linear{settings.latent, 10}};
    hg::initialize(scratch, rng);
    train(scratch, "from_scratch", {});
  };
  return example::run(argc, argv, "transfer_learning", what, settings, program, [&](CLI::App& app) {
    app.add_option("--pretrained", pretrained,
                   "Weights of an autoencoder, as mnist_autoencoder saves them; default: train one");
    app.add_option("--labelled", labelled, "Images whose labels the classifier gets to see");
  });
}
