// ELU: y = x for x > 0, alpha (e^x - 1) otherwise.
#pragma once

#include <string_view>

#include "hourglass/core/math.hpp"

namespace hourglass {

/// Exponential linear unit: y = x for x > 0 and alpha (e^x - 1) otherwise, where the derivative is y + alpha.
struct ELU {
  static constexpr std::string_view name = "ELU";
  double alpha = 1;

  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    return x > 0 ? x : static_cast<Scalar>(alpha) * math::expm1(x > 0 ? Scalar(0) : x);
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar x, Scalar y) const noexcept {
    return x > 0 ? Scalar(1) : y + static_cast<Scalar>(alpha);
  }
};

}  // namespace hourglass
