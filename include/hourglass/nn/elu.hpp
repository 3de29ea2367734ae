// ELU: y = x for x > 0, alpha (e^x - 1) otherwise.
#pragma once

#include <string_view>

#include "hourglass/core/simd_math.hpp"

namespace hourglass {

/// Exponential linear unit: y = x for x > 0 and alpha (e^x - 1) otherwise, where the derivative is y + alpha.
struct ELU {
  static constexpr std::string_view name = "ELU";
  double alpha = 1;

  HOURGLASS_SIMD(V value(V x) const, {
    const V zero(0);
    return select(x > zero, x, V(static_cast<typename V::Scalar>(alpha)) * simd::expm1(select(x > zero, zero, x)));
  })
  HOURGLASS_SIMD(V derivative(V x, V y) const,
                 { return select(x > V(0), V(1), y + V(static_cast<typename V::Scalar>(alpha))); })
};

}  // namespace hourglass
