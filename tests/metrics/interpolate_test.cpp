#include "hourglass/metrics/interpolate.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "golden.hpp"

namespace hg = hourglass;

TEST_CASE("lerp: path after path, with exact ends") {
  const hg::Matrix<float> a{{0, 1}, {5, 0.1f}};
  const hg::Matrix<float> b{{4, 3}, {5, 0.7f}};
  const auto path = hg::lerp(a, b, 5);
  REQUIRE(path.rows() == 10);
  CHECK(path.topRows(5) == hg::Matrix<float>{{0, 1}, {1, 1.5f}, {2, 2}, {3, 2.5f}, {4, 3}});
  CHECK(path.row(5) == a.row(1));
  CHECK(path.row(9) == b.row(1));
}

TEST_CASE("slerp keeps to the circle at even angles") {
  const hg::Matrix<double> a{{2, 0, 0}};
  const hg::Matrix<double> b{{0, 2, 0}};
  const auto path = hg::slerp(a, b, 4);
  const double s = std::sqrt(3.0);
  CHECK(difference(path, hg::Matrix<double>{{2, 0, 0}, {s, 1, 0}, {1, s, 0}, {0, 2, 0}}, {1e-14, 1e-14}) == "");
}

TEST_CASE("slerp between parallel, opposite and zero codes is lerp") {
  const hg::Matrix<float> a{{1, 2}, {1, 2}, {0, 0}, {1e-20f, 1}};
  const hg::Matrix<float> b{{2, 4}, {-3, -6}, {3, 1}, {0, 5}};
  CHECK(hg::slerp(a, b, 7) == hg::lerp(a, b, 7));
}

TEST_CASE("ends of different shapes, and too few steps, are refused") {
  const hg::Matrix<float> a(2, 3);
  CHECK_THROWS_WITH_AS((void)hg::lerp(a, hg::Matrix<float>(2, 2), 3), doctest::Contains("from (2, 3) to (2, 2)"),
                       hg::ShapeError);
  CHECK_THROWS_AS((void)hg::slerp(a, hg::Matrix<float>(1, 3), 3), hg::ShapeError);
  CHECK_THROWS_WITH_AS((void)hg::lerp(a, a, 1), doctest::Contains("1 steps"), hg::DataError);
}
