// Moments: mean and variance of a set of numbers, and how to normalise with them without losing digits.
#pragma once

#include <cmath>

namespace hourglass::detail {

/// What makes (x - mean) / sqrt(variance + eps) of a number x: (x - centre) * inverse + offset. The mean of numbers
/// near 1e4 has an error of 1e-3 when it is rounded to float; centre is that float, and offset holds what it lacks.
template <class Scalar>
struct Moments {
  Scalar centre;
  Scalar inverse;   // 1 / sqrt(variance + eps)
  Scalar offset;    // (centre - mean) inverse
  double variance;  // biased
};

/// Moments of n numbers x from the sums of d = x - guess and of d^2. For a guess near the mean, such as its rounded
/// value, nothing cancels: T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance", 1983.
template <class Scalar>
[[nodiscard]] Moments<Scalar> moments_around(Scalar guess, double sum, double squares, double n, double eps) {
  const double shift = sum / n;
  const double raw = std::fma(-shift, sum, squares) / n;
  const double variance = raw < 0 ? 0.0 : raw;
  const auto centre = static_cast<Scalar>(double{guess} + shift);
  const double inverse = 1 / std::sqrt(variance + eps);
  const double lacking = (double{centre} - double{guess}) - shift;
  return {centre, static_cast<Scalar>(inverse), static_cast<Scalar>(lacking * inverse), variance};
}

}  // namespace hourglass::detail
