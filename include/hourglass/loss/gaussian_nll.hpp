// Gaussian negative log-likelihood: l(mean, t, v) = (log max(v, eps) + (mean - t)^2 / max(v, eps)) / 2.
#pragma once

#include <cmath>
#include <string_view>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/math.hpp"
#include "hourglass/core/matrix.hpp"
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
  Scalar run(const ConstMatrixView<Scalar>& mean, const ConstMatrixView<Scalar>& target,
             const ConstMatrixView<Scalar>& variance, Scalar* mean_gradient, Scalar* variance_gradient) const {
    detail::check_loss_shapes(name, "target", mean, target);
    detail::check_loss_shapes(name, "variance", mean, variance);
    if (!(eps > 0)) throw DataError(detail::message("GaussianNLLLoss: eps must be above 0, it is ", eps));
    const double scale = reduction_scale(reduction, mean.rows(), mean.cols());
    const Scalar half_scale = static_cast<Scalar>(0.5 * scale);
    const auto lowest = static_cast<Scalar>(eps);
    const Scalar *m = mean.data(), *t = target.data(), *v = variance.data();
    const double sum = parallel_block_sum<Scalar>(mean.size(), [&](Index first, auto count, Scalar* values) {
      Scalar mean_block[block_size];
      Scalar variance_block[block_size];
      for (Index i = 0; i < count; ++i) {
        // A negative variance is not clamped: its logarithm is NaN, which is what calls diagnose.
        const Scalar given = v[first + i];
        const Scalar clamped = given < lowest && given >= 0 ? lowest : given;
        const Scalar difference = m[first + i] - t[first + i];
        const Scalar inverse = 1 / clamped;
        const Scalar ratio = difference * inverse;
        values[i] = math::log(clamped) + difference * ratio;
        mean_block[i] = 2 * half_scale * ratio;
        variance_block[i] = half_scale * (inverse - ratio * ratio);
      }
      if (mean_gradient != nullptr) {
        for (Index i = 0; i < count; ++i) mean_gradient[first + i] = mean_block[i];
        for (Index i = 0; i < count; ++i) variance_gradient[first + i] = variance_block[i];
      }
    });
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
