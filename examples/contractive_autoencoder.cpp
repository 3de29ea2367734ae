// Contractive autoencoder: 784-latent-784 with tied weights and sigmoids, whose code hardly changes with the image.
#include <CLI/CLI.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/contractive";
  settings.latent = 256;
  double lambda = 1e-3;
  const char* what = "Trains a contractive autoencoder with tied weights on MNIST and draws what its units look for.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};

    hg::TiedAutoencoder model{hg::Mlp<hg::Sigmoid, hg::Sigmoid>{{784, settings.latent}}, hg::Sigmoid{}};
    hg::initialize(model, rng);
    if (!settings.quiet) std::cout << hg::summary(model);

    hg::fit(model, mnist.train.images, hg::ContractiveLoss{hg::BCELoss{}, lambda},
            hg::Adam{{.lr = settings.learning_rate}}, example::fit_options(settings, mnist), rng);

    hg::save(model, settings.output / "model.safetensors");
    example::draw_reconstructions(settings, model, mnist);

    // Rows of the weight as pictures, 0 in the middle of the grey scale.
    const auto weight = model.encoder().linear(0).weight();
    hg::Matrix<float> filters = weight.topRows(std::min<hg::Index>(64, settings.latent));
    filters = (filters.array() / (2 * filters.cwiseAbs().maxCoeff()) + 0.5f).matrix();
    hg::save_image_grid(settings.output / "filters.png", {.columns = 8, .scale = 2}, filters);
  };
  return example::run(argc, argv, "contractive_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--lambda", lambda, "weight of the squared norm of the encoder's Jacobian");
  });
}
