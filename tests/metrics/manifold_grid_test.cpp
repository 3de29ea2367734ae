#include "hourglass/metrics/manifold_grid.hpp"

#include <doctest/doctest.h>

#include "golden.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/models/symmetric.hpp"
#include "hourglass/nn/initialize.hpp"

namespace hg = hourglass;

TEST_CASE("the codes are quantiles of the normal distribution, z_0 to the right, z_1 upwards") {
  const double q = 0.67448975019608171;  // Phi^-1(3/4)
  CHECK(difference(hg::manifold_codes<double>(2), hg::Matrix<double>{{-q, q}, {q, q}, {-q, -q}, {q, -q}}, {1e-14, 0}) ==
        "");
  CHECK(hg::manifold_codes(1) == hg::Matrix<float>{{0, 0}});
  CHECK(hg::manifold_codes(3).row(4).isZero());
}

TEST_CASE("models, their decoders and functions decode the grid") {
  auto vae = hg::symmetric_variational_autoencoder(std::vector<hg::Index>{6, 4, 2});
  hg::Rng rng{1};
  hg::initialize(vae, rng);
  const auto grid = hg::manifold_grid(vae, 3);
  CHECK(grid == vae.decode(hg::manifold_codes(3)));
  CHECK(grid.cols() == 6);
  CHECK(hg::manifold_grid(vae.decoder(), 3) == grid);
  CHECK(hg::manifold_grid([](const hg::Matrix<float>& codes) { return codes; }, 3) == hg::manifold_codes(3));
}

TEST_CASE("a grid without codes, and decoders of another width, are refused") {
  CHECK_THROWS_AS((void)hg::manifold_codes(0), hg::DataError);
  CHECK_THROWS_AS((void)hg::manifold_grid(hg::Linear{3, 6}, 2), hg::ShapeError);
}
