// Variational autoencoder 784-400-(latent)-400-784 for grey pixels as real numbers: x ~ N(decoder(z), sigma^2), with
// sigma fixed, the best one for every batch, or trained along with the weights. What sigma is decides how sharp the
// pictures are, since 1 / (2 sigma^2) weighs the squared error against the KL term.
#include <CLI/CLI.hpp>
#include <cmath>

#include "common.hpp"

namespace hg = hourglass;

namespace {

/// Trains encoder and decoder, and reports with what `sigma(model, means, images)` says of the test images.
template <class Decoder, class Loss, class Sigma>
void train(const Decoder& decoder, const Loss& loss, const Sigma& sigma, const example::Settings& settings) {
  const hg::Mnist mnist = example::load_data(settings);
  hg::Rng rng{settings.seed};
  hg::VariationalAutoencoder model{
      hg::Sequential{hg::Linear<784, 400>{}, hg::ReLU{}, hg::Linear{400, 2 * settings.latent}}, decoder};
  hg::initialize(model, rng);
  const auto epochs = hg::fit(model, mnist.train.images, hg::NegativeELBO{loss},
                              hg::Adam{{.lr = settings.learning_rate}}, example::fit_options(settings, mnist), rng);
  hg::save(model, settings.output / "model.safetensors");
  example::plot_losses(settings, epochs);

  const hg::Matrix<float> images = mnist.test.images.topRows(mnist.test.images.rows());
  example::Figures figures = example::last_losses(epochs);
  figures.emplace_back("test MSE", hg::MSELoss{}(model.reconstruct(images), images));
  figures.emplace_back("sigma", sigma(model, model.decode(model.encode_to_latent(images, rng)), images));
  example::report(settings, figures);
  example::draw_reconstructions(settings, model, mnist);
  hg::save_image_grid(settings.output / "samples.png", {.columns = 10, .scale = 3}, model.sample(100, rng));
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/gaussian_vae";
  settings.latent = 20;
  std::string variance = "optimal";
  double sigma = 1;
  const char* what = "Trains a variational autoencoder with a Gaussian decoder on MNIST.";
  const auto program = [&] {
    const hg::Sequential means{hg::Linear{settings.latent, 400}, hg::ReLU{}, hg::Linear<400, 784>{}, hg::Sigmoid{}};
    if (variance == "fixed")
      train(
          means, hg::FixedGaussianLoss{.sigma = sigma}, [&](const auto&...) { return sigma; }, settings);
    else if (variance == "optimal")
      train(
          means, hg::OptimalGaussianLoss{},
          [](const auto&, const auto& output, const auto& images) {
            return hg::OptimalGaussianLoss{}.sigma(output, images);
          },
          settings);
    else
      train(
          hg::Sequential{means, hg::LearnedVariance{784, {.shared = true, .logvar = -2}}}, hg::LearnedGaussianLoss{},
          [](const auto& model, const auto&...) {
            return std::exp(0.5 * double{model.decoder().template layer<1>().logvar()[0]});
          },
          settings);
  };
  return example::run(argc, argv, "gaussian_vae", what, settings, program, [&](CLI::App& app) {
    app.add_option("--variance", variance, "of the pixels given z")
        ->check(CLI::IsMember({"fixed", "optimal", "learned"}));
    app.add_option("--sigma", sigma, "standard deviation with --variance fixed; others find it");
  });
}
