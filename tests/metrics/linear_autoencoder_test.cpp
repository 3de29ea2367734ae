#include <doctest/doctest.h>

#include <array>
#include <bit>

#include "hourglass/core/rng.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/optim/adam.hpp"

namespace hg = hourglass;

TEST_CASE("a linear autoencoder trained on the squared error finds the subspace of PCA") {
  // Columns of a Hadamard matrix, orthogonal and of mean 0, times deviations, reflected into mixed directions: the
  // principal components are the reflected axes. P. Baldi, K. Hornik, "Neural networks and principal component
  // analysis", 1989: the only minima of the error are those of the principal subspace.
  const std::array<double, 8> deviations{3, 2, 1, 0.3, 0.3, 0.3, 0.3, 0.3};
  hg::Matrix<double> data(16, 8);
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 8; ++j) data(i, j) = (std::popcount(i & (j + 1)) % 2 == 0 ? 1 : -1) * deviations[j];
  const hg::Matrix<double> normal{{1, -2, 3, 1, 0.5, 2, -1, 1}};
  const auto reflect = [&](hg::Matrix<double>& rows) {
    for (hg::Index i = 0; i < rows.rows(); ++i)
      rows.row(i) -= 2 * rows.row(i).dot(normal.row(0)) / normal.squaredNorm() * normal.row(0);
  };
  reflect(data);
  data.array() += 1.0;
  const double best = 5 * 0.3 * 0.3 / 8;

  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::Autoencoder model{Linear{8, 3}, Linear{3, 8}};
  hg::Rng rng{3};
  hg::initialize(model, rng);
  hg::Workspace workspace{model, 16};
  hg::Adam<double> optimizer{{.lr = 1e-2}};
  for (int step = 0; step < 3000; ++step) {
    if (step == 2500) optimizer.set_lr(1e-3);
    const auto output = model.forward(data, workspace);
    (void)hg::MSELoss{}(output, data, workspace);
    model.backward(data, workspace, optimizer);
  }

  const double found = hg::MSELoss{}(model.reconstruct(data), data);
  CAPTURE(found / best - 1);
  CHECK(found >= best * (1 - 1e-9));
  CHECK(found <= best * (1 + 1e-4));
  // The decoder's columns lie in the principal subspace: reflected back, they are zero from the fourth entry on.
  hg::Matrix<double> columns = model.decoder().weight().transpose();
  reflect(columns);
  CHECK(columns.rightCols(5).norm() < 1e-2 * columns.norm());
}
