// Sparse autoencoders: loss = reconstruction + penalty(code), with a penalty that keeps most units of the code silent.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/sum_of_rows.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"
#include "hourglass/models/code_penalty.hpp"
#include "hourglass/models/penalized_terms.hpp"

namespace hourglass {

/// lambda sum_j |h_j|, averaged over the batch: Keras' activity_regularizer=l1(lambda).
class L1Activity {
 public:
  static constexpr std::string_view name = "L1Activity";

  /// Throws DataError unless lambda >= 0.
  explicit L1Activity(double lambda = 1e-4) : lambda_{lambda} {
    if (!(lambda >= 0)) throw DataError(detail::message("L1Activity: lambda must be 0 or more, not ", lambda));
  }
  [[nodiscard]] double lambda() const noexcept { return lambda_; }

  /// The penalty of a code (batch, code), times `scale`; its gradient, lambda / batch sign(h) (0 at 0), goes to
  /// `gradient` (batch, code) unless that is null.
  template <class Scalar>
  [[nodiscard]] double operator()(const ConstMatrixView<Scalar>& code, double scale, Scalar* gradient) const {
    const double factor = lambda_ * scale / static_cast<double>(code.rows());
    return factor * parallel_vector_sum<Scalar>(code.size(),
                                                Magnitudes<Scalar>{code.data(), gradient, static_cast<Scalar>(factor)});
  }

 private:
  template <class Scalar>
  struct Magnitudes {
    const Scalar* code;
    Scalar* gradient;
    Scalar factor;
    HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
      const V h = V::load(code + i, n);
      const V zero(0);
      if (gradient != nullptr) select(h > zero, V(factor), select(h < zero, V(-factor), zero)).store(gradient + i, n);
      return abs(h);
    })
  };

  double lambda_;
};

/// weight sum_j rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j)), the KL divergence of a unit that is active
/// with probability r_j, the mean of h_j over the batch, from one that is active with probability rho. For codes in
/// [0, 1], as an encoder that ends in a Sigmoid gives them, and for batches that are large and mixed: what r_j varies
/// by from batch to batch is punished too.
///
/// A. Ng, "Sparse autoencoder", CS294A lecture notes, 2011.
class KLSparsity {
 public:
  static constexpr std::string_view name = "KLSparsity";

  /// Throws DataError unless 0 < rho < 1 and weight >= 0.
  explicit KLSparsity(double rho = 0.05, double weight = 1e-3) : rho_{rho}, weight_{weight} {
    if (!(rho > 0 && rho < 1))
      throw DataError(detail::message("KLSparsity: rho must lie between 0 and 1, it is ", rho));
    if (!(weight >= 0)) throw DataError(detail::message("KLSparsity: the weight must be 0 or more, not ", weight));
  }
  [[nodiscard]] double rho() const noexcept { return rho_; }
  [[nodiscard]] double weight() const noexcept { return weight_; }

  /// The penalty of a code (batch, code), times `scale`; its gradient, the same in all rows,
  /// weight / batch ((1 - rho) / (1 - r_j) - rho / r_j), goes to `gradient` (batch, code) unless that is null. Throws
  /// DataError when an activation lies outside [0, 1], or when a unit is 0 for all samples, or 1.
  template <class Scalar>
  [[nodiscard]] double operator()(const ConstMatrixView<Scalar>& code, double scale, Scalar* gradient) const {
    double sum = 0;
    const double factor = weight_ * scale / static_cast<double>(code.rows());
    simd::dispatch<Scalar>(Divergences<Scalar>{code.rows(), code.cols(), code.data(), gradient,
                                               static_cast<Scalar>(rho_), static_cast<Scalar>(factor), &sum});
    if (!std::isfinite(sum)) diagnose(code);
    return weight_ * scale * sum;
  }

 private:
  template <class Scalar>
  struct Divergences {
    Index rows;
    Index units;
    const Scalar* code;
    Scalar* gradient;
    Scalar rho;
    Scalar factor;
    double* sum;
    HOURGLASS_SIMD(void operator()() const, {
      const V one(1);
      const V zero(0);
      for (Index j = 0; j < units; j += V::lanes) {
        const Index n = std::min<Index>(V::lanes, units - j);
        const V mean = detail::sum_of_rows<V>(rows, detail::RowTerms<Scalar>{code + j, units, n}) / V(Scalar(rows));
        V low = one;
        V high = zero;
        for (Index row = 0; row < rows; ++row) {
          const V h = V::load(code + row * units + j, n);
          low = min(h, low);
          high = max(h, high);
        }
        const V silent = one - mean;
        const V odds = simd::log(mean / V(rho));
        const V value = fma(V(rho), -odds, -(V(1 - rho) * simd::log(silent / V(1 - rho))));
        const auto valid = (low >= zero) & (high <= one) & (mean > zero) & (silent > zero);
        Scalar values[V::lanes];
        select(valid, value, V(std::numeric_limits<Scalar>::quiet_NaN())).store(values);
        for (Index lane = 0; lane < n; ++lane) *sum += static_cast<double>(values[lane]);
        if (gradient == nullptr) continue;
        const V slope = V(factor) * (V(1 - rho) / silent - V(rho) / mean);
        for (Index row = 0; row < rows; ++row) slope.store(gradient + row * units + j, n);
      }
    })
  };

  template <class Scalar>
  static void diagnose(const ConstMatrixView<Scalar>& code) {
    for (Index j = 0; j < code.cols(); ++j) {
      for (Index row = 0; row < code.rows(); ++row)
        if (!(code(row, j) >= 0 && code(row, j) <= 1))
          throw DataError(detail::message("KLSparsity: unit ", j, " of the code is ", code(row, j), " in row ", row,
                                          ", outside [0, 1]; end the encoder with a Sigmoid or use L1Activity"));
      const Scalar mean = code.col(j).mean();
      if (!(mean > 0 && mean < 1))
        throw DataError(detail::message("KLSparsity: unit ", j, " of the code is ", mean, " for all ", code.rows(),
                                        " samples, so its divergence is infinite; lower the learning rate"));
    }
  }

  double rho_;
  double weight_;
};

/// Loss of a sparse autoencoder: `SparseLoss{BCELoss{}, L1Activity{1e-4}}`. The reconstruction loss keeps its
/// reduction; the penalty is an average over the batch, or a sum when the reconstruction loss is one.
template <class Reconstruction = BCELoss, class Penalty = L1Activity>
class SparseLoss {
 public:
  static constexpr std::string_view name = "SparseLoss";
  const Reduction reduction;

  explicit SparseLoss(Reconstruction reconstruction = {}, Penalty penalty = Penalty{})
      : reduction{reconstruction.reduction}, reconstruction_{std::move(reconstruction)}, penalty_{std::move(penalty)} {}

  [[nodiscard]] const Reconstruction& reconstruction() const noexcept { return reconstruction_; }
  [[nodiscard]] const Penalty& penalty() const noexcept { return penalty_; }

  /// Terms of the batch whose forward pass is in `workspace`; writes the gradients of output and code there.
  template <Batch Output, BatchLike<Output> Target, HoldsCode Workspace>
  PenalizedTerms<typename Output::Scalar> operator()(const Output& output, const Target& target,
                                                     Workspace& workspace) const {
    const auto value = reconstruction_(output, target, workspace);
    return terms(value, workspace, output.rows(), workspace.cache().penalty_gradient(output.rows()).data());
  }

  /// The same terms without gradients, for a workspace of any purpose.
  template <Batch Output, BatchLike<Output> Target, HoldsCode Workspace>
  PenalizedTerms<typename Output::Scalar> value(const Output& output, const Target& target,
                                                Workspace& workspace) const {
    using Scalar = typename Output::Scalar;
    return terms(reconstruction_(output, target), workspace, output.rows(), static_cast<Scalar*>(nullptr));
  }

 private:
  template <class Scalar, class Workspace>
  PenalizedTerms<Scalar> terms(Scalar reconstruction, const Workspace& workspace, Index rows, Scalar* gradient) const {
    const ConstMatrixView<Scalar> code = workspace.cache().code(rows);
    const auto penalty = static_cast<Scalar>(penalty_(code, detail::penalty_scale(reduction, rows), gradient));
    return {reconstruction + penalty, reconstruction, penalty};
  }

  Reconstruction reconstruction_;
  Penalty penalty_;
};

}  // namespace hourglass
