// Convolutional variational autoencoder with a latent plane: 32 and 64 filters of 3 x 3 with stride 2, 16 units, z of
// two numbers, and back. The network is that of the Keras example by F. Chollet,
// https://keras.io/examples/generative/vae, which reports the training loss of the last epoch on all 70,000 images.
// Here the weight of the KL term grows over two epochs, or else some runs use one of the two numbers only, and the
// learning rate falls along a cosine.
#include <CLI/CLI.hpp>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"
#include "plot.hpp"

namespace hg = hourglass;

namespace {

constexpr hg::ImageShape digit{1, 28, 28};
constexpr hg::ImageShape small{64, 7, 7};

[[nodiscard]] hg::Images join(const hg::Images& a, const hg::Images& b) {
  std::vector<std::uint8_t> pixels(a.pixels().begin(), a.pixels().end());
  pixels.insert(pixels.end(), b.pixels().begin(), b.pixels().end());
  return {std::move(pixels), a.rows() + b.rows(), a.height(), a.width()};
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/convolutional_vae";
  settings.latent = 2;
  settings.epochs = 30;
  settings.learning_rate = 2e-3;
  bool all_images = false;
  const char* what = "Trains a convolutional variational autoencoder on MNIST and draws its latent plane.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    const hg::Images train = all_images ? join(mnist.train.images, mnist.test.images) : mnist.train.images;
    hg::Rng rng{settings.seed};

    hg::VariationalAutoencoder model{
        hg::Sequential{hg::Conv2d<digit, 32, 3, 2, 1>{}, hg::ReLU{},
                       hg::Conv2d<hg::ImageShape{32, 14, 14}, 64, 3, 2, 1>{}, hg::ReLU{}, hg::Flatten{},
                       hg::Linear<small.size(), 16>{}, hg::ReLU{},
                       hg::Parallel{hg::Linear{16, settings.latent}, hg::Linear{16, settings.latent}}},
        hg::Sequential{hg::Linear{settings.latent, small.size()}, hg::ReLU{}, hg::Unflatten<small>{},
                       hg::ConvTranspose2d<small, 64, 3, 2, 1, 1>{}, hg::ReLU{},
                       hg::ConvTranspose2d<hg::ImageShape{64, 14, 14}, 32, 3, 2, 1, 1>{}, hg::ReLU{},
                       hg::ConvTranspose2d<hg::ImageShape{32, 28, 28}, 1, 3, 1, 1>{}, hg::Sigmoid{}}};
    hg::initialize(model, rng, hg::XavierUniform{});
    // 3,136 inputs that are all positive move the 16 units before z far in a step, most of them into silence for good.
    // They start out firing, and learn slowly.
    model.encoder().layer<5>().bias().setConstant(1);
    if (!settings.quiet) std::cout << hg::summary(model);

    const hg::NegativeELBO loss{hg::BCELoss{}, {.warm_up_steps = 2 * train.rows() / settings.batch_size}};
    hg::Adam optimizer{{.lr = settings.learning_rate}, {{.prefix = "encoder.5", .lr = settings.learning_rate / 10}}};
    hg::CosineAnnealingLR schedule{optimizer, settings.epochs};
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    options.callbacks = {[&](const hg::EpochReport&) { schedule.step(); }};
    const auto epochs = hg::fit(model, train, loss, optimizer, options, rng);
    hg::save(model, settings.output / "model.safetensors");
    example::plot_losses(settings, epochs);
    example::Figures figures = example::last_losses(epochs);
    for (const auto& figure : example::dead_units(model, mnist)) figures.push_back(figure);
    example::report(settings, figures);

    example::draw_reconstructions(settings, model, mnist);
    if (settings.latent == 2) {
      hg::save_image_grid(settings.output / "manifold.png", {.columns = 20, .padding = 0},
                          hg::manifold_grid(model, 20));
      example::show(settings, example::plot_scatter(settings.output / "latent_plane.png",
                                                    {"Posterior means of the test images", "z_0", "z_1"},
                                                    hg::codes(model, mnist.test.images), mnist.test.labels));
    }
  };
  return example::run(argc, argv, "convolutional_vae", what, settings, program,
                      [&](CLI::App& app) { app.add_flag("--all-images", all_images, "train on the test images too"); });
}
