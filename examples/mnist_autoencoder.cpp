// Autoencoder 784-256-64-256-784 on MNIST: ReLU after each hidden layer and the code, sigmoid output, BCE, Adam.
#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/autoencoder";
  const char* what =
      "Trains an autoencoder on MNIST and draws digits beside their reconstructions, losses and filters.";
  return example::run(argc, argv, "mnist_autoencoder", what, settings, [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};

    hg::Autoencoder model{
        hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}, hg::Linear{256, settings.latent}, hg::ReLU{}},
        hg::Sequential{hg::Linear{settings.latent, 256}, hg::ReLU{}, hg::Linear<256, 784>{}, hg::Sigmoid{}}};
    hg::initialize(model, rng);
    if (!settings.quiet) std::cout << hg::summary(model);

    const auto epochs = hg::fit(model, mnist.train.images, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}},
                                example::fit_options(settings, mnist), rng);
    example::plot_losses(settings, epochs);

    hg::save(model, settings.output / "model.safetensors");
    example::draw_reconstructions(settings, model, mnist);
    hg::save_image_grid(settings.output / "filters.png", {.padding = 1},
                        hg::filter_images(model.encoder().layer<0>().weight(), {.diverging = true}));
  });
}
