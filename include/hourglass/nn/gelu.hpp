// GELU: y = x Phi(x), with Phi the normal distribution function.
#pragma once

#include <string_view>

#include "hourglass/core/simd_math.hpp"

namespace hourglass {

/// Gaussian error linear unit y = x Phi(x) = x (1 + erf(x / sqrt 2)) / 2 (PyTorch's approximate = 'none'), with
/// derivative Phi(x) + x phi(x).
struct GELU {
  static constexpr std::string_view name = "GELU";
  HOURGLASS_SIMD(V value(V x) const, { return simd::gelu(x); })
  HOURGLASS_SIMD(V derivative(V x, V) const, { return simd::gelu_derivative(x); })
};

}  // namespace hourglass
