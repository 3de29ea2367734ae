#include <doctest/doctest.h>

#include <span>

#include "hourglass/core/rng.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/metrics/pca.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/optim/adam.hpp"

namespace hg = hourglass;

TEST_CASE("a linear autoencoder trained on the squared error finds the subspace of PCA") {
  // Deviations 3, 2, 1 and five times 0.3, reflected into mixed directions. P. Baldi, K. Hornik, "Neural networks and
  // principal component analysis", 1989: the only minima of the error are those of the principal subspace.
  hg::Matrix<double> data(200, 8);
  hg::Rng rng{3};
  rng.fill_normal(std::span<double>(data.data(), static_cast<std::size_t>(data.size())));
  data.array().rowwise() *= hg::Matrix<double>{{3, 2, 1, 0.3, 0.3, 0.3, 0.3, 0.3}}.row(0).array();
  const hg::Matrix<double> normal{{1, -2, 3, 1, 0.5, 2, -1, 1}};
  data -= hg::Matrix<double>(data * normal.transpose() * normal * (2 / normal.squaredNorm()));
  data.array() += 1.0;

  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::Autoencoder model{Linear{8, 3}, Linear{3, 8}};
  hg::initialize(model, rng);
  hg::Workspace workspace{model, 200};
  hg::Adam<double> optimizer{{.lr = 1e-2}};
  for (int step = 0; step < 3000; ++step) {
    if (step == 2500) optimizer.set_lr(1e-3);
    const auto output = model.forward(data, workspace);
    (void)hg::MSELoss{}(output, data, workspace);
    model.backward(data, workspace, optimizer);
  }

  const hg::Pca pca(data, 3);
  const double best = pca.reconstruction_error(data);
  const double found = hg::MSELoss{}(model.reconstruct(data), data);
  CAPTURE(found / best - 1);
  CHECK(found >= best * (1 - 1e-9));
  CHECK(found <= best * (1 + 1e-4));
  // The decoder's columns span the principal subspace.
  const hg::Matrix<double> columns = model.decoder().weight().transpose();
  const hg::Matrix<double> outside = columns - columns * pca.components().transpose() * pca.components();
  CHECK(outside.norm() < 1e-2 * columns.norm());
}
