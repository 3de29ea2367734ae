#include "hourglass/metrics/normal_quantile.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "golden.hpp"

namespace hg = hourglass;

TEST_CASE("the quantile function agrees with SciPy from the far tail to the middle") {
  const Golden golden{"metrics"};
  const auto p = golden.values<double>("normal_p");
  const auto x = golden.values<double>("normal_x");
  for (std::size_t i = 0; i < p.size(); ++i) {
    CAPTURE(p[i]);
    CHECK(difference(hg::normal_quantile(p[i]), x[i], {1e-13, 1e-16}) == "");
  }
}

TEST_CASE("symmetry, the ends, and what lies beyond them") {
  CHECK(hg::normal_quantile(0.5) == 0);
  CHECK(hg::normal_quantile(0.25) == -hg::normal_quantile(0.75));
  CHECK(hg::normal_quantile(0) == -HUGE_VAL);
  CHECK(hg::normal_quantile(1) == HUGE_VAL);
  for (const double p : {-1e-9, 1.5, double{NAN}}) CHECK_THROWS_AS((void)hg::normal_quantile(p), hg::DataError);
}
