// What a loss with a penalty on the code comes to: loss = reconstruction + penalty.
#pragma once

#include <array>
#include <string_view>

#include "hourglass/core/extent.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// The loss of a batch and its terms: loss = reconstruction + penalty.
template <class Scalar>
struct PenalizedTerms {
  Scalar loss = 0;
  Scalar reconstruction = 0;
  Scalar penalty = 0;

  static constexpr std::array<std::string_view, 2> names{"reconstruction", "penalty"};
  [[nodiscard]] std::array<double, 2> parts() const noexcept { return {double{reconstruction}, double{penalty}}; }
};

namespace detail {

/// What a penalty that is an average over the batch is multiplied with so that it goes with a reconstruction loss.
[[nodiscard]] inline double penalty_scale(Reduction reduction, Index rows) noexcept {
  return reduction == Reduction::sum ? static_cast<double>(rows) : 1.0;
}

}  // namespace detail
}  // namespace hourglass
