// Absolute error: l(y, t) = |y - t|.
#pragma once

#include <string_view>

#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// Absolute error; reduction `mean` by default. Its gradient is the sign of y - t, 0 where they are equal. Call
/// forms: elementwise.hpp. PyTorch: nn.L1Loss.
struct L1Loss {
  static constexpr std::string_view name = "L1Loss";
  Reduction reduction = Reduction::mean;

  HOURGLASS_SIMD(LossTerm<V> term(V output, V target) const, {
    const V difference = output - target;
    const V zero(0);
    return {abs(difference), select(difference > zero, V(1), select(difference < zero, V(-1), zero))};
  })

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    return detail::elementwise_loss(*this, output, target, gradient...);
  }
};

}  // namespace hourglass
