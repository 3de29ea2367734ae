// Conditional variational autoencoder 784-400-(latent)-400-784 whose encoder and decoder are told the digit, so that z
// is left with the handwriting; beside the same network that is not told.
#include "common.hpp"

namespace hg = hourglass;

namespace {

[[nodiscard]] auto encoder(hg::Index in, hg::Index latent) {
  return hg::Sequential{hg::Linear{in, 400}, hg::ReLU{}, hg::Linear{400, 2 * latent}};
}
[[nodiscard]] auto decoder(hg::Index code) {
  return hg::Sequential{hg::Linear{code, 400}, hg::ReLU{}, hg::Linear{400, 784}, hg::Sigmoid{}};
}

/// Each of `codes` as all ten digits, (10 rows, 784).
template <class Model>
[[nodiscard]] hg::Matrix<float> as_each_digit(const Model& model, const hg::Matrix<float>& codes) {
  hg::Matrix<float> all(10 * codes.rows(), codes.cols());
  std::vector<std::uint8_t> digits;
  for (hg::Index i = 0; i < all.rows(); ++i) {
    all.row(i) = codes.row(i / 10);
    digits.push_back(static_cast<std::uint8_t>(i % 10));
  }
  return model.decode(all, digits);
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/conditional_vae";
  settings.latent = 6;
  const char* what = "Trains a conditional variational autoencoder on MNIST, and one that knows no classes.";
  return example::run(argc, argv, "conditional_vae", what, settings, [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    const hg::NegativeELBO loss{hg::BCELoss{}};

    hg::ConditionalVariationalAutoencoder model{encoder(784 + 10, settings.latent), decoder(settings.latent + 10), 10};
    hg::initialize(model, rng);
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    const hg::Matrix<float> train = hg::condition(mnist.train.images, mnist.train.labels, 10);
    const hg::Matrix<float> test = hg::condition(mnist.test.images, mnist.test.labels, 10);
    options.validation = test;
    const auto epochs = hg::fit(model, train, loss, hg::Adam{{.lr = settings.learning_rate}}, options, rng);
    hg::save(model, settings.output / "model.safetensors");
    example::plot_losses(settings, epochs);

    hg::VariationalAutoencoder plain{encoder(784, settings.latent), decoder(settings.latent)};
    hg::initialize(plain, rng);
    options = example::fit_options(settings, mnist);
    options.metrics_csv = settings.output / "unconditional.csv";
    hg::fit(plain, mnist.train.images, loss, hg::Adam{{.lr = settings.learning_rate}}, options, rng);

    example::Figures figures = example::last_losses(epochs);
    figures.emplace_back("test loss without classes", hg::evaluate(plain, mnist.test.images, loss, rng).loss);
    example::report(settings, figures);

    // A column for each digit, a row for each z.
    hg::save_image_grid(settings.output / "samples.png", {.columns = 10, .scale = 3},
                        as_each_digit(model, hg::randn(10, settings.latent, rng)));
  });
}
