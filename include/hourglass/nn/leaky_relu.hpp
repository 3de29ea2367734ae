// LeakyReLU: y = x for x > 0, negative_slope * x otherwise.
#pragma once

#include <string_view>

namespace hourglass {

/// y = x for x > 0 and negative_slope * x otherwise; the derivative at 0 is negative_slope.
struct LeakyReLU {
  static constexpr std::string_view name = "LeakyReLU";
  double negative_slope = 0.01;

  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    return x > 0 ? x : static_cast<Scalar>(negative_slope) * x;
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar x, Scalar) const noexcept {
    return x > 0 ? Scalar(1) : static_cast<Scalar>(negative_slope);
  }
};

}  // namespace hourglass
