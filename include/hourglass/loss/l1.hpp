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

  template <class Scalar>
  [[nodiscard]] LossTerm<Scalar> term(Scalar output, Scalar target) const noexcept {
    const Scalar difference = output - target;
    const Scalar positive = difference > 0 ? Scalar(1) : Scalar(0);
    const Scalar negative = difference < 0 ? Scalar(1) : Scalar(0);
    return {difference < 0 ? -difference : difference, positive - negative};
  }

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    return detail::elementwise_loss(*this, output, target, gradient...);
  }
};

}  // namespace hourglass
