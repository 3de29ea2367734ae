// Linear autoencoders and principal components on MNIST: with tied weights, x -> W^T (W x + b) + c, the best that a
// code of this width can do is PCA, and training finds its subspace.
//
// P. Baldi, K. Hornik, "Neural networks and principal component analysis", 1989.
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/tied_autoencoder";
  settings.latent = 32;
  const char* what = "Trains a linear autoencoder with tied weights on MNIST and compares it with PCA.";
  return example::run(argc, argv, "tied_autoencoder", what, settings, [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    hg::TiedAutoencoder model{hg::Mlp<hg::Identity>{{784, settings.latent}}};
    hg::initialize(model, rng);
    if (!settings.quiet) std::cout << hg::summary(model);

    hg::Adam optimizer{{.lr = settings.learning_rate}};
    hg::CosineAnnealingLR schedule{optimizer, settings.epochs};
    hg::FitOptions<> options = example::fit_options(settings, mnist);
    options.callbacks = {[&](const hg::EpochReport&) { schedule.step(); }};
    example::plot_losses(settings, hg::fit(model, mnist.train.images, hg::MSELoss{}, optimizer, options, rng));
    hg::save(model, settings.output / "model.safetensors");

    const hg::Pca pca(mnist.train.images, settings.latent);
    example::report(settings, {{"test MSE", hg::evaluate(model, mnist.test.images, hg::MSELoss{}, rng).loss},
                               {"test MSE of PCA", pca.reconstruction_error(mnist.test.images)}});
    const hg::ImageSpan originals = mnist.test.images.topRows(std::min<hg::Index>(8, mnist.test.images.rows()));
    const hg::Matrix<float> by_pca = pca.reconstruct(originals).cast<float>();
    hg::save_image_grid(settings.output / "reconstruction.png", {.columns = 8, .scale = 3}, originals,
                        model.reconstruct(originals), by_pca);
    // The rows of W span what the principal components do, in another basis.
    hg::save_image_grid(settings.output / "filters.png", {.columns = 8, .padding = 1},
                        hg::filter_images(model.encoder().linear(0).weight(), {.diverging = true}));
    hg::save_image_grid(settings.output / "components.png", {.columns = 8, .padding = 1},
                        hg::filter_images(pca.components(), {.diverging = true}));
  });
}
