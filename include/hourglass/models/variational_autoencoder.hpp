// Variational autoencoder: z ~ q(z|x) = N(mu(x), e^logvar(x)), reconstruction = decoder(z).
//
// D. Kingma, M. Welling, "Auto-encoding variational Bayes", 2014.
#pragma once

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/randn.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/models/reparameterize.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
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
/// log-variance in two layers (fc_mu and fc_logvar, fc21 and fc22).
template <class Encoder, class Decoder>
class VariationalAutoencoder {
  static constexpr Index encoder_out = detail::static_out<Encoder>(detail::static_in<Encoder>());
  static_assert(encoder_out == Dynamic || encoder_out % 2 == 0,
                "VariationalAutoencoder: the encoder gives mean and log-variance, so an even number of features");
  static_assert(detail::MatchingWidths < 1, encoder_out == Dynamic ? Dynamic : encoder_out / 2,
                detail::static_in<Decoder>() > ::value);

 public:
  using Scalar = typename detail::ScalarOf<Encoder, Decoder>::type;
  static_assert(detail::same_scalar<Encoder, Scalar>() && detail::same_scalar<Decoder, Scalar>(),
                "VariationalAutoencoder: encoder and decoder must share one scalar type");
  static constexpr std::string_view name = "VariationalAutoencoder";
  static constexpr Index static_in = detail::static_in<Encoder>();
  static constexpr Index static_out = detail::static_out<Decoder>(detail::static_in<Decoder>());
  /// Evaluation of the ELBO draws z, so it needs a generator.
  static constexpr bool draws_latents_in_evaluation = true;

  static constexpr bool rows_independent = detail::rows_independent<Encoder> && detail::rows_independent<Decoder>;
  static constexpr Index row_group = std::max(detail::row_group<Encoder>(), detail::row_group<Decoder>());
  using LastActivation = detail::LastActivation<Decoder>;

  struct Cache {
    typename detail::CacheOf<Scalar, Encoder>::type encoder;
    typename detail::CacheOf<Scalar, Decoder>::type decoder;
    Matrix<Scalar> noise;               // (max_batch, latent): z = mu + e^(logvar/2) noise
    Matrix<Scalar> latent;              // (max_batch, latent): z
    Matrix<Scalar> latent_gradient;     // (max_batch, latent)
    Matrix<Scalar> posterior_gradient;  // (max_batch, 2 latent): d KL / d (mu, logvar), then with the path through z

    /// (rows, 2 latent): mu, logvar.
    [[nodiscard]] ConstMatrixView<Scalar> posterior(Index rows) const noexcept { return encoder.output(rows); }
    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return decoder.output(rows); }
    [[nodiscard]] std::size_t bytes() const noexcept {
      const Index own = noise.size() + latent.size() + latent_gradient.size() + posterior_gradient.size();
      return encoder.bytes() + decoder.bytes() + static_cast<std::size_t>(own) * sizeof(Scalar);
    }
  };

  VariationalAutoencoder() = default;
  /// Throws ShapeError unless the encoder gives twice as many features as the decoder expects.
  VariationalAutoencoder(Encoder encoder, Decoder decoder)
      : encoder_{std::move(encoder)}, decoder_{std::move(decoder)} {
    (void)out_features(in_features());
  }

  static constexpr auto fields() {
    return std::tuple{Field{"encoder", &VariationalAutoencoder::encoder_},
                      Field{"decoder", &VariationalAutoencoder::decoder_}};
  }

  [[nodiscard]] Encoder& encoder() noexcept { return encoder_; }
  [[nodiscard]] const Encoder& encoder() const noexcept { return encoder_; }
  [[nodiscard]] Decoder& decoder() noexcept { return decoder_; }
  [[nodiscard]] const Decoder& decoder() const noexcept { return decoder_; }

  [[nodiscard]] Index in_features() const { return detail::in_features(encoder_); }
  [[nodiscard]] Index latent_features() const { return detail::out_features(encoder_, in_features()) / 2; }
  [[nodiscard]] Index out_features(Index in) const {
    const Index latent = latent_of(in);
    detail::check_code("VariationalAutoencoder (mean and log-variance)", latent, detail::in_features(decoder_));
    return detail::out_features(decoder_, latent);
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    const Index latent = latent_of(in);
    const Index back = purpose == Purpose::training ? max_batch : 0;
    return {detail::plan<Scalar>(encoder_, max_batch, in, purpose),
            detail::plan<Scalar>(decoder_, max_batch, latent, purpose),
            Matrix<Scalar>(max_batch, latent),
            Matrix<Scalar>(max_batch, latent),
            Matrix<Scalar>(back, latent),
            Matrix<Scalar>(back, 2 * latent)};
  }

  /// Reconstruction (batch, features) of x (batch, features); it lies in the workspace and lasts until its next use.
  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Workspace<VariationalAutoencoder>& workspace,
                                  const M& mode = {}) const {
    return workspace.forward(*this, x, mode);
  }
  /// Gradients of all parameters, from workspace.output_gradient(), the gradient of the KL term if NegativeELBO wrote
  /// one, and the batch x of the last forward().
  void backward(const ConstMatrixView<Scalar>& x, Workspace<VariationalAutoencoder>& workspace) const {
    workspace.backward(*this, x);
  }
  /// The same and a step of `optimizer`, fused where it can be: gradients are used up where they are made, and
  /// workspace.gradients() does not hold them afterwards. The weights get the bits of backward() and optimizer.step().
  template <class Optimizer>
  void backward(const ConstMatrixView<Scalar>& x, Workspace<VariationalAutoencoder>& workspace, Optimizer& optimizer) {
    workspace.backward(*this, x, optimizer);
  }

  // The passes of a container, see nn/container.hpp.
  /// Draws the noise of a batch.
  template <Mode M>
  void draw(Cache& cache, const M& mode, Index rows) const {
    MatrixView<Scalar> noise = first_rows(cache.noise, rows);
    if constexpr (draws_latents<M>)
      mode.rng.fill_normal(std::span<Scalar>(noise.data(), static_cast<std::size_t>(noise.size())));
    else
      noise.setZero();
  }
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    const auto posterior = detail::propagate<Scalar>(encoder_, x, cache.encoder, mode, rows);
    const MatrixView<Scalar> latent = rows_of(cache.latent, rows);
    detail::reparameterize<Scalar>(posterior, rows_of(cache.noise, rows), latent);
    if (cache.posterior_gradient.size() > 0) rows_of(cache.posterior_gradient, rows).setZero();
    return detail::propagate<Scalar>(decoder_, ConstMatrixView<Scalar>(latent), cache.decoder, mode, rows);
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    const MatrixView<Scalar> dlatent = rows_of(cache.latent_gradient, rows);
    const MatrixView<Scalar> dposterior = rows_of(cache.posterior_gradient, rows);
    detail::backward_inputs<Scalar>(decoder_, ConstMatrixView<Scalar>(rows_of(cache.latent, rows)), dy, cache.decoder,
                                    gradient + slots_size<Scalar>(encoder_), dlatent, rows);
    detail::reparameterize_backward<Scalar>(rows_of(cache.posterior(rows.first + rows.count), rows),
                                            rows_of(cache.noise, rows), dlatent, dposterior);
    detail::before_last_activation<Scalar>(encoder_, cache.encoder, rows, dposterior);
    detail::backward_inputs<Scalar>(encoder_, x, ConstMatrixView<Scalar>(dposterior), cache.encoder, gradient, dx,
                                    rows);
  }
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    const ConstMatrixView<Scalar> dposterior(first_rows(cache.posterior_gradient, x.rows()));
    const ConstMatrixView<Scalar> latent(first_rows(cache.latent, x.rows()));
    detail::backward_parameters<Scalar>(self.encoder_, x, dposterior, cache.encoder, sink, part);
    detail::backward_parameters<Scalar>(self.decoder_, latent, dy, cache.decoder,
                                        sink.at_slot(slots_size<Scalar>(self.encoder_)), part);
  }
  void update_buffers(const Cache& cache) {
    detail::update_buffers<Scalar>(encoder_, cache.encoder);
    detail::update_buffers<Scalar>(decoder_, cache.decoder);
  }
  [[nodiscard]] const auto& last_activation() const noexcept { return decoder_.last_activation(); }
  [[nodiscard]] const Scalar* last_input(const Cache& cache) const noexcept {
    return decoder_.last_input(cache.decoder);
  }

  /// Mean and log-variance (batch, latent) of q(z|x).
  [[nodiscard]] Posterior<Scalar> encode(const ConstMatrixView<Scalar>& x) const {
    const Matrix<Scalar> both = detail::apply(encoder_, x);
    const Index latent = both.cols() / 2;
    return {both.leftCols(latent), both.rightCols(latent)};
  }
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
  [[nodiscard]] bool gives_variance() const { return out_features(in_features()) == 2 * in_features(); }
  /// Output (batch, features) for latent variables (batch, latent).
  [[nodiscard]] Matrix<Scalar> decode(const ConstMatrixView<Scalar>& latent) const {
    return means(detail::apply(decoder_, latent));
  }
  /// decode(mu(x)), a bounded number of rows at a time.
  [[nodiscard]] Matrix<Scalar> reconstruct(const ConstMatrixView<Scalar>& x) const {
    return means(detail::apply(*this, x));
  }
  /// The same for anything that becomes a matrix, such as 8-bit images.
  template <class Rows>
  requires(!DirectMatrix<Rows> && std::convertible_to<const Rows&, Matrix<Scalar>>)
      [[nodiscard]] Matrix<Scalar> reconstruct(const Rows& x) const {
    return reconstruct(ConstMatrixView<Scalar>(static_cast<Matrix<Scalar>>(x)));
  }
  /// `count` new samples (count, features): z ~ N(0, I), then decode.
  [[nodiscard]] Matrix<Scalar> sample(Index count, Rng& rng) const {
    return decode(randn<Scalar>(count, latent_features(), rng));
  }

  /// The same in a workspace: nothing is allocated, and the result lasts until the workspace's next use. Any number of
  /// threads may share the model, each with a workspace of its own, which may be one for inference. encode() gives
  /// (batch, 2 latent): mean, log-variance; so do the others if the decoder gives variances. Throws ShapeError when the
  /// workspace has no room for so many rows.
  ConstMatrixView<Scalar> encode(const ConstMatrixView<Scalar>& x, Workspace<VariationalAutoencoder>& workspace) const {
    return workspace.infer(encoder_, x, workspace.cache().encoder);
  }
  ConstMatrixView<Scalar> decode(const ConstMatrixView<Scalar>& latent,
                                 Workspace<VariationalAutoencoder>& workspace) const {
    return workspace.infer(decoder_, latent, workspace.cache().decoder);
  }
  ConstMatrixView<Scalar> reconstruct(const ConstMatrixView<Scalar>& x,
                                      Workspace<VariationalAutoencoder>& workspace) const {
    return workspace.forward(*this, x, Inference{});
  }
  ConstMatrixView<Scalar> sample(Index count, Rng& rng, Workspace<VariationalAutoencoder>& workspace) const {
    workspace.require_room(count);
    MatrixView<Scalar> latent = first_rows(workspace.cache().latent, count);
    rng.fill_normal(std::span<Scalar>(latent.data(), static_cast<std::size_t>(latent.size())));
    return decode(latent, workspace);
  }

 private:
  /// The left half of an output that holds variances too.
  [[nodiscard]] Matrix<Scalar> means(Matrix<Scalar> output) const {
    if (gives_variance()) output = output.leftCols(output.cols() / 2);
    return output;
  }
  [[nodiscard]] Index latent_of(Index in) const {
    const Index both = detail::out_features(encoder_, in);
    if (both % 2 != 0)
      throw ShapeError(detail::message("VariationalAutoencoder: the encoder gives ", both,
                                       " features; mean and log-variance need an even number, 2 x latent"));
    return both / 2;
  }

  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace hourglass
