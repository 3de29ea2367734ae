// ReLU: y = max(x, 0).
#pragma once

#include <string_view>

namespace hourglass {

/// Rectified linear unit y = max(x, 0); the derivative at 0 is 0. NaN stays NaN.
struct ReLU {
  static constexpr std::string_view name = "ReLU";
  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    return x < 0 ? Scalar(0) : x;
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar, Scalar y) const noexcept {
    return y > 0 ? Scalar(1) : Scalar(0);
  }
};

}  // namespace hourglass
