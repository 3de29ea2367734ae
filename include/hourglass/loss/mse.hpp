// Mean squared error: l(y, t) = (y - t)^2.
#pragma once

#include <string_view>

#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// Squared error; reduction `mean` by default. Call forms: elementwise.hpp. PyTorch: nn.MSELoss.
struct MSELoss {
  static constexpr std::string_view name = "MSELoss";
  Reduction reduction = Reduction::mean;

  HOURGLASS_SIMD(LossTerm<V> term(V output, V target) const, {
    const V difference = output - target;
    return {difference * difference, difference + difference};
  })

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    return detail::elementwise_loss(*this, output, target, gradient...);
  }
};

}  // namespace hourglass
