// Free bits: the KL divergence of a batch from the standard normal, with a floor under each latent dimension,
//     sum_j max(lambda, KL_j),   KL_j = 1/batch sum_i KL(N(mu_ij, e^logvar_ij) || N(0, 1)).
//
// A dimension whose KL_j, averaged over the batch, is at most lambda nats costs lambda and has gradient 0: it may be
// used that much at no cost, which keeps latent dimensions from collapsing early in training. This is the form of
// D. Kingma et al., "Improved variational inference with inverse autoregressive flow", 2016, equation 15, with groups
// of one dimension each. Log-variances are clamped as in kl_divergence.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/loss/kl_divergence.hpp"

namespace hourglass {

/// The divergence of a batch with and without its floor, both summed over dimensions and averaged over the batch.
template <class Scalar>
struct FreeBitsKL {
  Scalar floored = 0;  ///< sum_j max(lambda, KL_j)
  Scalar kl = 0;       ///< sum_j KL_j
};

namespace detail {

/// Terms of KL of `count` <= block_size neighbouring dimensions of one row.
template <class Scalar>
struct KLBlock {
  Index count;
  const Scalar* mu;
  const Scalar* logvar;
  Scalar* terms;
  HOURGLASS_SIMD(void operator()() const, {
    const KLTerms<Scalar, false> term{mu, logvar, nullptr, nullptr, Scalar(0)};
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      term.template operator()<V>(i, n).store(terms + i, n);
    }
  })
};

/// dmu += factor_j mu_j, dlogvar += factor_j (e^logvar_j - 1) / 2, for such a block.
template <class Scalar>
struct KLBlockGradient {
  Index count;
  const Scalar* mu;
  const Scalar* logvar;
  const Scalar* factor;
  Scalar* dmu;
  Scalar* dlogvar;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      const V weight = V::load(factor + i, n);
      const V given = V::load(logvar + i, n);
      const V used = clamp_logvar(given);
      const V slope = select(used == given, V(Scalar(0.5)) * (simd::exp(used) - V(1)), V(0));
      fma(weight, V::load(mu + i, n), V::load(dmu + i, n)).store(dmu + i, n);
      fma(weight, slope, V::load(dlogvar + i, n)).store(dlogvar + i, n);
    }
  })
};

/// Null gradients: values only.
template <class Scalar>
FreeBitsKL<Scalar> free_bits_sum(Index rows, Index latent, Rows<const Scalar> mu, Rows<const Scalar> logvar,
                                 Rows<Scalar> dmu, Rows<Scalar> dlogvar, double lambda, double weight) {
  double floored = 0;
  double kl = 0;
  for (Index first = 0; first < latent; first += block_size) {
    const Index count = std::min(block_size, latent - first);
    std::array<double, static_cast<std::size_t>(block_size)> sums{};
    alignas(64) std::array<Scalar, static_cast<std::size_t>(block_size)> buffer{};
    for (Index row = 0; row < rows; ++row) {
      simd::dispatch<Scalar>(KLBlock<Scalar>{count, mu.data + row * mu.stride + first,
                                             logvar.data + row * logvar.stride + first, buffer.data()});
      for (std::size_t j = 0; j < static_cast<std::size_t>(count); ++j) sums[j] += double{buffer[j]};
    }
    for (std::size_t j = 0; j < static_cast<std::size_t>(count); ++j) {
      const double mean = sums[j] / static_cast<double>(rows);
      kl += mean;
      floored += std::max(lambda, mean);
      buffer[j] = mean > lambda ? static_cast<Scalar>(weight / static_cast<double>(rows)) : Scalar(0);
    }
    if (dmu.data == nullptr) continue;
    for (Index row = 0; row < rows; ++row)
      simd::dispatch<Scalar>(KLBlockGradient<Scalar>{
          count, mu.data + row * mu.stride + first, logvar.data + row * logvar.stride + first, buffer.data(),
          dmu.data + row * dmu.stride + first, dlogvar.data + row * dlogvar.stride + first});
  }
  return {static_cast<Scalar>(floored), static_cast<Scalar>(kl)};
}

}  // namespace detail

/// Values for mu and logvar (batch, latent) with a floor of `lambda` nats. Throws ShapeError when shapes differ,
/// DataError for an empty batch.
template <RowBlock Mu, RowBlock LogVar>
[[nodiscard]] FreeBitsKL<typename Mu::Scalar> free_bits_kl(const Mu& mu, const LogVar& logvar, double lambda) {
  using Scalar = typename Mu::Scalar;
  detail::check_kl_batch(mu.rows(), mu.cols());
  return detail::free_bits_sum<Scalar>(
      mu.rows(), mu.cols(), detail::rows_of<const Scalar>("mu", mu, mu.rows(), mu.cols()),
      detail::rows_of<const Scalar>("logvar", logvar, mu.rows(), mu.cols()), {nullptr, 0}, {nullptr, 0}, lambda, 0.0);
}

/// The same values; adds `weight` times the gradients of the floored one to the two blocks (batch, latent).
template <RowBlock Mu, RowBlock LogVar, WritableRowBlock MuGradient, WritableRowBlock LogVarGradient>
FreeBitsKL<typename Mu::Scalar> accumulate_free_bits_kl(const Mu& mu, const LogVar& logvar, MuGradient&& mu_gradient,
                                                        LogVarGradient&& logvar_gradient, double lambda,
                                                        double weight = 1.0) {
  using Scalar = typename Mu::Scalar;
  const Index rows = mu.rows();
  const Index latent = mu.cols();
  detail::check_kl_batch(rows, latent);
  return detail::free_bits_sum<Scalar>(rows, latent, detail::rows_of<const Scalar>("mu", mu, rows, latent),
                                       detail::rows_of<const Scalar>("logvar", logvar, rows, latent),
                                       detail::rows_of<Scalar>("its gradient", mu_gradient, rows, latent),
                                       detail::rows_of<Scalar>("the gradient of logvar", logvar_gradient, rows, latent),
                                       lambda, weight);
}

}  // namespace hourglass
