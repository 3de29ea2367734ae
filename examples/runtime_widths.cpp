// A symmetric network whose widths come from the command line: an autoencoder, or with --variational a VAE.
#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.latent = 32;
  settings.output = "output/runtime_widths";
  std::vector<hg::Index> widths;
  bool variational = false;
  CLI::App app{"Trains a symmetric autoencoder with widths chosen at run time.", "runtime_widths"};
  example::add_options(app, settings);
  app.add_option("--widths", widths,
                 "Widths from input to code, such as 784 400 20; default: halving down to --latent");
  app.add_flag("--variational", variational,
               "Train a variational autoencoder; the last width is that of the latent space");

  return example::run(app, settings, argc, argv, [&] {
    const hg::Mnist mnist = example::load_data(settings);
    if (widths.empty()) widths = hg::halving_widths(mnist.train.images.cols(), settings.latent);
    hg::Rng rng{settings.seed};

    const auto train = [&](auto model, const auto& loss) {
      hg::initialize(model, rng);
      if (!settings.quiet) std::cout << hg::summary(model);
      hg::fit(model, mnist.train.images, loss, hg::Adam{{.lr = settings.learning_rate}},
              example::fit_options(settings, mnist), rng);
      hg::save(model, settings.output / "model.safetensors");
      const hg::ImageSpan originals = mnist.test.images.topRows(std::min<hg::Index>(16, mnist.test.images.rows()));
      hg::save_image_grid(settings.output / "reconstruction.png", {.columns = 8, .scale = 3}, originals,
                          model.reconstruct(originals));
    };
    if (variational)
      train(hg::symmetric_variational_autoencoder(widths), hg::NegativeELBO{hg::BCELoss{}});
    else
      train(hg::symmetric_autoencoder(widths), hg::BCELoss{});
  });
}
