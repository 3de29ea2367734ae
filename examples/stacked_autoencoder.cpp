// Stacked denoising autoencoder 784-256-64 on MNIST: one layer at a time, then all of it, then as a classifier.
//
// P. Vincent et al., "Stacked denoising autoencoders", 2010: sigmoids, masking noise, BCE; Adam in place of SGD.
#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/stacked_autoencoder";
  const char* what =
      "Pre-trains a denoising autoencoder layer by layer, fine-tunes it, and classifies with its encoder.";
  return example::run(argc, argv, "stacked_autoencoder", what, settings, [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    const auto say = [&](const char* text) {
      if (!settings.quiet) std::cout << text << "\n";
    };
    const auto options = [&](const char* metrics, const hg::Dataset& validation) {
      hg::FitOptions<> result = example::fit_options(settings, mnist);
      result.validation = validation;
      result.metrics_csv = settings.output / metrics;
      return result;
    };

    // Each layer learns to take the noise off what the layer below gives.
    const auto pretrain = [&](hg::Index in, hg::Index out, const hg::Dataset& train, hg::FitOptions<> fit_options) {
      hg::Autoencoder layer{hg::Sequential{hg::Linear{in, out}, hg::Sigmoid{}},
                            hg::Sequential{hg::Linear{out, in}, hg::Sigmoid{}}};
      hg::initialize(layer, rng);
      fit_options.corruption = hg::MaskingNoise{0.3};
      hg::fit(layer, train, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}}, fit_options, rng);
      return layer;
    };
    say("first layer");
    const auto first = pretrain(784, 256, mnist.train.images, options("layer1.csv", mnist.test.images));
    const hg::Matrix<float> train_codes = first.encode(mnist.train.images);
    const hg::Matrix<float> test_codes = first.encode(mnist.test.images);
    say("second layer");
    const auto second = pretrain(256, settings.latent, train_codes, options("layer2.csv", test_codes));

    say("both layers");
    hg::Autoencoder deep{hg::Sequential{first.encoder(), second.encoder()},
                         hg::Sequential{second.decoder(), first.decoder()}};
    hg::FitOptions<> denoise = options("metrics.csv", mnist.test.images);
    denoise.corruption = hg::MaskingNoise{0.3};
    hg::fit(deep, mnist.train.images, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}}, denoise, rng);

    hg::save(deep, settings.output / "model.safetensors");
    hg::Matrix<float> noisy = mnist.test.images.topRows(std::min<hg::Index>(16, mnist.test.images.rows()));
    hg::MaskingNoise{0.3}(hg::MatrixView<float>(noisy), rng);
    hg::save_image_grid(settings.output / "denoised.png", {.columns = 8, .scale = 3}, noisy, deep.reconstruct(noisy));

    say("classifier");
    hg::Sequential classifier{deep.encoder(), hg::Linear{settings.latent, 10}};
    hg::initialize(classifier.layer<1>(), rng);
    hg::fit(classifier, mnist.train, hg::CrossEntropyLoss{}, hg::Adam{{.lr = settings.learning_rate}},
            options("classifier.csv", mnist.test), rng);
    hg::save(classifier, settings.output / "classifier.safetensors");
  });
}
