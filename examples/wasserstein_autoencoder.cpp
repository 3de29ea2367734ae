// Wasserstein autoencoder 784-400-latent-400-784: all codes together are drawn to N(0, I) by their maximum mean
// discrepancy, so that codes from N(0, I) become digits. Beside it the same network without that term, where they do
// not.
#include <CLI/CLI.hpp>

#include "common.hpp"

namespace hg = hourglass;

namespace {

/// Trains with the given weight, draws pictures into a folder of that name and returns figures.
[[nodiscard]] example::Figures train(const std::string& name, double weight, const hg::Mnist& mnist,
                                     example::Settings settings) {
  settings.output /= name;
  std::filesystem::create_directories(settings.output);
  hg::Rng rng{settings.seed};
  hg::WassersteinAutoencoder model{
      hg::Sequential{hg::Linear<784, 400>{}, hg::ReLU{}, hg::Linear{400, settings.latent}},
      hg::Sequential{hg::Linear{settings.latent, 400}, hg::ReLU{}, hg::Linear<400, 784>{}, hg::Sigmoid{}}};
  hg::initialize(model, rng);
  const auto epochs = hg::fit(model, mnist.train.images, hg::WassersteinLoss{hg::MSELoss{}, weight},
                              hg::Adam{{.lr = settings.learning_rate}}, example::fit_options(settings, mnist), rng);
  hg::save(model, settings.output / "model.safetensors");
  example::plot_losses(settings, epochs);
  example::draw_reconstructions(settings, model, mnist);
  hg::save_image_grid(settings.output / "samples.png", {.columns = 10, .scale = 3}, model.sample(100, rng));

  const hg::Matrix<float> images = mnist.test.images.topRows(std::min<hg::Index>(2000, mnist.test.images.rows()));
  const hg::Matrix<float> codes = model.encode(images);
  return {{name + " test MSE", hg::MSELoss{}(model.decode(codes), images)},
          {name + " MMD^2", hg::mmd(codes, hg::randn(codes.rows(), codes.cols(), rng))}};
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/wasserstein_autoencoder";
  settings.latent = 8;
  double weight = 10;
  const char* what = "Trains a Wasserstein autoencoder on MNIST, and a plain one.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    example::Figures figures = train("wasserstein", weight, mnist, settings);
    for (const auto& figure : train("plain", 0, mnist, settings)) figures.push_back(figure);
    example::report(settings, figures);
  };
  return example::run(argc, argv, "wasserstein_autoencoder", what, settings, program,
                      [&](CLI::App& app) { app.add_option("--weight", weight, "of the discrepancy in the loss"); });
}
