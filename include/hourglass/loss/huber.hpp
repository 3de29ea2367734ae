// Huber loss: l(d) = d^2 / 2 for |d| < delta, delta (|d| - delta / 2) beyond, with d = y - t.
#pragma once

#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// Squared error near the target, absolute error far from it; reduction `mean` by default. Throws DataError unless
/// delta > 0. Call forms: elementwise.hpp. PyTorch: nn.HuberLoss.
struct HuberLoss {
  static constexpr std::string_view name = "HuberLoss";
  Reduction reduction = Reduction::mean;
  double delta = 1.0;

  template <class Scalar>
  [[nodiscard]] LossTerm<Scalar> term(Scalar output, Scalar target) const noexcept {
    const auto d = static_cast<Scalar>(delta);
    const Scalar difference = output - target;
    const Scalar magnitude = difference < 0 ? -difference : difference;
    // min(|d|, delta): the gradient's magnitude, and half of it is what both branches of the value share.
    const Scalar slope = magnitude > d ? d : magnitude;
    return {slope * (magnitude - Scalar(0.5) * slope), difference < 0 ? -slope : slope};
  }

  void check_options() const {
    if (!(delta > 0)) throw DataError(detail::message("HuberLoss: delta must be above 0, it is ", delta));
  }

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    return detail::elementwise_loss(*this, output, target, gradient...);
  }
};

}  // namespace hourglass
