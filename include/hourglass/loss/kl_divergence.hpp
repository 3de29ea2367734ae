// KL divergence of a diagonal Gaussian from the standard normal, in closed form:
//     KL(N(mu, e^logvar) || N(0, I)) = -1/2 sum_j (1 + logvar_j - mu_j^2 - e^logvar_j).
//
// mu and logvar (batch, latent) may be column blocks of one matrix (batch, 2 * latent), as an encoder gives them. The
// log-variance is clamped to [-30, 20], so that e^logvar stays finite; value and gradient use the clamped value, and a
// clamped element has gradient 0. Source: Kingma and Welling, "Auto-encoding variational Bayes", 2014, appendix B.
#pragma once

#include <concepts>
#include <type_traits>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// Range of log-variances that are used as they are.
inline constexpr double min_logvar = -30.0;
inline constexpr double max_logvar = 20.0;

/// The nearest log-variance within [min_logvar, max_logvar]; NaN stays NaN.
HOURGLASS_SIMD(V clamp_logvar(V logvar), {
  using Scalar = typename V::Scalar;
  return min(V(static_cast<Scalar>(max_logvar)), max(V(static_cast<Scalar>(min_logvar)), logvar));
})
template <std::floating_point Scalar>
[[nodiscard]] Scalar clamp_logvar(Scalar logvar) noexcept {
  return clamp_logvar(simd::Vector<Scalar, simd::Single>(logvar)).value;
}

/// A row-major matrix in memory, or a block of one: rows may lie apart, the elements of a row may not.
template <class T>
concept RowBlock = DirectMatrix<std::remove_cvref_t<T>> &&(std::remove_cvref_t<T>::IsRowMajor != 0);

/// A RowBlock whose elements may be written.
template <class T>
concept WritableRowBlock = RowBlock<T> && requires(T& block) {
  { block.data() } -> std::same_as<typename std::remove_cvref_t<T>::Scalar*>;
};

namespace detail {

template <class Scalar>
struct Rows {
  Scalar* data;
  Index stride;
};

/// Rows of a block of the expected shape.
template <class Scalar, class Block>
[[nodiscard]] Rows<Scalar> rows_of(const char* what, Block& block, Index rows, Index cols) {
  if (block.rows() != rows || block.cols() != cols)
    throw ShapeError(message("kl_divergence: mu has shape ", shape_string(rows, cols), ", ", what, " ",
                             shape_string(block.rows(), block.cols()), "; they must be the same"));
  if (block.innerStride() != 1 && block.cols() > 1)
    throw ShapeError(message("kl_divergence: the columns of ", what, " do not lie side by side; pass a column block"));
  return {block.data(), block.outerStride()};
}

inline void check_kl_batch(Index rows, Index latent) {
  if (rows == 0 || latent == 0)
    throw DataError(message("kl_divergence: the batch of shape ", shape_string(rows, latent),
                            " is empty; leave empty batches out"));
}

/// The terms of one row, (mu^2 + e^logvar - 1 - logvar) / 2, and on the way their gradients times `factor`, unless dmu
/// is null: logvar's is zero where it was clamped.
template <class Scalar, bool accumulate>
struct KLTerms {
  const Scalar* mu;
  const Scalar* logvar;
  Scalar* dmu;
  Scalar* dlogvar;
  Scalar factor;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const V half(Scalar(0.5));
    const V mean = V::load(mu + i, n);
    const V given = V::load(logvar + i, n);
    const V used = clamp_logvar(given);
    const V excess = simd::exp(used) - V(1);
    if (dmu != nullptr) {
      const V zero(0);
      const V before = accumulate ? V::load(dmu + i, n) : zero;
      const V before_logvar = accumulate ? V::load(dlogvar + i, n) : zero;
      fma(V(factor), mean, before).store(dmu + i, n);
      fma(V(factor), select(used == given, half * excess, zero), before_logvar).store(dlogvar + i, n);
    }
    return half * fma(mean, mean, excess - used);
  })
};

/// Sum of all terms; the gradients, times factor, go to `to_mu` and `to_logvar` unless they are null.
template <bool accumulate, class Scalar, class Mu, class LogVar>
[[nodiscard]] double kl_sum(const Mu& mu_block, const LogVar& logvar_block, Rows<Scalar> to_mu, Rows<Scalar> to_logvar,
                            Scalar factor) {
  const Index rows = mu_block.rows();
  const Index latent = mu_block.cols();
  check_kl_batch(rows, latent);
  const auto mu = rows_of<const Scalar>("mu", mu_block, rows, latent);
  const auto logvar = rows_of<const Scalar>("logvar", logvar_block, rows, latent);
  return parallel_sum(rows, [&](Index begin, Index end) {
    double sum = 0;
    for (Index row = begin; row < end; ++row) {
      const bool wanted = to_mu.data != nullptr;
      const KLTerms<Scalar, accumulate> terms{mu.data + row * mu.stride, logvar.data + row * logvar.stride,
                                              wanted ? to_mu.data + row * to_mu.stride : nullptr,
                                              wanted ? to_logvar.data + row * to_logvar.stride : nullptr, factor};
      double row_sum = 0;
      simd::dispatch<Scalar>(VectorSum<KLTerms<Scalar, accumulate>>{0, latent, terms, &row_sum});
      sum += row_sum;
    }
    return sum;
  });
}

template <bool accumulate, class Mu, class LogVar, class MuGradient, class LogVarGradient>
typename Mu::Scalar kl_with_gradient(const Mu& mu, const LogVar& logvar, MuGradient& mu_gradient,
                                     LogVarGradient& logvar_gradient, double weight, Reduction reduction) {
  using Scalar = typename Mu::Scalar;
  const Index rows = mu.rows();
  const Index latent = mu.cols();
  const auto to_mu = rows_of<Scalar>("its gradient", mu_gradient, rows, latent);
  const auto to_logvar = rows_of<Scalar>("the gradient of logvar", logvar_gradient, rows, latent);
  const double scale = reduction_scale(reduction, rows, latent);
  const double sum = kl_sum<accumulate, Scalar>(mu, logvar, to_mu, to_logvar, static_cast<Scalar>(weight * scale));
  return static_cast<Scalar>(sum * scale);
}

}  // namespace detail

/// KL divergence of N(mu, e^logvar) from N(0, I), reduced; `batchmean` (summed over latent dimensions, averaged over
/// the batch) is the term of the negative ELBO. Throws ShapeError when shapes differ, DataError for an empty batch.
template <RowBlock Mu, RowBlock LogVar>
[[nodiscard]] typename Mu::Scalar kl_divergence(const Mu& mu, const LogVar& logvar,
                                                Reduction reduction = Reduction::batchmean) {
  using Scalar = typename Mu::Scalar;
  const double sum = detail::kl_sum<false, Scalar>(mu, logvar, {nullptr, 0}, {nullptr, 0}, Scalar(0));
  return static_cast<Scalar>(sum * reduction_scale(reduction, mu.rows(), mu.cols()));
}

/// The same value; writes its gradients d/d mu and d/d logvar, each (batch, latent).
template <RowBlock Mu, RowBlock LogVar, WritableRowBlock MuGradient, WritableRowBlock LogVarGradient>
typename Mu::Scalar kl_divergence(const Mu& mu, const LogVar& logvar, MuGradient&& mu_gradient,
                                  LogVarGradient&& logvar_gradient, Reduction reduction = Reduction::batchmean) {
  return detail::kl_with_gradient<false>(mu, logvar, mu_gradient, logvar_gradient, 1.0, reduction);
}

/// The same value, unweighted; adds `weight` (the beta of the ELBO) times its gradients to the two blocks.
template <RowBlock Mu, RowBlock LogVar, WritableRowBlock MuGradient, WritableRowBlock LogVarGradient>
typename Mu::Scalar accumulate_kl_divergence(const Mu& mu, const LogVar& logvar, MuGradient&& mu_gradient,
                                             LogVarGradient&& logvar_gradient, double weight = 1.0,
                                             Reduction reduction = Reduction::batchmean) {
  return detail::kl_with_gradient<true>(mu, logvar, mu_gradient, logvar_gradient, weight, reduction);
}

/// Number of log-variances outside [min_logvar, max_logvar]; above 0 the encoder is running away.
template <RowBlock LogVar>
[[nodiscard]] Index count_clamped_logvar(const LogVar& logvar) {
  Index count = 0;
  for (Index row = 0; row < logvar.rows(); ++row)
    for (Index j = 0; j < logvar.cols(); ++j) {
      const auto value = logvar.coeff(row, j);
      if (value < min_logvar || value > max_logvar) ++count;
    }
  return count;
}

}  // namespace hourglass
