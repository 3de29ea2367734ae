// Binary cross-entropy on probabilities: l(y, t) = -(t log y + (1 - t) log(1 - y)).
#pragma once

#include <cmath>
#include <limits>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// A workspace whose model ends in a Sigmoid.
template <class T>
concept LogitGradientSource = requires(T& workspace, Index rows) {
  workspace.logit_gradient(rows);
};

namespace detail {

/// The values of a cross-entropy of y = sigmoid(x), with the gradient with respect to x.
template <class Loss>
struct BceOfLogits {
  static constexpr std::string_view name = Loss::name;
  const Loss& loss;
  Reduction reduction;
  HOURGLASS_SIMD(LossTerm<V> term(V output, V target) const, {
    return {loss.term(output, target).value, output - target};
  })
  template <class Scalar>
  void diagnose(const ConstMatrixView<Scalar>& output, const ConstMatrixView<Scalar>& target) const {
    loss.diagnose(output, target);
  }
};

}  // namespace detail

/// Cross-entropy of outputs in [0, 1], as a network that ends in a Sigmoid gives them; reduction `mean` by default.
/// Logarithms are clamped at -100 and the gradient (y - t) / (y (1 - y)) at a denominator of 1e-12, as in PyTorch's
/// nn.BCELoss. Throws DataError when an output lies outside [0, 1] or is NaN, or when a target is not finite.
/// Call forms: elementwise.hpp.
struct BCELoss {
  static constexpr std::string_view name = "BCELoss";
  Reduction reduction = Reduction::mean;

  HOURGLASS_SIMD(LossTerm<V> term(V output, V target) const, {
    const V one(1);
    const V variance = (one - output) * output;
    // NaN for an output outside [0, 1], so that diagnose gets to see it.
    const auto inside = (output >= V(0)) & (output <= one);
    const V value = fma(target - one, clamped_log(one - output), -(target * clamped_log(output)));
    return {select(inside, value, V(std::numeric_limits<typename V::Scalar>::quiet_NaN())),
            (output - target) / max(variance, V(typename V::Scalar(1e-12)))};
  })

  template <class Scalar>
  void diagnose(const ConstMatrixView<Scalar>& output, const ConstMatrixView<Scalar>& target) const {
    for (Index row = 0; row < output.rows(); ++row) {
      for (Index column = 0; column < output.cols(); ++column) {
        const Scalar y = output(row, column);
        if (!(y >= 0 && y <= 1))
          throw DataError(detail::message("BCELoss: the output in row ", row, ", column ", column, " is ", y,
                                          ", outside [0, 1]; end the network with a Sigmoid or use BCEWithLogitsLoss"));
        const Scalar t = target(row, column);
        if (!std::isfinite(t))
          throw DataError(detail::message("BCELoss: the target in row ", row, ", column ", column, " is ", t,
                                          "; targets must be finite, check the data"));
      }
    }
  }

  /// With the workspace of a model that ends in a Sigmoid: the exact gradient y - t of the logits, which neither
  /// vanishes nor explodes where y is 0 or 1.
  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    if constexpr ((LogitGradientSource<Sink> && ... && (sizeof...(Sink) == 1))) {
      auto logits = (gradient.logit_gradient(output.rows()), ...);
      return detail::elementwise_loss(detail::BceOfLogits<BCELoss>{*this, reduction}, output, target, logits);
    } else {
      return detail::elementwise_loss(*this, output, target, gradient...);
    }
  }

 private:
  // max(log x, -100) for x in [0, 1].
  HOURGLASS_SIMD(static V clamped_log(V x), {
    using Scalar = typename V::Scalar;
    // No normal float has a logarithm below -88.
    if constexpr (sizeof(Scalar) == 4)
      return select(x < V(std::numeric_limits<Scalar>::min()), V(-100), simd::log_of_normal(x));
    else
      return max(simd::log(x), V(-100));
  })
};

}  // namespace hourglass
