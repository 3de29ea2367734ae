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

  HOURGLASS_SIMD(LossTerm<V> term(V output, V target) const, {
    const V difference = output - target;
    const V magnitude = abs(difference);
    // min(|d|, delta): the gradient's magnitude, and half of it is what both branches of the value share.
    const V d(static_cast<typename V::Scalar>(delta));
    const V slope = select(magnitude > d, d, magnitude);
    return {slope * fma(V(typename V::Scalar(-0.5)), slope, magnitude), select(difference < V(0), -slope, slope)};
  })

  void check_options() const {
    if (!(delta > 0)) throw DataError(detail::message("HuberLoss: delta must be above 0, it is ", delta));
  }

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    return detail::elementwise_loss(*this, output, target, gradient...);
  }
};

}  // namespace hourglass
