// Identity: y = x.
#pragma once

#include <string_view>

#include "hourglass/core/simd.hpp"

namespace hourglass {

/// y = x: a place that a network keeps free.
struct Identity {
  static constexpr std::string_view name = "Identity";
  static constexpr bool derivative_from_output = true;
  HOURGLASS_SIMD(V value(V x) const, { return x; })
  HOURGLASS_SIMD(V derivative(V, V) const, { return V(1); })
};

}  // namespace hourglass
