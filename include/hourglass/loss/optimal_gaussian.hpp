// Gaussian likelihood of the best width: l(y, t) = -log N(t; y, s^2), where s^2 is the mean of (y - t)^2 over the
// batch, the variance that makes the batch most likely.
//
// O. Rybkin, K. Daniilidis, S. Levine, "Simple and effective VAE training with calibrated decoders", 2021 (sigma-VAE).
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/fixed_gaussian.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// -log p(t | y) of a decoder whose output y is the mean of a Gaussian with one standard deviation for all features,
/// fitted to each batch and at least `min_sigma`; reduction `mean` by default. It needs no weight against a KL term.
/// The gradient is exact: at the best s, that of the likelihood with respect to s is zero. Throws DataError unless
/// min_sigma is finite and above 0. Call forms: elementwise.hpp.
struct OptimalGaussianLoss {
  static constexpr std::string_view name = "OptimalGaussianLoss";
  Reduction reduction = Reduction::mean;
  double min_sigma = 1e-3;

  /// s for a batch.
  template <Batch Output, BatchLike<Output> Target>
  [[nodiscard]] double sigma(const Output& output, const Target& target) const {
    if (!(min_sigma > 0 && std::isfinite(min_sigma)))
      throw DataError(detail::message("OptimalGaussianLoss: min_sigma must be finite and above 0, it is ", min_sigma));
    const auto mean = static_cast<double>(MSELoss{}(output, target));
    return std::isnan(mean) ? mean : std::max(min_sigma, std::sqrt(mean));
  }

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    const double best = sigma(output, target);
    // Not finite: the loss is not either, which is what whoever trains checks.
    const FixedGaussianLoss loss{reduction, std::isfinite(best) ? best : 1.0};
    return loss(output, target, gradient...);
  }
};

}  // namespace hourglass
