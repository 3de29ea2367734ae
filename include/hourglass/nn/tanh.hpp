// Tanh: y = (e^x - e^-x) / (e^x + e^-x).
#pragma once

#include <string_view>

#include "hourglass/core/simd_math.hpp"

namespace hourglass {

/// Hyperbolic tangent, with derivative 1 - y^2.
struct Tanh {
  static constexpr std::string_view name = "Tanh";
  static constexpr bool derivative_from_output = true;
  HOURGLASS_SIMD(V value(V x) const, { return simd::tanh(x); })
  HOURGLASS_SIMD(V derivative(V, V y) const, { return fma(-y, y, V(1)); })
};

}  // namespace hourglass
