// Gaussian likelihood of learned width: l(m, s, t) = -log N(t; m, e^s) = ((m - t)^2 e^-s + s + log(2 pi)) / 2.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/kl_divergence.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

namespace detail {

/// The terms of one row, and on the way their gradients times `scale` unless dmean is null.
template <class Scalar>
struct LearnedGaussianTerms {
  const Scalar* mean;
  const Scalar* logvar;
  const Scalar* target;
  Scalar* dmean;
  Scalar* dlogvar;
  Scalar scale;
  Scalar lowest;
  Scalar highest;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const V half(Scalar(0.5));
    const V given = V::load(logvar + i, n);
    const V used = min(V(highest), max(V(lowest), given));
    const V difference = V::load(mean + i, n) - V::load(target + i, n);
    const V ratio = difference * simd::exp(-used);
    if (dmean != nullptr) {
      (V(scale) * ratio).store(dmean + i, n);
      select(used == given, V(scale) * (half * fma(-difference, ratio, V(1))), V(0)).store(dlogvar + i, n);
    }
    return half * fma(difference, ratio, used + V(Scalar(1.8378770664093454836)));
  })
};

}  // namespace detail

/// -log p(t | m, s) of a decoder that gives the mean m and the log-variance s of every feature: its output (batch, 2
/// features) holds the means, then the log-variances, and the target is (batch, features). Log-variances are used
/// within [min_logvar, max_logvar]; outside they have gradient 0. Reduction `mean` by default, over batch and features.
/// Throws ShapeError unless the output is twice as wide as the target, DataError unless min_logvar < max_logvar.
/// A network makes such outputs with a last Linear of double width, or with LearnedVariance.
struct LearnedGaussianLoss {
  static constexpr std::string_view name = "LearnedGaussianLoss";
  Reduction reduction = Reduction::mean;
  double min_logvar = hourglass::min_logvar;
  double max_logvar = hourglass::max_logvar;

  /// Value; its gradient goes to `gradient` (batch, 2 features) or to a workspace.
  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    using Scalar = typename Output::Scalar;
    static_assert(sizeof...(Sink) <= 1, "a loss is called with output, target and at most one place for the gradient");
    const ConstMatrixView<Scalar> given(output);
    const ConstMatrixView<Scalar> wanted(target);
    const Index rows = wanted.rows();
    const Index features = wanted.cols();
    check_shapes(given.rows(), given.cols(), rows, features);
    Scalar* to = nullptr;
    ((to = detail::gradient_data<Scalar>(name, rows, 2 * features, gradient)), ...);
    const double scale = reduction_scale(reduction, rows, features);
    const double sum = parallel_sum(rows, [&](Index begin, Index end) {
      double part = 0;
      for (Index row = begin; row < end; ++row) {
        const auto terms = row_terms(given.data() + row * 2 * features, wanted.data() + row * features, features,
                                     to == nullptr ? nullptr : to + row * 2 * features, static_cast<Scalar>(scale));
        double row_sum = 0;
        simd::dispatch<Scalar>(detail::VectorSum<decltype(terms)>{0, features, terms, &row_sum});
        part += row_sum;
      }
      return part;
    });
    return static_cast<Scalar>(sum * scale);
  }

  /// The terms of one row for vector_sum; their gradients times `scale` go to `gradient` unless it is null.
  template <class Scalar>
  [[nodiscard]] detail::LearnedGaussianTerms<Scalar> row_terms(const Scalar* output, const Scalar* target,
                                                               Index features, Scalar* gradient, Scalar scale) const {
    return {output,
            output + features,
            target,
            gradient,
            gradient == nullptr ? nullptr : gradient + features,
            scale,
            static_cast<Scalar>(min_logvar),
            static_cast<Scalar>(max_logvar)};
  }

 private:
  void check_shapes(Index rows, Index cols, Index target_rows, Index features) const {
    if (rows != target_rows || cols != 2 * features)
      throw ShapeError(detail::message(name, ": the output has shape ", shape_string(rows, cols), ", the target ",
                                       shape_string(target_rows, features),
                                       "; the output holds mean and log-variance, so it is twice as wide"));
    if (target_rows == 0 || features == 0)
      throw DataError(detail::message(name, ": the batch of shape ", shape_string(target_rows, features),
                                      " is empty; leave empty batches out"));
    if (!(min_logvar < max_logvar))
      throw DataError(detail::message(name, ": min_logvar is ", min_logvar, ", max_logvar ", max_logvar,
                                      "; the first must be less"));
  }
};

}  // namespace hourglass
