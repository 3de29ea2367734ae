// k-sparse autoencoder: 784-latent-784, linear but for the k largest units of the code, which alone are kept. A
// logistic regression on the code tells what it knows of the digits.
//
// A. Makhzani, B. Frey, "k-Sparse autoencoders", 2013; here with masking noise, Adam and a cosine schedule. Adam lets
// most units fall silent for good, unless the images are centred and k comes down from eight times its value.
#include <CLI/CLI.hpp>
#include <cmath>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/k_sparse";
  settings.latent = 1000;
  settings.epochs = 30;
  settings.batch_size = 512;
  settings.learning_rate = 2e-3;
  hg::Index k = 25;
  double alpha = 10;
  double noise = 0.3;
  const char* what = "Trains a k-sparse autoencoder on MNIST and classifies the digits by its code.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    hg::Autoencoder model{hg::Sequential{hg::Linear{784, settings.latent}, hg::TopK{k}},
                          hg::Sequential{hg::Linear{settings.latent, 784}}};
    hg::initialize(model, rng, hg::XavierUniform{});
    auto& encoder = model.encoder().layer<0>();
    auto& decoder = model.decoder().layer<0>();
    decoder.weight() = encoder.weight().transpose();
    if (!settings.quiet) std::cout << hg::summary(model);

    hg::Matrix<float> images = mnist.train.images.topRows(mnist.train.images.rows());
    const hg::Matrix<float> mean = images.colwise().mean();
    images.rowwise() -= mean.row(0);
    hg::Matrix<float> test = mnist.test.images.topRows(mnist.test.images.rows());
    test.rowwise() -= mean.row(0);

    hg::Adam optimizer{{.lr = settings.learning_rate}};
    hg::CosineAnnealingLR schedule{optimizer, settings.epochs};
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    options.validation = test;
    options.corruption = hg::MaskingNoise{noise};
    // In the last tenth of the epochs k is what it shall be.
    const auto kept = [&](hg::Index epoch) {
      const double left = std::max(0.0, 1 - static_cast<double>(epoch) / (0.9 * static_cast<double>(settings.epochs)));
      const auto most = static_cast<double>(settings.latent);
      return hg::TopK{static_cast<hg::Index>(std::min(most, static_cast<double>(k) * std::pow(8, left)))};
    };
    model.encoder().layer<1>() = kept(0);
    options.callbacks = {[&](const hg::EpochReport& report) {
      schedule.step();
      model.encoder().layer<1>() = kept(report.epoch);
    }};
    const auto epochs = hg::fit(model, images, hg::MSELoss{}, optimizer, options, rng);
    example::plot_losses(settings, epochs);

    model.encoder().layer<1>() = hg::TopK{k};
    // From here on the model takes images as they are: W (x - mean) + b = W x + (b - W mean).
    encoder.bias() -= mean * encoder.weight().transpose();
    decoder.bias() += mean;
    hg::save(model, settings.output / "model.safetensors");
    example::draw_reconstructions(settings, model, mnist);
    example::draw_filters(settings, encoder.weight(), 200, 20);

    model.encoder().layer<1>() = hg::TopK{k, alpha};
    const hg::Matrix<float> code = hg::codes(model, mnist.test.images);
    const hg::LogisticRegression probe(hg::codes(model, mnist.train.images), mnist.train.labels,
                                       {.l2 = 3e-5, .standardize = false});
    example::Figures figures = example::dead_units(model, mnist);
    figures.emplace_back("test MSE", epochs.back().test->loss);
    figures.emplace_back("zeros %", 100 * double{(code.array() == 0).cast<float>().mean()});
    figures.emplace_back("probe error %", 100 * (1 - probe.accuracy(code, mnist.test.labels)));
    example::report(settings, figures);
  };
  return example::run(argc, argv, "k_sparse_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--k", k, "units of the code that are kept");
    app.add_option("--alpha", alpha, "the probe sees the alpha k largest units");
    app.add_option("--noise", noise, "share of the pixels that are masked while it trains");
  });
}
