// Variational autoencoder 784-512-256-(20, 20), mirrored, on MNIST: ReLU, sigmoid output, BCE summed + KL, Adam.
#include "common.hpp"

namespace hg = hourglass;

namespace {

// Each row: `steps` pictures on the straight line between the codes of two images.
hg::Matrix<float> interpolate(const auto& model, const hg::Matrix<float>& from, const hg::Matrix<float>& to,
                              hg::Index steps) {
  const hg::Matrix<float> start = model.encode_to_latent(from);
  const hg::Matrix<float> end = model.encode_to_latent(to);
  hg::Matrix<float> path(start.rows() * steps, start.cols());
  for (hg::Index i = 0; i < path.rows(); ++i) {
    const float t = static_cast<float>(i % steps) / static_cast<float>(steps - 1);
    path.row(i) = (1 - t) * start.row(i / steps) + t * end.row(i / steps);
  }
  return model.decode(path);
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.latent = 20;
  settings.output = "output/vae";
  const char* what = "Trains a variational autoencoder on MNIST; draws reconstructions, samples and interpolations.";
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

    hg::fit(model, mnist.train.images, hg::NegativeELBO{hg::BCELoss{}}, hg::Adam{{.lr = settings.learning_rate}},
            example::fit_options(settings, mnist), rng);

    hg::save(model, settings.output / "model.safetensors");
    const hg::Index shown = std::min<hg::Index>(8, mnist.test.images.rows() / 2);
    const hg::ImageSpan originals = mnist.test.images.topRows(2 * shown);
    hg::save_image_grid(settings.output / "reconstruction.png", {.columns = shown, .scale = 3}, originals,
                        model.reconstruct(originals));
    hg::save_image_grid(settings.output / "samples.png", {.columns = 10, .scale = 3}, model.sample(100, rng));
    hg::save_image_grid(
        settings.output / "interpolation.png", {.columns = 10, .scale = 3},
        interpolate(model, mnist.test.images.topRows(shown), mnist.test.images.middleRows(shown, shown), 10));
  });
}
