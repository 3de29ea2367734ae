// Quantile function of the standard normal distribution: the x with P(Z <= x) = p.
//
// A rational approximation (P. Acklam 2003, relative error 1.2e-9), then one step of Halley's method on
// Phi(x) = erfc(-x / sqrt(2)) / 2, which leaves rounding errors only.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "hourglass/core/error.hpp"

namespace hourglass {

/// x with Phi(x) = p; -infinity at 0, infinity at 1. Throws DataError unless p lies in [0, 1].
[[nodiscard]] inline double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) throw DataError(detail::message("normal_quantile: p must lie in [0, 1], it is ", p));
  if (p == 0 || p == 1) return (p == 0 ? -1 : 1) * std::numeric_limits<double>::infinity();
  if (p > 0.5) return -normal_quantile(1 - p);
  double x = 0;
  if (p < 0.02425) {
    const double q = std::sqrt(-2 * std::log(p));
    x = (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q -
           2.549732539343734e+00) *
              q +
          4.374664141464968e+00) *
             q +
         2.938163982698783e+00) /
        ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q +
          3.754408661907416e+00) *
             q +
         1);
  } else {
    const double q = p - 0.5;
    const double r = q * q;
    x = (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r +
           1.383577518672690e+02) *
              r -
          3.066479806614716e+01) *
             r +
         2.506628277459239e+00) *
        q /
        (((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r +
           6.680131188771972e+01) *
              r -
          1.328068155288572e+01) *
             r +
         1);
  }
  const double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - p;
  const double u = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x - u / (1 + x * u / 2);
}

}  // namespace hourglass
