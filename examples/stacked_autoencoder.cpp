// Stacked denoising autoencoder on MNIST: pre-trained one layer at a time, then fine-tuned as a classifier. With one
// layer it is the denoising autoencoder whose code classifies.
//
// P. Vincent et al., "Stacked denoising autoencoders", 2010: sigmoids, masking noise, BCE; Adam in place of SGD.
#include <CLI/CLI.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/stacked_autoencoder";
  settings.latent = 0;
  settings.epochs = 15;
  std::vector<hg::Index> widths{256, 64};
  std::vector<double> noise{0.1, 0.2, 0.3};
  hg::Index fine_tuning = 30;
  double fine_tuning_rate = 1e-3;
  double fine_tuning_noise = 0;
  const char* what = "Pre-trains denoising autoencoders layer by layer and classifies with their encoders.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    // The last sixth of the training images chooses the epoch; the test images only judge.
    const hg::Index kept = mnist.train.images.rows() * 5 / 6;
    const hg::Dataset all = mnist.train;
    const hg::Dataset train = all.topRows(kept);
    const hg::Dataset validation = all.middleRows(kept, all.rows() - kept);

    widths.insert(widths.begin(), 784);
    const std::vector<hg::Index> mirrored(widths.rbegin(), widths.rend());
    hg::Autoencoder deep{hg::Mlp<hg::Sigmoid, hg::Sigmoid>{widths}, hg::Mlp<hg::Sigmoid, hg::Sigmoid>{mirrored}};
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    options.validation = {};
    // Each layer learns to take the noise off what the layers below give.
    hg::Matrix<float> input = mnist.train.images.topRows(kept);
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      if (!settings.quiet) std::cout << "layer " << i + 1 << ": " << widths[i] << " to " << widths[i + 1] << "\n";
      hg::Autoencoder layer{hg::Mlp<hg::Sigmoid, hg::Sigmoid>{{widths[i], widths[i + 1]}},
                            hg::Mlp<hg::Sigmoid, hg::Sigmoid>{{widths[i + 1], widths[i]}}};
      hg::initialize(layer, rng);
      options.corruption = hg::MaskingNoise{noise.at(std::min(i, noise.size() - 1))};
      options.metrics_csv = settings.output / ("layer" + std::to_string(i + 1) + ".csv");
      hg::fit(layer, input, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}}, options, rng);
      input = layer.encode(input);
      deep.encoder().linear(i) = layer.encoder().linear(0);
      deep.decoder().linear(widths.size() - 2 - i) = layer.decoder().linear(0);
    }
    hg::save(deep, settings.output / "model.safetensors");
    hg::save_image_grid(
        settings.output / "filters.png", {.columns = 10, .padding = 1},
        hg::filter_images(deep.encoder().linear(0).weight().topRows(std::min<hg::Index>(100, widths[1])),
                          {.normalize = true}));
    hg::Matrix<float> noisy = mnist.test.images.topRows(std::min<hg::Index>(16, mnist.test.images.rows()));
    const hg::Matrix<float> clean = noisy;
    hg::MaskingNoise{0.3}(hg::MatrixView<float>(noisy), rng);
    hg::save_image_grid(settings.output / "denoised.png", {.columns = 8, .scale = 3}, clean, noisy,
                        deep.reconstruct(noisy));

    hg::Sequential classifier{deep.encoder(), hg::Linear{widths.back(), 10}};
    hg::initialize(classifier.layer<1>(), rng);
    options.corruption = {};
    if (fine_tuning_noise > 0) options.corruption = hg::MaskingNoise{fine_tuning_noise};
    options.validation = validation;
    options.epochs = fine_tuning;
    options.metrics_csv = settings.output / "metrics.csv";
    const std::filesystem::path best = settings.output / "classifier.safetensors";
    options.callbacks = {hg::ModelCheckpoint{classifier, best}};
    example::plot_losses(
        settings, hg::fit(classifier, train, hg::CrossEntropyLoss{}, hg::Adam{{.lr = fine_tuning_rate}}, options, rng));
    hg::load(classifier, best);
    example::report(settings, {{"validation error %", 100 * (1 - hg::accuracy(classifier, validation))},
                               {"test error %", 100 * (1 - hg::accuracy(classifier, mnist.test))}});
  };
  return example::run(argc, argv, "stacked_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--widths", widths, "widths of the layers; the published network has 1000 1000 1000")
        ->capture_default_str();
    app.add_option("--noise", noise, "shares of a layer's input that are masked, the first layer's first")
        ->capture_default_str();
    app.add_option("--fine-tuning", fine_tuning, "epochs of the classifier")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--fine-tuning-rate", fine_tuning_rate, "its learning rate")->capture_default_str();
    app.add_option("--fine-tuning-noise", fine_tuning_noise, "share of the pixels that are masked meanwhile")
        ->capture_default_str();
  });
}
