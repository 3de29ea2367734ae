// Tanh: y = (e^x - e^-x) / (e^x + e^-x).
#pragma once

#include <string_view>

#include "hourglass/core/math.hpp"

namespace hourglass {

/// Hyperbolic tangent, with derivative 1 - y^2.
struct Tanh {
  static constexpr std::string_view name = "Tanh";
  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    return math::tanh(x);
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar, Scalar y) const noexcept {
    return 1 - y * y;
  }
};

}  // namespace hourglass
