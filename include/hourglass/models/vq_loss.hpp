// Loss of a VQ-VAE: reconstruction + codebook |sg(z) - e|^2 + commitment |z - sg(e)|^2, where sg stops the gradient.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// The loss of a batch and its terms.
template <class Scalar>
struct VQTerms {
  Scalar loss = 0;
  Scalar reconstruction = 0;
  Scalar distance = 0;    ///< mean of (z - e)^2 over all elements of the codes
  Scalar perplexity = 0;  ///< e^entropy of the codes that the batch uses: how many are in use, between 1 and K

  static constexpr std::array<std::string_view, 3> names{"reconstruction", "distance", "perplexity"};
  [[nodiscard]] std::array<double, 3> parts() const noexcept {
    return {double{reconstruction}, double{distance}, double{perplexity}};
  }
};

/// A workspace whose model keeps codes before and after quantisation.
template <class Workspace>
concept HoldsQuantized = requires(Workspace& workspace, Index rows) {
  workspace.cache().code(rows);
  workspace.cache().quantized;
  workspace.cache().commitment_gradient;
};

namespace detail {

/// (z - e)^2, and factor (z - e) on the way unless `gradient` is null.
template <class Scalar>
struct CommitmentTerms {
  const Scalar* code;
  const Scalar* quantized;
  Scalar* gradient;
  Scalar factor;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const V difference = V::load(code + i, n) - V::load(quantized + i, n);
    if (gradient != nullptr) (V(factor) * difference).store(gradient + i, n);
    return difference * difference;
  })
};

/// Counts how often each number occurs, and gives e^entropy of these shares.
[[nodiscard]] inline double perplexity(std::span<const Index> indices, std::span<Index> counts) {
  std::ranges::fill(counts, Index{0});
  for (const Index index : indices) ++counts[static_cast<std::size_t>(index)];
  double entropy = 0;
  for (const Index count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(indices.size());
    entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

}  // namespace detail

/// Weights of VQLoss.
struct VQOptions {
  double commitment = 0.25;  ///< beta: how much the encoder stays near the codebook
  double codebook = 1;       ///< how much the codebook follows the encoder; 0 where CodebookEMA moves it
};

/// Loss of a VQAutoencoder: the given loss averaged over features, plus the two distances averaged over the elements of
/// the code, everything averaged over the batch.
template <class Reconstruction = MSELoss>
class VQLoss {
 public:
  static constexpr std::string_view name = "VQLoss";
  static constexpr Reduction reduction = Reduction::mean;

  /// The reduction of `reconstruction` is set to mean, whatever it was. Throws DataError unless both weights are finite
  /// and 0 or more.
  explicit VQLoss(Reconstruction reconstruction = {}, const VQOptions& options = {})
      : reconstruction_{std::move(reconstruction)}, options_{options} {
    for (const double weight : {options.commitment, options.codebook})
      if (!(weight >= 0 && std::isfinite(weight)))
        throw DataError(detail::message("VQLoss: weights must be finite and 0 or more, not ", weight));
    reconstruction_.reduction = Reduction::mean;
  }

  [[nodiscard]] const VQOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Reconstruction& reconstruction() const noexcept { return reconstruction_; }

  /// Terms of the batch whose forward pass is in `workspace`; writes the gradients of output, code and codebook there.
  template <Batch Output, BatchLike<Output> Target, HoldsQuantized Workspace>
  VQTerms<typename Output::Scalar> operator()(const Output& output, const Target& target, Workspace& workspace) const {
    const auto value = reconstruction_(output, target, workspace);
    auto& cache = workspace.cache();
    const auto elements = static_cast<double>(cache.code(output.rows()).size());
    cache.codebook_weight = 2 * options_.codebook / elements;
    return terms(value, cache, output.rows(), cache.commitment_gradient.data(), 2 * options_.commitment / elements);
  }
  /// The same terms without gradients, for a workspace of any purpose.
  template <Batch Output, BatchLike<Output> Target, HoldsQuantized Workspace>
  VQTerms<typename Output::Scalar> value(const Output& output, const Target& target, Workspace& workspace) const {
    using Scalar = typename Output::Scalar;
    return terms(reconstruction_(output, target), workspace.cache(), output.rows(), static_cast<Scalar*>(nullptr), 0.0);
  }

 private:
  template <class Scalar, class Cache>
  VQTerms<Scalar> terms(Scalar value, Cache& cache, Index rows, Scalar* gradient, double factor) const {
    const auto code = cache.code(rows);
    const double sum = parallel_vector_sum<Scalar>(
        code.size(),
        detail::CommitmentTerms<Scalar>{code.data(), cache.quantized.data(), gradient, static_cast<Scalar>(factor)});
    const auto distance = static_cast<Scalar>(sum / static_cast<double>(code.size()));
    // As many vectors as belong to these rows.
    const std::size_t vectors =
        cache.indices.size() / static_cast<std::size_t>(cache.quantized.rows()) * static_cast<std::size_t>(rows);
    const double used = detail::perplexity(std::span<const Index>(cache.indices).first(vectors), cache.counts);
    return {value + static_cast<Scalar>(options_.codebook + options_.commitment) * distance, value, distance,
            static_cast<Scalar>(used)};
  }

  Reconstruction reconstruction_;
  VQOptions options_;
};

}  // namespace hourglass
