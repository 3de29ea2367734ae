// Wasserstein autoencoder: reconstruction = decoder(encoder(x)), with codes drawn towards a standard normal prior.
//
// I. Tolstikhin, O. Bousquet, S. Gelly, B. Schoelkopf, "Wasserstein auto-encoders", 2018.
#pragma once

#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/randn.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/mmd.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/loss/reduction.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/code_penalty.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

/// An Autoencoder with the same parameters, files, encode(), decode() and reconstruct(), whose forward pass also draws
/// a point of the prior N(0, I) for each row, for WassersteinLoss to compare the codes with. The encoder should end in
/// a layer that gives any number, such as Linear.
template <class Encoder, class Decoder>
class WassersteinAutoencoder : public Autoencoder<Encoder, Decoder, WassersteinAutoencoder<Encoder, Decoder>> {
  using Base = typename WassersteinAutoencoder::Autoencoder;

 public:
  using typename Base::Scalar;
  static constexpr std::string_view name = "WassersteinAutoencoder";
  /// Evaluation compares codes with draws of the prior, so it needs a generator.
  static constexpr bool draws_latents_in_evaluation = true;

  struct Cache : Base::Cache {
    Matrix<Scalar> prior;  // (max_batch, code): draws from N(0, I)
    MMDScratch<Scalar> scratch;

    [[nodiscard]] std::size_t bytes() const noexcept {
      return Base::Cache::bytes() + scratch.bytes() + static_cast<std::size_t>(prior.size()) * sizeof(Scalar);
    }
  };

  WassersteinAutoencoder() = default;
  /// Throws ShapeError as Autoencoder does.
  WassersteinAutoencoder(Encoder encoder, Decoder decoder) : Base(std::move(encoder), std::move(decoder)) {
    this->check_shapes();
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    const Index code = detail::out_features(this->encoder(), in);
    return {Base::plan(max_batch, in, purpose), Matrix<Scalar>(max_batch, code), MMDScratch<Scalar>(max_batch, code)};
  }

  /// `count` new samples (count, features): codes from N(0, I), then decode.
  [[nodiscard]] Matrix<Scalar> sample(Index count, Rng& rng) const {
    return this->decode(randn<Scalar>(count, this->code_features(), rng));
  }

  // The passes of a container, see nn/container.hpp.
  /// Starts a batch: draws from the prior, except in inference.
  template <Mode M>
  void draw(Cache& cache, const M& mode, Index rows) const {
    Base::draw(cache, mode, rows);
    MatrixView<Scalar> prior = first_rows(cache.prior, rows);
    if constexpr (draws_latents<M>)
      mode.rng.fill_normal(std::span<Scalar>(prior.data(), static_cast<std::size_t>(prior.size())));
    else
      prior.setZero();
  }
};

/// The loss of a batch, per sample, and its terms: loss = reconstruction + weight mmd.
template <class Scalar>
struct WassersteinTerms {
  Scalar loss = 0;
  Scalar reconstruction = 0;
  Scalar mmd = 0;

  static constexpr std::array<std::string_view, 2> names{"reconstruction", "mmd"};
  [[nodiscard]] std::array<double, 2> parts() const noexcept { return {double{reconstruction}, double{mmd}}; }
};

/// A workspace whose model keeps codes, draws of their prior and a place for the gradient of the codes.
template <class Workspace>
concept HoldsPrior = HoldsCode<Workspace> && requires(Workspace& workspace) {
  workspace.cache().prior;
};

/// Loss of a WassersteinAutoencoder: the given loss summed over features and averaged over the batch, plus `weight`
/// times the MMD^2 between codes and prior, see mmd.hpp. The estimate pairs the samples of a batch, so batches should
/// be large (100 in the paper); it is 0 for a batch of one.
template <class Reconstruction = MSELoss>
class WassersteinLoss {
 public:
  static constexpr std::string_view name = "WassersteinLoss";
  static constexpr Reduction reduction = Reduction::batchmean;

  /// The reduction of `reconstruction` is set to batchmean, whatever it was. Throws DataError unless `weight` is finite
  /// and 0 or more.
  explicit WassersteinLoss(Reconstruction reconstruction = {}, double weight = 10.0)
      : reconstruction_{std::move(reconstruction)}, weight_{weight} {
    if (!(weight >= 0 && std::isfinite(weight)))
      throw DataError(detail::message("WassersteinLoss: the weight must be finite and 0 or more, not ", weight));
    reconstruction_.reduction = Reduction::batchmean;
  }

  [[nodiscard]] double weight() const noexcept { return weight_; }
  [[nodiscard]] const Reconstruction& reconstruction() const noexcept { return reconstruction_; }

  /// Terms of the batch whose forward pass is in `workspace`; writes the gradients of output and code there.
  template <Batch Output, BatchLike<Output> Target, HoldsPrior Workspace>
  WassersteinTerms<typename Output::Scalar> operator()(const Output& output, const Target& target,
                                                       Workspace& workspace) const {
    const auto value = reconstruction_(output, target, workspace);
    auto gradient = workspace.cache().penalty_gradient(output.rows());
    gradient.setZero();
    return terms(value, workspace.cache(), gradient);
  }
  /// The same terms without gradients, for a workspace of any purpose.
  template <Batch Output, BatchLike<Output> Target, HoldsPrior Workspace>
  WassersteinTerms<typename Output::Scalar> value(const Output& output, const Target& target,
                                                  Workspace& workspace) const {
    using Scalar = typename Output::Scalar;
    return terms(reconstruction_(output, target), workspace.cache(), MatrixView<Scalar>(nullptr, output.rows(), 0));
  }

 private:
  template <class Scalar, class Cache>
  WassersteinTerms<Scalar> terms(Scalar value, Cache& cache, MatrixView<Scalar> gradient) const {
    const Index rows = gradient.rows();
    const auto discrepancy = static_cast<Scalar>(
        detail::mmd_sum<Scalar>(cache.code(rows), ConstMatrixView<Scalar>(first_rows(cache.prior, rows)),
                                gradient.data(), static_cast<Scalar>(weight_), cache.scratch));
    return {value + static_cast<Scalar>(weight_) * discrepancy, value, discrepancy};
  }

  Reconstruction reconstruction_;
  double weight_;
};

}  // namespace hourglass
