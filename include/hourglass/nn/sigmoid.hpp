// Sigmoid: y = 1 / (1 + e^-x).
#pragma once

#include <string_view>

#include "hourglass/core/math.hpp"

namespace hourglass {

/// Logistic function y = 1 / (1 + e^-x), with derivative y (1 - y).
struct Sigmoid {
  static constexpr std::string_view name = "Sigmoid";
  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    return math::sigmoid(x);
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar, Scalar y) const noexcept {
    return y * (1 - y);
  }
};

}  // namespace hourglass
