// Sigmoid: y = 1 / (1 + e^-x).
#pragma once

#include <string_view>

#include "hourglass/core/simd_math.hpp"

namespace hourglass {

/// Logistic function y = 1 / (1 + e^-x), with derivative y (1 - y).
struct Sigmoid {
  static constexpr std::string_view name = "Sigmoid";
  static constexpr bool derivative_from_output = true;
  HOURGLASS_SIMD(V value(V x) const, { return simd::sigmoid(x); })
  HOURGLASS_SIMD(V derivative(V, V y) const, { return y * (V(1) - y); })
};

}  // namespace hourglass
