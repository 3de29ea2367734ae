#include "hourglass/metrics/latent_traversal.hpp"

#include <doctest/doctest.h>

#include "hourglass/nn/linear.hpp"

namespace hg = hourglass;

TEST_CASE("one dimension moves at a time") {
  const hg::Matrix<float> code{{7, 8}};
  const hg::Matrix<float> expected{{-1, 8}, {0, 8}, {1, 8}, {7, -1}, {7, 0}, {7, 1}};
  CHECK(hg::traversal_codes(code, 3, -1, 1) == expected);
  CHECK(hg::traversal_codes(code, 2).row(1)(0) == 3);
  hg::Linear layer{2, 1};
  layer.weight() << 1, 10;
  CHECK(hg::latent_traversal(layer, code, 3, -1, 1) == expected.lazyProduct(hg::Matrix<float>{{1}, {10}}));
}

TEST_CASE("more than one code, and fewer than two steps, are refused") {
  CHECK_THROWS_WITH_AS((void)hg::traversal_codes(hg::Matrix<float>(2, 3), 3), doctest::Contains("(2, 3)"),
                       hg::ShapeError);
  CHECK_THROWS_AS((void)hg::traversal_codes(hg::Matrix<float>(1, 3), 1), hg::DataError);
}
