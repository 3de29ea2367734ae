// The README's first listing: an autoencoder for digits, from the files to a picture.
#include <hourglass/hourglass.hpp>
#include <iostream>
namespace hg = hourglass;

int main() try {
  const auto digits = hg::load_mnist("data/digits");  // or "data/mnist", after scripts/download_mnist
  hg::Rng rng{42};

  hg::Autoencoder model{hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}, hg::Linear<256, 64>{}, hg::ReLU{}},
                        hg::Sequential{hg::Linear<64, 256>{}, hg::ReLU{}, hg::Linear<256, 784>{}, hg::Sigmoid{}}};
  hg::initialize(model, rng);

  hg::fit(model, digits.train.images, hg::BCELoss{}, hg::Adam{{.lr = 1e-3}},
          {.epochs = 20, .batch_size = 128, .validation = digits.test.images}, rng);

  hg::save(model, "autoencoder.safetensors");  // opens in PyTorch unchanged
  hg::save_image_grid("reconstruction.png", digits.test.images.topRows(8),
                      model.reconstruct(digits.test.images.topRows(8)));
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
