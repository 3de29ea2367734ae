// Identity: y = x.
#pragma once

#include <string_view>

namespace hourglass {

/// y = x: a place that a network keeps free.
struct Identity {
  static constexpr std::string_view name = "Identity";
  template <class Scalar>
  [[nodiscard]] Scalar value(Scalar x) const noexcept {
    return x;
  }
  template <class Scalar>
  [[nodiscard]] Scalar derivative(Scalar, Scalar) const noexcept {
    return 1;
  }
};

}  // namespace hourglass
