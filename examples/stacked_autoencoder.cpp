// Stacked denoising autoencoder on MNIST: pre-trained one layer at a time, then fine-tuned as a classifier. With one
// layer it is the denoising autoencoder whose code classifies.
//
// P. Vincent et al., "Stacked denoising autoencoders", 2010; here with ReLUs, dropout while it is fine-tuned, and Adam.
#include <CLI/CLI.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/stacked_autoencoder";
  settings.latent = 0;
  settings.epochs = 10;
  std::vector<hg::Index> widths{256, 64};
  std::vector<double> noise{0.3};
  double dropout = 0.5;
  double input_noise = 0.2;
  hg::Index fine_tuning = 40;
  const char* what = "Pre-trains denoising autoencoders layer by layer and classifies with their encoders.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    widths.insert(widths.begin(), 784);
    const std::vector<hg::Index> mirrored(widths.rbegin(), widths.rend());
    hg::Autoencoder deep{hg::Mlp<hg::ReLU, hg::ReLU>{widths}, hg::Mlp<hg::ReLU, hg::Sigmoid>{mirrored}};
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    options.validation = {};

    // Each layer learns to take the noise off what the layers below give.
    hg::Matrix<float> input = mnist.train.images.topRows(mnist.train.images.rows());
    const auto pretrain = [&](std::size_t i, auto last, const auto& loss) {
      if (!settings.quiet) std::cout << "layer " << i + 1 << ": " << widths[i] << " to " << widths[i + 1] << "\n";
      hg::Autoencoder layer{hg::Sequential{hg::Linear{widths[i], widths[i + 1]}, hg::ReLU{}},
                            hg::Sequential{hg::Linear{widths[i + 1], widths[i]}, last}};
      hg::initialize(layer, rng, hg::XavierUniform{});
      hg::Adam optimizer{{.lr = settings.learning_rate}};
      hg::CosineAnnealingLR schedule{optimizer, settings.epochs};
      options.corruption = hg::MaskingNoise{noise.at(std::min(i, noise.size() - 1))};
      options.metrics_csv = settings.output / ("layer" + std::to_string(i + 1) + ".csv");
      options.callbacks = {[&](const hg::EpochReport&) { schedule.step(); }};
      hg::fit(layer, input, loss, optimizer, options, rng);
      input = layer.encode(input);
      deep.encoder().linear(i) = layer.encoder().template layer<0>();
      deep.decoder().linear(widths.size() - 2 - i) = layer.decoder().template layer<0>();
    };
    pretrain(0, hg::Sigmoid{}, hg::BCELoss{});
    for (std::size_t i = 1; i + 1 < widths.size(); ++i) pretrain(i, hg::ReLU{}, hg::MSELoss{});
    hg::save(deep, settings.output / "model.safetensors");
    example::draw_filters(settings, deep.encoder().linear(0).weight(), 100, 10);
    const hg::Matrix<float> clean = mnist.test.images.topRows(std::min<hg::Index>(16, mnist.test.images.rows()));
    hg::Matrix<float> noisy = clean;
    hg::MaskingNoise{noise[0]}(hg::MatrixView<float>(noisy), rng);
    hg::save_image_grid(settings.output / "denoised.png", {.columns = 8, .scale = 3}, clean, noisy,
                        deep.reconstruct(noisy));

    const auto fine_tune = [&](auto classifier) {
      hg::Adam optimizer{{.lr = settings.learning_rate}};
      hg::CosineAnnealingLR schedule{optimizer, fine_tuning};
      options.corruption = hg::MaskingNoise{input_noise};
      options.validation = mnist.test;
      options.epochs = fine_tuning;
      options.metrics_csv = settings.output / "metrics.csv";
      options.callbacks = {[&](const hg::EpochReport&) { schedule.step(); }};
      example::plot_losses(
          settings, hg::fit(classifier, hg::Dataset{mnist.train}, hg::CrossEntropyLoss{}, optimizer, options, rng));
      hg::save(classifier, settings.output / "classifier.safetensors");
      example::report(settings, {{"test error %", 100 * (1 - hg::accuracy(classifier, mnist.test))}});
    };
    const auto block = [&](std::size_t i) {
      return hg::Sequential{deep.encoder().linear(i), hg::ReLU{}, hg::Dropout{dropout}};
    };
    hg::Linear last{widths.back(), 10};
    hg::initialize(last, rng);
    if (widths.size() == 2) fine_tune(hg::Sequential{block(0), last});
    if (widths.size() == 3) fine_tune(hg::Sequential{block(0), block(1), last});
    if (widths.size() == 4) fine_tune(hg::Sequential{block(0), block(1), block(2), last});
  };
  return example::run(argc, argv, "stacked_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--widths", widths, "widths of one to three layers; the published network has 1000 1000 1000")
        ->expected(1, 3);
    app.add_option("--noise", noise, "shares of a layer's input that are masked, the first layer's first");
    app.add_option("--dropout", dropout, "share of the units that are left out while it is fine-tuned");
    app.add_option("--input-noise", input_noise, "share of the pixels that are masked meanwhile");
    app.add_option("--fine-tuning", fine_tuning, "epochs of the classifier")->check(CLI::PositiveNumber);
  });
}
