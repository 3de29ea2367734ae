// Deep autoencoder 784-1000-500-250-30 on MNIST, trained all at once.
//
// G. Hinton, R. Salakhutdinov, "Reducing the dimensionality of data with neural networks", 2006, who pre-trained it
// layer by layer.
#include <CLI/CLI.hpp>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/deep_autoencoder";
  settings.latent = 30;
  settings.epochs = 45;
  double weight_decay = 0.2;
  const char* what = "Trains the deep autoencoder of Hinton and Salakhutdinov on MNIST.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    hg::Autoencoder model{hg::Mlp<hg::GELU>{{784, 1000, 500, 250, settings.latent}},
                          hg::Mlp<hg::GELU, hg::Sigmoid>{{settings.latent, 250, 500, 1000, 784}}};
    hg::initialize(model, rng, hg::KaimingUniform{});
    if (!settings.quiet) std::cout << hg::summary(model);

    // Without weight decay the training error falls further, and the test error does not.
    hg::AdamW optimizer{{.lr = settings.learning_rate, .weight_decay = weight_decay}};
    hg::CosineAnnealingLR schedule{optimizer, settings.epochs};
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    options.callbacks = {[&](const hg::EpochReport&) { schedule.step(); }};
    // Squared error summed over the pixels, as in the paper's table.
    const auto epochs =
        hg::fit(model, mnist.train.images, hg::MSELoss{hg::Reduction::batchmean}, optimizer, options, rng);
    example::plot_losses(settings, epochs);
    hg::save(model, settings.output / "model.safetensors");

    const hg::Pca pca(mnist.train.images, settings.latent);
    example::report(settings, {{"train SSE", epochs.back().train.loss},
                               {"test SSE", epochs.back().test->loss},
                               {"test SSE of PCA", 784 * pca.reconstruction_error(mnist.test.images)}});
    const hg::ImageSpan originals = mnist.test.images.topRows(std::min<hg::Index>(16, mnist.test.images.rows()));
    hg::save_image_grid(settings.output / "reconstruction.png", {.columns = originals.rows() / 2, .scale = 3},
                        originals, model.reconstruct(originals),
                        hg::Matrix<float>(pca.reconstruct(originals).cast<float>()));
  };
  return example::run(argc, argv, "deep_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--weight-decay", weight_decay, "share of the weights that a step of size 1 would take away");
  });
}
