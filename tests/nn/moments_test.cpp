#include "hourglass/nn/moments.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

namespace hg = hourglass;

TEST_CASE("normalising is exact where the mean is no float, whatever the guess") {
  const std::array<float, 4> x{100000.0F, 100000.0F, 100000.0F, 100000.0078125F};
  const double mean = 100000.001953125;  // between two floats, 0.0078125 apart
  const double variance = 3.0 / 16 * 0.0078125 * 0.0078125;
  for (const float guess : {100000.0F, 100000.0078125F, 100001.0F}) {
    double sum = 0, squares = 0;
    for (const float value : x) {
      const double d = double{value} - double{guess};
      sum += d;
      squares += d * d;
    }
    const auto moments = hg::detail::moments_around(guess, sum, squares, 4, 0);
    CHECK(moments.centre == 100000.0F);
    CHECK(moments.variance == doctest::Approx(variance).epsilon(1e-8));
    CHECK(moments.inverse == doctest::Approx(1 / std::sqrt(variance)).epsilon(1e-7));
    const float y = (x[3] - moments.centre) * moments.inverse + moments.offset;
    CHECK(y == doctest::Approx((double{x[3]} - mean) / std::sqrt(variance)).epsilon(1e-6));
  }
}

TEST_CASE("a variance is never negative, and eps bounds its inverse; NaN stays NaN") {
  const auto constant = hg::detail::moments_around(3.0, 0.3, 0.009 - 1e-18, 10, 1e-5);
  CHECK(constant.variance >= 0);
  CHECK(constant.inverse == doctest::Approx(1 / std::sqrt(1e-5)));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(hg::detail::moments_around(0.0, nan, nan, 2, 1e-5).inverse));
}
