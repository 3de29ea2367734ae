// Variational autoencoder 784-512-256-(20, 20), mirrored, on MNIST: ReLU, sigmoid output, BCE summed + KL, Adam.
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"
#include "plot.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.latent = 20;
  settings.output = "output/vae";
  const char* what =
      "Trains a variational autoencoder on MNIST; draws reconstructions, samples and interpolations, and "
      "with --latent 2 the latent plane.";
  return example::run(argc, argv, "mnist_vae", what, settings, [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};

    hg::VariationalAutoencoder model{
        hg::Sequential{hg::Linear<784, 512>{}, hg::ReLU{}, hg::Linear<512, 256>{}, hg::ReLU{},
                       hg::Linear{256, 2 * settings.latent}},
        hg::Sequential{hg::Linear{settings.latent, 256}, hg::ReLU{}, hg::Linear<256, 512>{}, hg::ReLU{},
                       hg::Linear<512, 784>{}, hg::Sigmoid{}}};
    hg::initialize(model, rng);
    if (!settings.quiet) std::cout << hg::summary(model);

    const auto epochs = hg::fit(model, mnist.train.images, hg::NegativeELBO{hg::BCELoss{}},
                                hg::Adam{{.lr = settings.learning_rate}}, example::fit_options(settings, mnist), rng);
    example::plot_losses(settings, epochs);

    hg::save(model, settings.output / "model.safetensors");
    const hg::Index shown = std::min<hg::Index>(8, mnist.test.images.rows() / 2);
    const hg::ImageSpan originals = mnist.test.images.topRows(2 * shown);
    hg::save_image_grid(settings.output / "reconstruction.png", {.columns = shown, .scale = 3}, originals,
                        model.reconstruct(originals));
    hg::save_image_grid(settings.output / "samples.png", {.columns = 10, .scale = 3}, model.sample(100, rng));
    const hg::Matrix<float> ends = hg::codes(model, originals);
    hg::save_image_grid(settings.output / "interpolation.png", {.columns = 10, .scale = 3},
                        model.decode(hg::lerp(ends.topRows(shown), ends.bottomRows(shown), 10)));
    if (settings.latent == 2) {
      hg::save_image_grid(settings.output / "manifold.png", {.columns = 20, .padding = 0},
                          hg::manifold_grid(model, 20));
      example::show(settings, example::plot_scatter(settings.output / "latent_plane.png",
                                                    {"Posterior means of the test images", "z_0", "z_1"},
                                                    hg::codes(model, mnist.test.images), mnist.test.labels));
    }
  });
}
