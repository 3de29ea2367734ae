// Softplus: y = log(1 + e^(beta x)) / beta.
#pragma once

#include <string_view>

#include "hourglass/core/math.hpp"

namespace hourglass {

/// Smooth ReLU y = log(1 + e^(beta x)) / beta; the identity where beta x > threshold, as in PyTorch. Derivative
/// 1 - e^(-beta y), which is sigmoid(beta x).
struct Softplus {
  static constexpr std::string_view name = "Softplus";
  double beta = 1;
  double threshold = 20;

  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    const auto b = static_cast<Scalar>(beta);
    return b * x > static_cast<Scalar>(threshold) ? x : math::softplus(b * x) / b;
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar x, Scalar) const noexcept {
    const auto b = static_cast<Scalar>(beta);
    return b * x > static_cast<Scalar>(threshold) ? Scalar(1) : math::sigmoid(b * x);
  }
};

}  // namespace hourglass
