// Importance-weighted autoencoder: a variational autoencoder that draws k latent variables for each sample,
// z_1 ... z_k ~ q(z|x), and decodes them all.
//
// Y. Burda, R. Grosse, R. Salakhutdinov, "Importance weighted autoencoders", 2016.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/models/reparameterize.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

/// A VariationalAutoencoder with the same parameters, files, encode(), decode(), reconstruct() and sample(), whose
/// forward pass gives k outputs for each row of x, side by side: (batch, k features). Trained on
/// ImportanceWeightedBound. The decoder works on batch * k rows, so choose the batch size accordingly.
template <class Encoder, class Decoder>
class ImportanceWeightedAutoencoder : public VariationalAutoencoder<Encoder, Decoder> {
  using Base = VariationalAutoencoder<Encoder, Decoder>;

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
    [[nodiscard]] Index samples() const noexcept { return log_weights.cols(); }
    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept {
      const auto all = this->decoder.output(rows * samples());
      return {all.data(), rows, samples() * all.cols()};
    }
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
    const Index latent = detail::out_features(this->encoder(), in) / 2;
    const Index all = max_batch * samples_;
    const bool training = purpose == Purpose::training;
    return {{detail::plan<Scalar>(this->encoder(), max_batch, in, purpose),
             detail::plan<Scalar>(this->decoder(), all, latent, purpose), Matrix<Scalar>(all, latent),
             Matrix<Scalar>(all, latent), Matrix<Scalar>(training ? all : 0, latent),
             Matrix<Scalar>(training ? max_batch : 0, 2 * latent)},
            Matrix<double>(max_batch, samples_),
            Matrix<double>(max_batch, samples_),
            Matrix<Scalar>(max_batch, samples_)};
  }

  /// (batch, k features): k reconstructions of each row of x; it lies in the workspace and lasts until its next use.
  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Workspace<ImportanceWeightedAutoencoder>& workspace,
                                  const M& mode = {}) const {
    return workspace.forward(*this, x, mode);
  }
  /// Gradients of all parameters, after ImportanceWeightedBound and for the batch x of the last forward().
  void backward(const ConstMatrixView<Scalar>& x, Workspace<ImportanceWeightedAutoencoder>& workspace) const {
    workspace.backward(*this, x);
  }
  /// The same and a step of `optimizer`, see VariationalAutoencoder.
  template <class Optimizer>
  void backward(const ConstMatrixView<Scalar>& x, Workspace<ImportanceWeightedAutoencoder>& workspace,
                Optimizer& optimizer) {
    workspace.backward(*this, x, optimizer);
  }

  // The passes of a container, see nn/container.hpp.
  template <Mode M>
  void draw(Cache& cache, const M& mode, Index rows) const {
    MatrixView<Scalar> noise = first_rows(cache.noise, rows * samples_);
    if constexpr (draws_latents<M>)
      mode.rng.fill_normal(std::span<Scalar>(noise.data(), static_cast<std::size_t>(noise.size())));
    else
      noise.setZero();
  }
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    const auto posterior = detail::propagate<Scalar>(this->encoder(), x, cache.encoder, mode, rows);
    const RowRange all = each_sample(rows);
    const MatrixView<Scalar> latent = rows_of(cache.latent, all);
    detail::reparameterize<Scalar>(posterior, rows_of(cache.noise, all), latent, samples_);
    if (cache.posterior_gradient.size() > 0) rows_of(cache.posterior_gradient, rows).setZero();
    const auto output =
        detail::propagate<Scalar>(this->decoder(), ConstMatrixView<Scalar>(latent), cache.decoder, mode, all);
    return {output.data(), rows.count, samples_ * output.cols()};
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    const RowRange all = each_sample(rows);
    const MatrixView<Scalar> dlatent = rows_of(cache.latent_gradient, all);
    const MatrixView<Scalar> dposterior = rows_of(cache.posterior_gradient, rows);
    detail::backward_inputs<Scalar>(this->decoder(), ConstMatrixView<Scalar>(rows_of(cache.latent, all)), split(dy),
                                    cache.decoder, gradient + slots_size<Scalar>(this->encoder()), dlatent, all);
    detail::reparameterize_backward<Scalar>(rows_of(cache.posterior(rows.first + rows.count), rows),
                                            rows_of(cache.noise, all), dlatent, dposterior, samples_);
    detail::before_last_activation<Scalar>(this->encoder(), cache.encoder, rows, dposterior);
    detail::backward_inputs<Scalar>(this->encoder(), x, ConstMatrixView<Scalar>(dposterior), cache.encoder, gradient,
                                    dx, rows);
  }
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    const ConstMatrixView<Scalar> dposterior(first_rows(cache.posterior_gradient, x.rows()));
    const ConstMatrixView<Scalar> latent(first_rows(cache.latent, x.rows() * self.samples_));
    detail::backward_parameters<Scalar>(self.encoder(), x, dposterior, cache.encoder, sink, part);
    detail::backward_parameters<Scalar>(self.decoder(), latent, self.split(dy), cache.decoder,
                                        sink.at_slot(slots_size<Scalar>(self.encoder())), part);
  }
  [[nodiscard]] const Scalar* last_input(const Cache& cache) const noexcept {
    return this->decoder().last_input(cache.decoder);
  }

 private:
  /// Rows of the decoder that belong to rows of x.
  [[nodiscard]] RowRange each_sample(RowRange rows) const noexcept {
    return {rows.first * samples_, rows.count * samples_};
  }
  /// (rows, k features) as (rows * k, features).
  [[nodiscard]] ConstMatrixView<Scalar> split(const ConstMatrixView<Scalar>& side_by_side) const noexcept {
    return {side_by_side.data(), side_by_side.rows() * samples_, side_by_side.cols() / samples_};
  }

  Index samples_;
};

}  // namespace hourglass
