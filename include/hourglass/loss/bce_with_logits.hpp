// Binary cross-entropy on logits: l(x, t) = max(x, 0) - x t + log(1 + e^-|x|), gradient sigmoid(x) - t.
#pragma once

#include <cmath>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// Cross-entropy of sigmoid(x), finite and with an exact gradient however large the logit x; reduction `mean` by
/// default. `pos_weight` p multiplies the positive part: l = (1 - t) x + (1 + (p - 1) t) log(1 + e^-x). Throws
/// DataError unless p is finite and not negative. Call forms: elementwise.hpp. PyTorch: nn.BCEWithLogitsLoss.
struct BCEWithLogitsLoss {
  static constexpr std::string_view name = "BCEWithLogitsLoss";
  Reduction reduction = Reduction::mean;
  double pos_weight = 1.0;

  HOURGLASS_SIMD(LossTerm<V> term(V logit, V target) const, {
    const V p(static_cast<typename V::Scalar>(pos_weight));
    const V zero(0);
    const V one(1);
    const V e = simd::exp(-abs(logit));
    const V sigmoid = select(logit < zero, e, one) / (one + e);
    const V softplus = simd::log1p(e) + select(logit < zero, -logit, zero);  // log(1 + e^-x)
    const V weight = fma(p - one, target, one);
    return {fma(weight, softplus, (one - target) * logit), fma(weight, sigmoid, -(p * target))};
  })

  void check_options() const {
    if (!(pos_weight >= 0 && std::isfinite(pos_weight)))
      throw DataError(
          detail::message("BCEWithLogitsLoss: pos_weight must be finite and not negative, it is ", pos_weight));
  }

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    return detail::elementwise_loss(*this, output, target, gradient...);
  }
};

}  // namespace hourglass
