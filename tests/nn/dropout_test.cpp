#include "hourglass/nn/dropout.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "hourglass/nn/sequential.hpp"

namespace hg = hourglass;

TEST_CASE("inference is the identity, training drops and rescales") {
  const hg::Sequential model{hg::Dropout{0.25}};
  hg::Workspace workspace{model, 100, 50};
  const hg::Matrix<float> x = hg::Matrix<float>::Constant(100, 50, 3);
  CHECK(model.forward(x, workspace) == x);
  hg::Rng rng{1};
  CHECK(model.forward(x, workspace, hg::Sampling{rng}) == x);

  const hg::Matrix<float> y = model.forward(x, workspace, hg::Training{rng});
  hg::Index dropped = 0;
  for (hg::Index i = 0; i < y.size(); ++i) {
    if (y.data()[i] == 0)
      ++dropped;
    else
      CHECK(y.data()[i] == doctest::Approx(4));
  }
  CHECK(std::abs(static_cast<double>(dropped) / 5000 - 0.25) < 5 * std::sqrt(0.25 * 0.75 / 5000));
  const hg::Matrix<float> again = model.forward(x, workspace, hg::Training{rng});
  CHECK(again != y);
  hg::Rng same{1};
  CHECK(model.forward(x, workspace, hg::Training{same}) == y);
}

TEST_CASE("backward uses the mask of the last forward pass") {
  const hg::Dropout dropout{0.5};
  hg::Rng rng{2};
  const hg::Matrix<double> x = hg::Matrix<double>::Ones(4, 6);
  const hg::ConstMatrixView<double> view(x);
  auto cache = hg::detail::plan<double>(dropout, 4, 6, hg::Purpose::training);
  const hg::Matrix<double> y = hg::detail::propagate<double>(dropout, view, cache, hg::Training{rng}, {0, 4});
  hg::Matrix<double> dx(4, 6);
  hg::detail::backward_inputs<double>(dropout, view, view, cache, nullptr, hg::MatrixView<double>(dx), {0, 4});
  CHECK(dx == y);  // y is linear in x, and x and dy are ones
  (void)hg::detail::propagate<double>(dropout, view, cache, hg::Inference{}, {0, 4});
  hg::detail::backward_inputs<double>(dropout, view, view, cache, nullptr, hg::MatrixView<double>(dx), {0, 4});
  CHECK(dx == x);
}

TEST_CASE("p = 0 keeps everything, p = 1 drops everything, others are refused") {
  hg::Rng rng{3};
  const hg::Matrix<float> x = hg::Matrix<float>::Ones(3, 3);
  const hg::Sequential none{hg::Dropout{0.0}};
  const hg::Sequential all{hg::Dropout{1.0}};
  hg::Workspace workspace{none, 3, 3};
  hg::Workspace other{all, 3, 3};
  CHECK(none.forward(x, workspace, hg::Training{rng}) == x);
  CHECK(all.forward(x, other, hg::Training{rng}).isZero());
  CHECK_THROWS_AS(hg::Dropout{-0.1}, hg::DataError);
  CHECK_THROWS_AS(hg::Dropout{1.5}, hg::DataError);
  CHECK_THROWS_AS(hg::Dropout{std::nan("")}, hg::DataError);
}
