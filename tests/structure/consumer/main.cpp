// Trains a small network to copy two patterns, saves it, loads it, and fails unless the loss fell.
#include <cstdio>
#include <hourglass/hourglass.hpp>

namespace hg = hourglass;

long width(const hg::Matrix<float>& matrix);

int main() {
  const hg::Matrix<float> images{{1, 0, 1, 0}, {0, 1, 0, 1}};
  hg::Autoencoder model{hg::Sequential{hg::Linear<4, 2>{}, hg::Tanh{}}, hg::Sequential{hg::Linear<2, 4>{}, hg::Sigmoid{}}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  hg::Workspace workspace{model, images.rows()};
  hg::Adam optimizer{{.lr = 0.05f}};
  double first = 0;
  double last = 0;
  for (int step = 0; step < 100; ++step) {
    const auto output = model.forward(images, workspace, hg::Training{rng});
    last = static_cast<double>(hg::BCELoss{}(output, images, workspace));
    if (step == 0) first = last;
    model.backward(images, workspace);
    optimizer.step(model, workspace);
  }
  hg::save(model, "model.safetensors");
  auto loaded = model;
  hg::initialize(loaded, rng);
  hg::load(loaded, "model.safetensors");
  const bool same = loaded.reconstruct(images) == model.reconstruct(images);
  std::printf("loss %.4f -> %.4f, %ld features, %s\n", first, last, width(images), same ? "same" : "different");
  return last < 0.5 * first && width(images) == 4 && same ? 0 : 1;
}
