// LeakyReLU: y = x for x > 0, negative_slope * x otherwise.
#pragma once

#include <string_view>

#include "hourglass/core/simd.hpp"

namespace hourglass {

/// y = x for x > 0 and negative_slope * x otherwise; the derivative at 0 is negative_slope.
struct LeakyReLU {
  static constexpr std::string_view name = "LeakyReLU";
  double negative_slope = 0.01;

  HOURGLASS_SIMD(V value(V x) const, { return select(x > V(0), x, slope<V>() * x); })
  HOURGLASS_SIMD(V derivative(V x, V) const, { return select(x > V(0), V(1), slope<V>()); })

 private:
  HOURGLASS_SIMD(V slope() const, { return V(static_cast<typename V::Scalar>(negative_slope)); })
};

}  // namespace hourglass
