// Gaussian negative log-likelihood: l(mean, t, v) = (log max(v, eps) + (mean - t)^2 / max(v, eps)) / 2.
#pragma once

#include <cmath>
#include <string_view>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// -log N(target; mean, variance), without the constant log(2 pi) / 2 unless `full`; reduction `mean` by default.
/// Variances are clamped at eps; as in PyTorch's nn.GaussianNLLLoss the clamp is hidden from the gradient, which is
/// that at the clamped value. Throws DataError when a variance is negative or NaN, or unless eps > 0.
struct GaussianNLLLoss {
  static constexpr std::string_view name = "GaussianNLLLoss";
  Reduction reduction = Reduction::mean;
  bool full = false;
  double eps = 1e-6;

  /// Value only; mean, target and variance have the same shape (batch, features).
  template <Batch Mean, BatchLike<Mean> Target, BatchLike<Mean> Variance>
  typename Mean::Scalar operator()(const Mean& mean, const Target& target, const Variance& variance) const {
    using Scalar = typename Mean::Scalar;
    return run<Scalar>(mean, target, variance, nullptr, nullptr);
  }

  /// Value; writes d value / d mean and d value / d variance, each (batch, features).
  template <Batch Mean, BatchLike<Mean> Target, BatchLike<Mean> Variance, GradientSink<typename Mean::Scalar> MeanSink,
            GradientSink<typename Mean::Scalar> VarianceSink>
  typename Mean::Scalar operator()(const Mean& mean, const Target& target, const Variance& variance,
                                   MeanSink&& mean_gradient, VarianceSink&& variance_gradient) const {
    using Scalar = typename Mean::Scalar;
    return run<Scalar>(mean, target, variance,
                       detail::gradient_data<Scalar>(name, mean.rows(), mean.cols(), mean_gradient),
                       detail::gradient_data<Scalar>(name, mean.rows(), mean.cols(), variance_gradient));
  }

 private:
  template <class Scalar>
  struct Terms {
    const Scalar* mean;
    const Scalar* target;
    const Scalar* variance;
    Scalar* mean_gradient;  // null: no gradients
    Scalar* variance_gradient;
    Scalar half_scale;
    Scalar eps;
    HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
      // A negative variance is not clamped: its logarithm is NaN, which is what calls diagnose.
      const V given = V::load(variance + i, n);
      const V lowest(eps);
      const V clamped = select((given < lowest) & (given >= V(0)), lowest, given);
      const V difference = V::load(mean + i, n) - V::load(target + i, n);
      const V inverse = V(1) / clamped;
      const V ratio = difference * inverse;
      if (mean_gradient != nullptr) {
        const V half(half_scale);
        ((half + half) * ratio).store(mean_gradient + i, n);
        (half * fma(-ratio, ratio, inverse)).store(variance_gradient + i, n);
      }
      return fma(difference, ratio, simd::log(clamped));
    })
  };

  template <class Scalar>
  Scalar run(const ConstMatrixView<Scalar>& mean, const ConstMatrixView<Scalar>& target,
             const ConstMatrixView<Scalar>& variance, Scalar* mean_gradient, Scalar* variance_gradient) const {
    detail::check_loss_shapes(name, "target", mean, target);
    detail::check_loss_shapes(name, "variance", mean, variance);
    if (!(eps > 0)) throw DataError(detail::message("GaussianNLLLoss: eps must be above 0, it is ", eps));
    const double scale = reduction_scale(reduction, mean.rows(), mean.cols());
    const Terms<Scalar> terms{mean.data(),
                              target.data(),
                              variance.data(),
                              mean_gradient,
                              variance_gradient,
                              static_cast<Scalar>(0.5 * scale),
                              static_cast<Scalar>(eps)};
    const double sum = parallel_vector_sum<Scalar>(mean.size(), terms);
    if (!std::isfinite(sum)) diagnose(variance);
    const double log_two_pi = full ? 1.8378770664093454836 * static_cast<double>(mean.size()) : 0.0;
    return static_cast<Scalar>(0.5 * scale * (sum + log_two_pi));
  }

  template <class Scalar>
  static void diagnose(const ConstMatrixView<Scalar>& variance) {
    for (Index row = 0; row < variance.rows(); ++row)
      for (Index column = 0; column < variance.cols(); ++column)
        if (!(variance(row, column) >= 0))
          throw DataError(detail::message("GaussianNLLLoss: the variance in row ", row, ", column ", column, " is ",
                                          variance(row, column),
                                          "; variances must not be negative, use exp or Softplus to make them"));
  }
};

}  // namespace hourglass
