// Importance-weighted autoencoder: a variational autoencoder that draws k latent variables for each sample,
// z_1 ... z_k ~ q(z|x), and decodes them all.
//
// Y. Burda, R. Grosse, R. Salakhutdinov, "Importance weighted autoencoders", 2016.
#pragma once

#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

/// A VariationalAutoencoder with the same parameters, files, encode(), decode(), reconstruct() and sample(), whose
/// forward pass gives k outputs for each row of x, side by side: (batch, k features). Trained on
/// ImportanceWeightedBound. The decoder works on batch * k rows, so choose the batch size accordingly.
template <class Encoder, class Decoder>
class ImportanceWeightedAutoencoder
    : public VariationalAutoencoder<Encoder, Decoder, ImportanceWeightedAutoencoder<Encoder, Decoder>> {
  using Base = typename ImportanceWeightedAutoencoder::VariationalAutoencoder;

 public:
  using typename Base::Scalar;
  static constexpr std::string_view name = "ImportanceWeightedAutoencoder";
  static constexpr Index static_out = Dynamic;

  /// Decoder, noise, latent variables and their gradients have max_batch * k rows here.
  struct Cache : Base::Cache {
    Matrix<double> log_weights;      // (max_batch, k): log p(x, z_i) / q(z_i|x), from the loss
    Matrix<double> reconstructions;  // (max_batch, k): -log p(x|z_i), from the loss
    Matrix<Scalar> weights;          // (max_batch, k): their shares of the row's sum

    /// k.
    [[nodiscard]] Index samples() const noexcept { return this->latents_per_row; }
    [[nodiscard]] std::size_t bytes() const noexcept {
      return Base::Cache::bytes() + static_cast<std::size_t>(weights.size()) * sizeof(Scalar) +
             static_cast<std::size_t>(log_weights.size() + reconstructions.size()) * sizeof(double);
    }
  };

  /// `samples` is k. Throws ShapeError unless it is at least 1, and where VariationalAutoencoder does.
  ImportanceWeightedAutoencoder(Encoder encoder, Decoder decoder, Index samples)
      : Base(std::move(encoder), std::move(decoder)), samples_{samples} {
    if (samples < 1)
      throw ShapeError(detail::message("ImportanceWeightedAutoencoder: ", samples, " samples; at least 1 is needed"));
    this->check_shapes();
  }

  /// k.
  [[nodiscard]] Index samples() const noexcept { return samples_; }
  /// Multiplications of a forward pass for one row of x, about.
  [[nodiscard]] double work_per_row() const {
    return detail::work_per_row(this->encoder()) +
           static_cast<double>(samples_) * detail::work_per_row(this->decoder());
  }
  /// Width of what forward() gives: k times that of the decoder.
  [[nodiscard]] Index out_features(Index in) const { return samples_ * Base::out_features(in); }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    return {Base::plan(max_batch, in, purpose), Matrix<double>(max_batch, samples_),
            Matrix<double>(max_batch, samples_), Matrix<Scalar>(max_batch, samples_)};
  }

  /// See GaussianLatent.
  [[nodiscard]] Index latents_per_row() const noexcept { return samples_; }

 private:
  Index samples_;
};

}  // namespace hourglass
