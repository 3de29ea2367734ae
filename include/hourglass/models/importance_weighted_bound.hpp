// Importance-weighted bound: loss = -log 1/k sum_i w_i,  w_i = p(x|z_i) p(z_i) / q(z_i|x),  z_1 ... z_k ~ q(z|x).
//
// With z_i = mu + e^(logvar/2) noise_i the weights are e^(log p(x|z_i) + 1/2 sum_j (noise_ij^2 + logvar_j - z_ij^2)).
// The gradient is that of sum_i v_i log w_i with the shares v_i = w_i / sum w_i held fixed (Burda et al. 2016, equation
// 14), through the noise. k = 1 is the ELBO with a sampled KL term; the bound rises with k, to log p(x).
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/kl_divergence.hpp"
#include "hourglass/loss/reduction.hpp"
#include "hourglass/loss/rows.hpp"
#include "hourglass/models/negative_elbo.hpp"

namespace hourglass {

namespace detail {

/// 1/2 (noise^2 + logvar - z^2): the terms of log p(z) / q(z|x).
template <class Scalar>
struct LatentLogRatio {
  const Scalar* logvar;
  const Scalar* noise;
  const Scalar* z;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const V latent = V::load(z + i, n);
    const V draw = V::load(noise + i, n);
    return V(Scalar(0.5)) * fma(-latent, latent, fma(draw, draw, clamp_logvar(V::load(logvar + i, n))));
  })
};

/// log p(z) / q(z|x) for one draw.
template <class Scalar>
[[nodiscard]] double latent_log_ratio(Index latent, const Scalar* logvar, const Scalar* noise, const Scalar* z) {
  const LatentLogRatio<Scalar> terms{logvar, noise, z};
  double sum = 0;
  simd::dispatch<Scalar>(VectorSum<LatentLogRatio<Scalar>>{0, latent, terms, &sum});
  return sum;
}

/// Gradient of -sum_i v_i log p(z_i) / q(z_i|x) for one row, times `scale`: dmu = sum_i v_i z_i,
/// dlogvar = 1/2 (sum_i v_i z_i noise_i e^(logvar/2) - 1), the latter only where logvar is not clamped.
template <class Scalar>
struct LatentLogRatioGradient {
  Index samples;
  Index latent;
  const Scalar* logvar;
  const Scalar* noise;   // (samples, latent)
  const Scalar* z;       // (samples, latent)
  const Scalar* shares;  // (samples)
  Scalar scale;
  Scalar* dmu;
  Scalar* dlogvar;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index j = 0; j < latent; j += V::lanes) {
      const Index n = std::min<Index>(V::lanes, latent - j);
      const V given = V::load(logvar + j, n);
      const V used = clamp_logvar(given);
      V mean(0);
      V slope(0);
      for (Index i = 0; i < samples; ++i) {
        const V share(shares[i]);
        const V draw = V::load(z + i * latent + j, n);
        mean = fma(share, draw, mean);
        slope = fma(share * draw, V::load(noise + i * latent + j, n), slope);
      }
      (V(scale) * mean).store(dmu + j, n);
      const V change = V(Scalar(0.5)) * fma(slope, simd::exp(V(Scalar(0.5)) * used), V(-1));
      select(used == given, V(scale) * change, V(0)).store(dlogvar + j, n);
    }
  })
};

}  // namespace detail

/// Loss of an ImportanceWeightedAutoencoder with k samples, averaged over the batch. `Reconstruction` is a loss whose
/// terms are those of -log p(x|z), summed here over features: BCELoss, BCEWithLogitsLoss, FixedGaussianLoss or
/// LearnedGaussianLoss. The terms of a result: `loss`, and the averages over all draws of -log p(x|z)
/// (`reconstruction`) and log q(z|x) / p(z) (`kl`); their sum exceeds the loss by what the weighting gains.
template <RowwiseLoss Reconstruction = BCELoss>
class ImportanceWeightedBound {
 public:
  static constexpr std::string_view name = "ImportanceWeightedBound";
  static constexpr Reduction reduction = Reduction::batchmean;

  /// Throws DataError where `reconstruction` refuses its options.
  explicit ImportanceWeightedBound(Reconstruction reconstruction = {}) : reconstruction_{std::move(reconstruction)} {
    if constexpr (requires { reconstruction_.check_options(); }) reconstruction_.check_options();
  }

  [[nodiscard]] const Reconstruction& reconstruction() const noexcept { return reconstruction_; }

  /// Terms of the batch whose forward pass is in `workspace`; writes the gradients of output, mu and logvar there.
  template <Batch Output, BatchLike<Output> Target, HoldsPosterior Workspace>
  ElboTerms<typename Output::Scalar> operator()(const Output& output, const Target& target,
                                                Workspace& workspace) const {
    using Scalar = typename Output::Scalar;
    const auto terms = value(output, target, workspace);
    if constexpr (std::is_same_v<Reconstruction, BCELoss> && LogitGradientSource<Workspace>)
      write_gradients<Scalar>(detail::BceOfLogits<BCELoss>{reconstruction_, reduction}, output, target,
                              workspace.logit_gradient(output.rows()).data(), workspace.cache());
    else
      write_gradients<Scalar>(reconstruction_, output, target, workspace.output_gradient(output.rows()).data(),
                              workspace.cache());
    return terms;
  }

  /// The same terms without gradients, for a workspace of any purpose.
  template <Batch Output, BatchLike<Output> Target, HoldsPosterior Workspace>
  ElboTerms<typename Output::Scalar> value(const Output& output, const Target& target, Workspace& workspace) const {
    using Scalar = typename Output::Scalar;
    auto& cache = workspace.cache();
    const Index rows = output.rows();
    const Index samples = cache.samples();
    const Index features = target.cols();
    const Index width = output.cols() / samples;
    if (rows != target.rows() || width != detail::row_width(reconstruction_, features))
      throw ShapeError(detail::message(name, ": the output has shape ", shape_string(rows, output.cols()), " for ",
                                       samples, " samples, the target ", shape_string(target.rows(), features),
                                       "; each sample must have the target's width"));
    if (target.size() == 0) throw DataError("ImportanceWeightedBound: the batch is empty; leave empty batches out");
    const auto posterior = cache.posterior(rows);
    const Index latent = posterior.cols() / 2;
    detail::for_each_row(rows, output.size(), [&](Index row) {
      for (Index i = 0; i < samples; ++i) {
        const Index draw = row * samples + i;
        const double likelihood = detail::row_sum<Scalar>(reconstruction_, output.data() + draw * width,
                                                          target.data() + row * features, features);
        const double ratio =
            detail::latent_log_ratio(latent, posterior.data() + row * 2 * latent + latent,
                                     cache.noise.data() + draw * latent, cache.latent.data() + draw * latent);
        cache.reconstructions(row, i) = likelihood;
        cache.log_weights(row, i) = ratio - likelihood;
      }
    });
    double loss = 0;
    double reconstruction = 0;
    double kl = 0;
    for (Index row = 0; row < rows; ++row) {
      loss -= detail::log_mean_exp(samples, &cache.log_weights(row, 0), &cache.weights(row, 0));
      double likelihoods = 0;
      double weights = 0;
      for (Index i = 0; i < samples; ++i) {
        likelihoods += cache.reconstructions(row, i);
        weights += cache.log_weights(row, i);
      }
      reconstruction += likelihoods / static_cast<double>(samples);
      kl -= (weights + likelihoods) / static_cast<double>(samples);
    }
    if (!std::isfinite(loss)) diagnose<Scalar>(output, target, samples);
    const auto count = static_cast<double>(rows);
    return {static_cast<Scalar>(loss / count), static_cast<Scalar>(reconstruction / count),
            static_cast<Scalar>(kl / count), count_clamped_logvar(posterior.rightCols(latent))};
  }

 private:
  /// After value(): the shares of the draws are in the cache.
  template <class Scalar, class Loss, class Output, class Target, class Cache>
  void write_gradients(const Loss& loss, const Output& output, const Target& target, Scalar* gradient,
                       Cache& cache) const {
    const Index rows = output.rows();
    const Index samples = cache.samples();
    const Index features = target.cols();
    const Index width = output.cols() / samples;
    const auto posterior = cache.posterior(rows);
    const Index latent = posterior.cols() / 2;
    const Scalar scale = Scalar(1) / static_cast<Scalar>(rows);
    detail::for_each_row(rows, output.size(), [&](Index row) {
      const Scalar* const shares = cache.weights.data() + row * samples;
      for (Index i = 0; i < samples; ++i) {
        const Index draw = row * samples + i;
        detail::row_gradient<Scalar>(loss, output.data() + draw * width, target.data() + row * features, features,
                                     gradient + draw * width, scale * shares[i]);
      }
      Scalar* const dmu = cache.posterior_gradient.data() + row * 2 * latent;
      simd::dispatch<Scalar>(detail::LatentLogRatioGradient<Scalar>{
          samples, latent, posterior.data() + row * 2 * latent + latent, cache.noise.data() + row * samples * latent,
          cache.latent.data() + row * samples * latent, shares, scale, dmu, dmu + latent});
    });
  }

  template <class Scalar, class Output, class Target>
  void diagnose(const Output& output, const Target& target, Index samples) const {
    if constexpr (requires(ConstMatrixView<Scalar> batch) { reconstruction_.diagnose(batch, batch); }) {
      Matrix<Scalar> targets(output.rows() * samples, target.cols());
      for (Index i = 0; i < targets.rows(); ++i) targets.row(i) = target.row(i / samples);
      reconstruction_.diagnose(ConstMatrixView<Scalar>(output.data(), targets.rows(), output.cols() / samples),
                               ConstMatrixView<Scalar>(targets));
    }
  }

  Reconstruction reconstruction_;
};

}  // namespace hourglass
