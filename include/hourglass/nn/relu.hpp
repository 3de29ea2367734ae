// ReLU: y = max(x, 0).
#pragma once

#include <string_view>

#include "hourglass/core/simd.hpp"

namespace hourglass {

/// Rectified linear unit y = max(x, 0); the derivative at 0 is 0. NaN stays NaN.
struct ReLU {
  static constexpr std::string_view name = "ReLU";
  static constexpr bool derivative_from_output = true;
  static constexpr bool silences_units = true;  // see train/dead_units.hpp
  HOURGLASS_SIMD(V value(V x) const, {
    const V zero(0);
    return select(x < zero, zero, x);
  })
  HOURGLASS_SIMD(V derivative(V, V y) const, { return select(y > V(0), V(1), V(0)); })
};

}  // namespace hourglass
