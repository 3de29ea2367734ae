// Importance-weighted autoencoder 784-[200, 200 tanh]-50 on binarised MNIST, by the protocol of the paper: with k = 1 a
// variational autoencoder, and the better the larger k.
//
// Y. Burda, R. Grosse, R. Salakhutdinov, "Importance weighted autoencoders", 2016, section 5.1.
#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"
#include "plot.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/importance_weighted_autoencoder";
  settings.latent = 50;
  settings.batch_size = 20;
  settings.epochs = 1;
  hg::Index k = 5;
  hg::Index stages = 3;
  hg::Index draws = 5000;
  const char* what =
      "Trains an importance-weighted autoencoder on MNIST in stages of 1, 3, 9, ... times --epochs with a falling "
      "learning rate, and estimates the log-likelihood of the test images.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    hg::ImportanceWeightedAutoencoder model{
        hg::Sequential{hg::Linear<784, 200>{}, hg::Tanh{}, hg::Linear<200, 200>{}, hg::Tanh{},
                       hg::Linear{200, 2 * settings.latent}},
        hg::Sequential{hg::Linear{settings.latent, 200}, hg::Tanh{}, hg::Linear<200, 200>{}, hg::Tanh{},
                       hg::Linear<200, 784>{}, hg::Sigmoid{}},
        k};
    hg::initialize(model, rng, hg::XavierUniform{});
    // The decoder starts from the mean image, whatever z is.
    const hg::Matrix<float> train = mnist.train.images.topRows(mnist.train.images.rows() * 596 / 600);
    const hg::Matrix<float> mean = train.colwise().mean().array().max(0.001F).min(0.999F);
    model.decoder().layer<4>().bias() = (mean.array() / (1 - mean.array())).log().matrix();

    hg::Matrix<float> test = mnist.test.images.topRows(mnist.test.images.rows());
    hg::Rng test_rng{7};
    hg::binarize(hg::MatrixView<float>(test), test_rng);

    hg::Adam optimizer{{.lr = settings.learning_rate, .eps = 1e-4}};
    example::Series curve{"k = " + std::to_string(k), {}};
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    options.validation = {};
    options.transform = [](hg::MatrixView<float> batch, hg::Rng& draws_of) { hg::binarize(batch, draws_of); };
    constexpr std::array rates{1.0, 0.72, 0.52, 0.37, 0.27, 0.19, 0.14, 0.1};
    example::Figures figures;
    for (hg::Index stage = 0; stage < stages; ++stage, options.epochs *= 3) {
      optimizer.set_lr(settings.learning_rate * rates.at(static_cast<std::size_t>(stage)));
      options.metrics_csv = settings.output / ("stage" + std::to_string(stage + 1) + ".csv");
      hg::fit(model, train, hg::ImportanceWeightedBound{}, optimizer, options, rng);
      hg::save(model, settings.output / "model.safetensors");
      const bool last = stage + 1 == stages;
      curve.values.push_back(-hg::log_likelihood(model, test, hg::BCELoss{}, test_rng, last ? draws : draws / 10));
      figures.emplace_back("NLL after stage " + std::to_string(stage + 1), curve.values.back());
      if (!settings.quiet) std::cout << figures.back().first << ": " << figures.back().second << " nats" << std::endl;
    }
    figures.emplace_back("active units", static_cast<double>(hg::active_units(hg::codes(model, test))));
    example::report(settings, figures);
    example::show(settings,
                  example::plot_curves(settings.output / "likelihood.png",
                                       {"Negative log-likelihood of the test images", "stage", "nats"}, {curve}));
    hg::save_image_grid(settings.output / "samples.png", {.columns = 10, .scale = 3}, model.sample(100, rng));
  };
  return example::run(argc, argv, "importance_weighted_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--k", k, "samples of z for each image");
    app.add_option("--stages", stages, "stages of training; the paper has 8")->check(CLI::Range(1, 8));
    app.add_option("--draws", draws, "draws for the last estimate of the likelihood; a tenth of them in between")
        ->check(CLI::Range(10, 1000000));
  });
}
