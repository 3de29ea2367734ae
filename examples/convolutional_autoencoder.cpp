// Convolutional autoencoder on MNIST: 1 x 28 x 28 to a code of 8 x 4 x 4 by convolutions and max pooling, and back.
//
// The network of F. Chollet, "Building autoencoders in Keras", 2016.
#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/convolutional_autoencoder";
  settings.latent = 0;
  settings.epochs = 50;
  const char* what = "Trains a convolutional autoencoder on MNIST and draws reconstructions and codes.";
  return example::run(argc, argv, "convolutional_autoencoder", what, settings, [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};

    using Image = hg::ImageShape;
    const hg::Conv2dOptions same{.padding = 1};
    hg::Autoencoder model{
        hg::Sequential{hg::Conv2d{Image{1, 28, 28}, 16, 3, same}, hg::ReLU{}, hg::MaxPool2d{Image{16, 28, 28}, 2},
                       hg::Conv2d{Image{16, 14, 14}, 8, 3, same}, hg::ReLU{}, hg::MaxPool2d{Image{8, 14, 14}, 2},
                       hg::Conv2d{Image{8, 7, 7}, 8, 3, same}, hg::ReLU{},
                       hg::MaxPool2d{Image{8, 7, 7}, 2, {.padding = 1}}},
        hg::Sequential{hg::Conv2d{Image{8, 4, 4}, 8, 3, same}, hg::ReLU{}, hg::Upsample{Image{8, 4, 4}, 2},
                       hg::Conv2d{Image{8, 8, 8}, 8, 3, same}, hg::ReLU{}, hg::Upsample{Image{8, 8, 8}, 2},
                       hg::Conv2d{Image{8, 16, 16}, 16, 3}, hg::ReLU{}, hg::Upsample{Image{16, 14, 14}, 2},
                       hg::Conv2d{Image{16, 28, 28}, 1, 3, same}, hg::Sigmoid{}}};
    hg::initialize(model, rng, hg::XavierUniform{});
    if (!settings.quiet) std::cout << hg::summary(model);

    const auto epochs = hg::fit(model, mnist.train.images, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}},
                                example::fit_options(settings, mnist), rng);
    example::plot_losses(settings, epochs);
    hg::save(model, settings.output / "model.safetensors");

    example::draw_reconstructions(settings, model, mnist);
    hg::save_image_grid(settings.output / "filters.png", {.columns = 8, .scale = 8, .padding = 1},
                        hg::filter_images(model.encoder().layer<0>().weight(), {.diverging = true}));
    example::report(settings, {{"test BCE", epochs.back().test->loss}});
  });
}
