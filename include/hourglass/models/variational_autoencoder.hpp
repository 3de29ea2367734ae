// Variational autoencoder: z ~ q(z|x) = N(mu(x), e^logvar(x)), reconstruction = decoder(z).
//
// D. Kingma, M. Welling, "Auto-encoding variational Bayes", 2014.
#pragma once

#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/randn.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/models/encoder_decoder.hpp"
#include "hourglass/models/gaussian_latent.hpp"
#include "hourglass/models/reparameterize.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/shape_flow.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

/// An encoder x (batch, features) -> (batch, 2 latent), whose first half is mu and second half logvar, and a decoder
/// z (batch, latent) -> reconstruction (batch, features). Trained on NegativeELBO.
///
/// A decoder that gives twice as many features gives the mean of each and then the log-variance of each, for
/// LearnedGaussianLoss; reconstruct(), decode() and sample() without a workspace give the means.
///
/// forward() draws z with the generator of Training{rng} or Sampling{rng}, and takes z = mu in inference. Parameters
/// are named "encoder.<...>" and "decoder.<...>"; two_heads() maps the files of networks that keep mean and
/// log-variance in two layers (fc_mu and fc_logvar, fc21 and fc22). `Derived` is a class that has this as its base.
template <class Encoder, class Decoder, class Derived = void>
class VariationalAutoencoder
    : public GaussianLatent<
          std::conditional_t<std::is_void_v<Derived>, VariationalAutoencoder<Encoder, Decoder, Derived>, Derived>,
          Encoder, Decoder> {
  static constexpr Index encoder_out = detail::static_out<Encoder>(detail::static_in<Encoder>());
  static_assert(encoder_out == Dynamic || encoder_out % 2 == 0,
                "VariationalAutoencoder: the encoder gives mean and log-variance, so an even number of features");
  static_assert(detail::Joint<Encoder, Decoder, 2>::value);
  using Base = typename VariationalAutoencoder::GaussianLatent;

 public:
  using typename Base::Scalar;
  static constexpr std::string_view name = "VariationalAutoencoder";

  VariationalAutoencoder() = default;
  /// Throws ShapeError unless the encoder gives twice as many features as the decoder expects, and where images do not
  /// fit: those of the decoder have half the channels of the encoder's, and the output is images like the input.
  VariationalAutoencoder(Encoder encoder, Decoder decoder) : Base(std::move(encoder), std::move(decoder)) {
    if constexpr (std::is_void_v<Derived>) this->check_shapes();
  }

  [[nodiscard]] Index out_features(Index in) const {
    const Index latent = this->latent_of(in);
    this->check_code(latent, " (mean and log-variance)");
    return detail::out_features(decoder_, latent);
  }

  using Base::decode;
  using Base::encode;
  using Base::reconstruct;
  /// Mean and log-variance (batch, latent) of q(z|x).
  [[nodiscard]] Posterior<Scalar> encode(const ConstMatrixView<Scalar>& x) const { return this->posterior_of(x); }
  /// z = mu + e^(logvar/2) noise (batch, latent), with noise drawn from N(0, I).
  [[nodiscard]] Matrix<Scalar> reparameterize(const Posterior<Scalar>& posterior, Rng& rng) const {
    return hourglass::reparameterize(posterior, rng);
  }
  /// z = mu(x).
  [[nodiscard]] Matrix<Scalar> encode_to_latent(const ConstMatrixView<Scalar>& x) const { return encode(x).mu; }
  /// One draw of z from q(z|x).
  [[nodiscard]] Matrix<Scalar> encode_to_latent(const ConstMatrixView<Scalar>& x, Rng& rng) const {
    return reparameterize(encode(x), rng);
  }
  /// The decoder gives a mean and a log-variance for every feature.
  [[nodiscard]] bool gives_variance() const {
    return detail::out_features(decoder_, this->latent_features()) == 2 * this->in_features();
  }
  /// Output (batch, features) for latent variables (batch, latent).
  [[nodiscard]] Matrix<Scalar> decode(const ConstMatrixView<Scalar>& latent) const {
    return means(detail::apply(decoder_, latent));
  }
  /// decode(mu(x)).
  [[nodiscard]] Matrix<Scalar> reconstruct(const ConstMatrixView<Scalar>& x) const { return decode(encode(x).mu); }
  /// `count` new samples (count, features): z ~ N(0, I), then decode.
  [[nodiscard]] Matrix<Scalar> sample(Index count, Rng& rng) const {
    return decode(randn<Scalar>(count, this->latent_features(), rng));
  }
  /// The same in a workspace, see EncoderDecoder. There encode() gives (batch, 2 latent), mean and log-variance, and so
  /// do the others of features if the decoder gives variances.
  template <class Model>
  ConstMatrixView<Scalar> sample(Index count, Rng& rng, Workspace<Model>& workspace) const {
    workspace.require_room(count);
    MatrixView<Scalar> latent = first_rows(workspace.cache().latent, count);
    rng.fill_normal(std::span<Scalar>(latent.data(), static_cast<std::size_t>(latent.size())));
    return decode(latent, workspace);
  }

  /// See EncoderDecoder.
  [[nodiscard]] detail::RowShape output_shape(const detail::RowShape& decoded) const noexcept {
    if (decoded.features != 2 * this->in_features()) return decoded;
    return {decoded.features / 2, detail::part_of(decoded.image, 2)};
  }

 private:
  /// The left half of an output that holds variances too.
  [[nodiscard]] Matrix<Scalar> means(Matrix<Scalar> output) const {
    if (gives_variance()) output = output.leftCols(output.cols() / 2);
    return output;
  }

  using Base::decoder_;
  using Base::encoder_;
};

template <class Encoder, class Decoder>
VariationalAutoencoder(Encoder, Decoder) -> VariationalAutoencoder<Encoder, Decoder>;

}  // namespace hourglass
