#include "hourglass/metrics/quantile.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "golden.hpp"

namespace hg = hourglass;

TEST_CASE("quantiles agree with NumPy") {
  const Golden golden{"metrics"};
  const auto scores = golden.values<double>("scores");
  const auto levels = golden.values<double>("levels");
  const auto expected = golden.values<double>("quantiles");
  for (std::size_t i = 0; i < levels.size(); ++i) {
    CAPTURE(levels[i]);
    CHECK(hg::quantile(scores, levels[i]) == doctest::Approx(expected[i]).epsilon(1e-14));
  }
  CHECK(hg::quantile(std::vector<float>{3, 1}, 0.25) == 1.5);
  CHECK(hg::quantile(std::vector<float>{7}, 0.25) == 7);
}

TEST_CASE("share_above counts what a threshold lets through") {
  const std::vector<double> scores{4, 1, 2, 3};
  CHECK(hg::share_above(scores, 2) == 0.5);
  CHECK(hg::share_above(scores, 0) == 1);
  CHECK(hg::share_above(scores, hg::quantile(scores, 1)) == 0);
}

TEST_CASE("no values, NaN and a q outside of [0, 1] are refused") {
  const std::vector<double> none;
  CHECK_THROWS_WITH_AS((void)hg::quantile(none, 0.5), doctest::Contains("no scores"), hg::DataError);
  CHECK_THROWS_WITH_AS((void)hg::quantile(std::vector<double>{1, NAN}, 0.5), doctest::Contains("score 1 is NaN"),
                       hg::DataError);
  for (const double q : {-0.1, 1.1, double{NAN}})
    CHECK_THROWS_AS((void)hg::quantile(std::vector<double>{1}, q), hg::DataError);
  CHECK_THROWS_AS((void)hg::share_above(none, 0), hg::DataError);
}
