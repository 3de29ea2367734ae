// GELU: y = x Phi(x), with Phi the normal distribution function.
#pragma once

#include <string_view>

#include "hourglass/core/math.hpp"

namespace hourglass {

/// Gaussian error linear unit y = x Phi(x) = x (1 + erf(x / sqrt 2)) / 2 (PyTorch's approximate = 'none'), with
/// derivative Phi(x) + x phi(x).
struct GELU {
  static constexpr std::string_view name = "GELU";
  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    return x * distribution(x);
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar x, Scalar) const noexcept {
    const Scalar density = math::exp(Scalar(-0.5) * x * x) * Scalar(0.39894228040143267794);
    return distribution(x) + x * density;
  }

 private:
  template <class Scalar>
  static Scalar distribution(Scalar x) noexcept {
    return Scalar(0.5) * (1 + math::erf(x * Scalar(0.70710678118654752440)));
  }
};

}  // namespace hourglass
