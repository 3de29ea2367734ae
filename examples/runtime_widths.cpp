// A symmetric network whose widths come from the command line: an autoencoder, or with --variational a VAE.
#include <CLI/CLI.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.latent = 32;
  settings.output = "output/runtime_widths";
  std::vector<hg::Index> widths;
  bool variational = false;
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    if (widths.empty()) widths = hg::halving_widths(mnist.train.images.cols(), settings.latent);
    hg::Rng rng{settings.seed};

    const auto train = [&](auto model, const auto& loss) {
      hg::initialize(model, rng);
      if (!settings.quiet) std::cout << hg::summary(model);
      hg::fit(model, mnist.train.images, loss, hg::Adam{{.lr = settings.learning_rate}},
              example::fit_options(settings, mnist), rng);
      hg::save(model, settings.output / "model.safetensors");
      example::draw_reconstructions(settings, model, mnist);
    };
    if (variational)
      train(hg::symmetric_variational_autoencoder(widths), hg::NegativeELBO{hg::BCELoss{}});
    else
      train(hg::symmetric_autoencoder(widths), hg::BCELoss{});
  };
  return example::run(argc, argv, "runtime_widths", "Trains a symmetric autoencoder with widths chosen at run time.",
                      settings, program, [&](CLI::App& app) {
                        app.add_option("--widths", widths,
                                       "Widths from input to code, such as 784 400 20; default: halving down to "
                                       "--latent");
                        app.add_flag("--variational", variational,
                                     "Train a variational autoencoder; the last width is that of the latent space");
                      });
}
