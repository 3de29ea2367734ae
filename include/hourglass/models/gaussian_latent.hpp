// GaussianLatent: what variational autoencoders share: z ~ q(z|x) = N(mu(x), e^logvar(x)) between encoder and decoder.
#pragma once

#include <span>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/models/encoder_decoder.hpp"
#include "hourglass/models/reparameterize.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/shape_flow.hpp"

namespace hourglass {

/// Base of `Model`, see EncoderDecoder. The encoder gives rows (mu, logvar), 2 latent wide; for each of them the
/// decoder reads k rows (z, y): k = latents_per_row(), 1 unless a model says otherwise, and y, if there is one, has
/// conditions() columns, which add_conditions() fills in.
template <class Model, class Encoder, class Decoder>
class GaussianLatent : public EncoderDecoder<Model, Encoder, Decoder> {
  using Base = typename GaussianLatent::EncoderDecoder;

 public:
  using typename Base::Scalar;
  /// Evaluation of the ELBO draws z, so it needs a generator.
  static constexpr bool draws_latents_in_evaluation = true;

  struct Cache {
    typename detail::CacheOf<Scalar, Encoder>::type encoder;
    typename detail::CacheOf<Scalar, Decoder>::type decoder;
    Matrix<Scalar> noise;               // (max_batch k, latent): z = mu + e^(logvar/2) noise
    Matrix<Scalar> latent;              // (max_batch k, latent + conditions): z, y
    Matrix<Scalar> latent_gradient;     // (max_batch k, latent + conditions)
    Matrix<Scalar> posterior_gradient;  // (max_batch, 2 latent): d KL / d (mu, logvar), then with the path through z
    Index latents_per_row = 1;          // k

    /// (rows, 2 latent): mu, logvar.
    [[nodiscard]] ConstMatrixView<Scalar> posterior(Index rows) const noexcept { return encoder.output(rows); }
    [[nodiscard]] ConstMatrixView<Scalar> encoder_gradient(Index rows) const noexcept {
      return first_rows(posterior_gradient, rows);
    }
    [[nodiscard]] ConstMatrixView<Scalar> decoder_input(Index rows) const noexcept {
      return first_rows(latent, rows * latents_per_row);
    }
    /// (rows, k features): what the decoder gives for each row of x, side by side.
    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept {
      const auto all = decoder.output(rows * latents_per_row);
      return {all.data(), rows, latents_per_row * all.cols()};
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
      const Index own = noise.size() + latent.size() + latent_gradient.size() + posterior_gradient.size();
      return encoder.bytes() + decoder.bytes() + static_cast<std::size_t>(own) * sizeof(Scalar);
    }
  };

  [[nodiscard]] Index latent_features() const { return latent_of(this->in_features()); }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    const Index latent = latent_of(in);
    const Index read = latent + this->model().conditions();
    const Index all = max_batch * this->model().latents_per_row();
    const bool training = purpose == Purpose::training;
    return {detail::plan<Scalar>(encoder_, max_batch, in, purpose),
            detail::plan<Scalar>(decoder_, all, read, purpose),
            Matrix<Scalar>(all, latent),
            Matrix<Scalar>(all, read),
            Matrix<Scalar>(training ? all : 0, read),
            Matrix<Scalar>(training ? max_batch : 0, 2 * latent),
            this->model().latents_per_row()};
  }

  // The passes of a container, see nn/container.hpp.
  using Base::forward;
  /// Draws the noise of a batch.
  template <Mode M>
  void draw(Cache& cache, const M& mode, Index rows) const {
    MatrixView<Scalar> noise = first_rows(cache.noise, rows * cache.latents_per_row);
    if constexpr (draws_latents<M>)
      mode.rng.fill_normal(std::span<Scalar>(noise.data(), static_cast<std::size_t>(noise.size())));
    else
      noise.setZero();
  }
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    const auto posterior = detail::propagate<Scalar>(encoder_, x, cache.encoder, mode, rows);
    const RowRange all = each_latent(rows, cache);
    MatrixView<Scalar> latent = rows_of(cache.latent, all);
    detail::reparameterize<Scalar>(posterior, rows_of(cache.noise, all), latent, cache.latents_per_row);
    this->model().add_conditions(x, latent);
    if (cache.posterior_gradient.size() > 0) rows_of(cache.posterior_gradient, rows).setZero();
    const auto output = detail::propagate<Scalar>(decoder_, ConstMatrixView<Scalar>(latent), cache.decoder, mode, all);
    return {output.data(), rows.count, cache.latents_per_row * output.cols()};
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    const RowRange all = each_latent(rows, cache);
    const MatrixView<Scalar> dlatent = rows_of(cache.latent_gradient, all);
    const MatrixView<Scalar> dposterior = rows_of(cache.posterior_gradient, rows);
    detail::backward_inputs<Scalar>(decoder_, ConstMatrixView<Scalar>(rows_of(cache.latent, all)), decoder_rows(dy),
                                    cache.decoder, gradient + this->decoder_slots(), dlatent, all);
    detail::reparameterize_backward<Scalar>(rows_of(cache.posterior(rows.first + rows.count), rows),
                                            rows_of(cache.noise, all), dlatent, dposterior, cache.latents_per_row);
    detail::before_last_activation<Scalar>(encoder_, cache.encoder, rows, dposterior);
    detail::backward_inputs<Scalar>(encoder_, x, ConstMatrixView<Scalar>(dposterior), cache.encoder, gradient, dx,
                                    rows);
  }

  /// See EncoderDecoder.
  [[nodiscard]] detail::RowShape code_shape(const detail::RowShape& encoded) const noexcept {
    const Index conditions = this->model().conditions();
    const Index latent = encoded.features == Dynamic ? Dynamic : encoded.features / 2;
    return {latent == Dynamic ? Dynamic : latent + conditions,
            conditions > 0 ? any_image : detail::part_of(encoded.image, 2)};
  }
  [[nodiscard]] ConstMatrixView<Scalar> decoder_rows(const ConstMatrixView<Scalar>& rows) const noexcept {
    const Index count = this->model().latents_per_row();
    return {rows.data(), rows.rows() * count, rows.cols() / count};
  }
  [[nodiscard]] static constexpr Index latents_per_row() noexcept { return 1; }
  [[nodiscard]] static constexpr Index conditions() noexcept { return 0; }
  static void add_conditions(const ConstMatrixView<Scalar>&, const MatrixView<Scalar>&) noexcept {}

 protected:
  using Base::Base;

  [[nodiscard]] Index latent_of(Index in) const {
    const Index both = detail::out_features(encoder_, in);
    if (both % 2 != 0)
      throw ShapeError(detail::message(Model::name, ": the encoder gives ", both,
                                       " features; mean and log-variance need an even number, 2 x latent"));
    return both / 2;
  }
  /// Mean and log-variance of what the encoder gives.
  [[nodiscard]] Posterior<Scalar> posterior_of(const ConstMatrixView<Scalar>& x) const {
    const Matrix<Scalar> both = detail::apply(encoder_, x);
    const Index latent = both.cols() / 2;
    return {both.leftCols(latent), both.rightCols(latent)};
  }

  using Base::decoder_;
  using Base::encoder_;

 private:
  /// Rows of the decoder that belong to rows of x.
  [[nodiscard]] static RowRange each_latent(RowRange rows, const Cache& cache) noexcept {
    return {rows.first * cache.latents_per_row, rows.count * cache.latents_per_row};
  }
};

}  // namespace hourglass
