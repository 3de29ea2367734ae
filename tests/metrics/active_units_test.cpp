#include "hourglass/metrics/active_units.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace hg = hourglass;

TEST_CASE("variances of codes, and which of them are above the threshold") {
  const hg::Matrix<float> codes{{1, 0.5f, -0.05f}, {3, 0.5f, 0.05f}, {1, 0.5f, -0.05f}, {3, 0.5f, 0.05f}};
  const auto variances = hg::code_variances(codes);
  REQUIRE(variances.size() == 3);
  CHECK(variances[0] == 1);
  CHECK(variances[1] == 0);
  CHECK(variances[2] == doctest::Approx(0.0025));
  CHECK(hg::active_units(codes) == 1);
  CHECK(hg::active_units(codes, 0.002) == 2);
  CHECK(hg::active_units(codes, 2) == 0);
}

TEST_CASE("a large mean does not hide a small variance") {
  hg::Matrix<double> codes(1000, 1);
  for (hg::Index i = 0; i < 1000; ++i) codes(i, 0) = 1e6 + 0.2 * static_cast<double>(i % 2);
  CHECK(hg::code_variances(codes)[0] == doctest::Approx(0.01).epsilon(1e-6));
}

TEST_CASE("no samples, and codes that are not finite, are refused") {
  CHECK_THROWS_WITH_AS((void)hg::active_units(hg::Matrix<float>{{1, NAN}, {2, 0}}), doctest::Contains("column 1"),
                       hg::DataError);
  CHECK_THROWS_AS((void)hg::active_units(hg::Matrix<float>(0, 2)), hg::DataError);
}
