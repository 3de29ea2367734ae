// Conditional variational autoencoder: z ~ q(z|x, y), reconstruction of x = decoder(z, y), with a class y for each
// sample.
//
// K. Sohn, H. Lee, X. Yan, "Learning structured output representation using deep conditional generative models", 2015.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
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

/// x (batch, features) with the class of each row one-hot beside it: (batch, features + classes), the rows that a
/// ConditionalVariationalAutoencoder reads. Throws ShapeError unless there is one label for each row, DataError for a
/// label that is not below `classes`.
template <class Scalar = float, class Rows>
[[nodiscard]] Matrix<Scalar> condition(const Rows& x, std::span<const std::uint8_t> labels, Index classes) {
  if (static_cast<Index>(labels.size()) != x.rows())
    throw ShapeError(detail::message("condition: ", x.rows(), " rows, ", labels.size(), " labels; give one for each"));
  Matrix<Scalar> both(x.rows(), x.cols() + classes);
  if constexpr (DirectMatrix<Rows>)
    both.leftCols(x.cols()) = x;
  else
    both.leftCols(x.cols()) = static_cast<Matrix<Scalar>>(x);
  for (Index i = 0; i < both.rows(); ++i) {
    const Index label = labels[static_cast<std::size_t>(i)];
    if (label >= classes)
      throw DataError(detail::message("condition: label ", label, " of row ", i, " is not below ", classes,
                                      ", the number of classes"));
    both(i, x.cols() + label) = Scalar(1);
  }
  return both;
}

/// An encoder (x, y) (batch, features + classes) -> (batch, 2 latent), mean and log-variance of q(z|x, y), and a
/// decoder (z, y) (batch, latent + classes) -> (batch, features). Its input rows are those of condition(); the target
/// is their left part, whatever follows x. Trained on NegativeELBO:
///
///     const auto rows = hg::condition(mnist.train.images, mnist.train.labels, 10);
///     hg::fit(model, rows, hg::NegativeELBO{hg::BCELoss{}}, hg::Adam{}, {}, rng);
///     model.sample(labels, rng);
///
/// Parameters are named "encoder.<...>" and "decoder.<...>".
template <class Encoder, class Decoder>
class ConditionalVariationalAutoencoder {
 public:
  using Scalar = typename detail::ScalarOf<Encoder, Decoder>::type;
  static_assert(detail::same_scalar<Encoder, Scalar>() && detail::same_scalar<Decoder, Scalar>(),
                "ConditionalVariationalAutoencoder: encoder and decoder must share one scalar type");
  static constexpr std::string_view name = "ConditionalVariationalAutoencoder";
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
    Matrix<Scalar> latent;              // (max_batch, latent + classes): z, y
    Matrix<Scalar> latent_gradient;     // (max_batch, latent + classes)
    Matrix<Scalar> posterior_gradient;  // (max_batch, 2 latent)
    Matrix<Scalar> target;              // (max_batch, features): x without y

    /// (rows, 2 latent): mu, logvar.
    [[nodiscard]] ConstMatrixView<Scalar> posterior(Index rows) const noexcept { return encoder.output(rows); }
    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return decoder.output(rows); }
    /// What the output is compared with: the left part of rows (x, y), or rows that are x alone.
    [[nodiscard]] ConstMatrixView<Scalar> target_of(const ConstMatrixView<Scalar>& rows) {
      if (rows.cols() == target.cols() || rows.rows() > target.rows() || rows.cols() < target.cols()) return rows;
      for (Index i = 0; i < rows.rows(); ++i)
        std::copy_n(rows.data() + i * rows.cols(), target.cols(), target.data() + i * target.cols());
      return first_rows(std::as_const(target), rows.rows());
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
      const Index own =
          noise.size() + latent.size() + latent_gradient.size() + posterior_gradient.size() + target.size();
      return encoder.bytes() + decoder.bytes() + static_cast<std::size_t>(own) * sizeof(Scalar);
    }
  };

  /// Throws ShapeError unless the encoder reads more than `classes` >= 1 features and gives an even number, and the
  /// decoder reads half of them and the classes.
  ConditionalVariationalAutoencoder(Encoder encoder, Decoder decoder, Index classes)
      : encoder_{std::move(encoder)}, decoder_{std::move(decoder)}, classes_{classes} {
    if (classes < 1 || classes >= in_features())
      throw ShapeError(detail::message(name, ": the encoder reads ", in_features(), " features, ", classes,
                                       " of them classes; it must read x and at least 1 class"));
    (void)out_features(in_features());
  }

  static constexpr auto fields() {
    return std::tuple{Field{"encoder", &ConditionalVariationalAutoencoder::encoder_},
                      Field{"decoder", &ConditionalVariationalAutoencoder::decoder_}};
  }

  [[nodiscard]] Encoder& encoder() noexcept { return encoder_; }
  [[nodiscard]] const Encoder& encoder() const noexcept { return encoder_; }
  [[nodiscard]] Decoder& decoder() noexcept { return decoder_; }
  [[nodiscard]] const Decoder& decoder() const noexcept { return decoder_; }

  [[nodiscard]] Index classes() const noexcept { return classes_; }
  /// Width of the rows (x, y).
  [[nodiscard]] Index in_features() const { return detail::in_features(encoder_); }
  /// Width of x.
  [[nodiscard]] Index features() const { return in_features() - classes_; }
  [[nodiscard]] Index latent_features() const { return latent_of(in_features()); }
  [[nodiscard]] Index out_features(Index in) const {
    const Index both = latent_of(in) + classes_;
    const Index expected = detail::in_features(decoder_);
    if (!compatible(both, expected))
      throw ShapeError(detail::message(name, ": z has ", both - classes_, " features and there are ", classes_,
                                       " classes, the decoder expects ", expected, " in all; make the numbers equal"));
    return detail::out_features(decoder_, both);
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    const Index latent = latent_of(in);
    const Index back = purpose == Purpose::training ? max_batch : 0;
    return {detail::plan<Scalar>(encoder_, max_batch, in, purpose),
            detail::plan<Scalar>(decoder_, max_batch, latent + classes_, purpose),
            Matrix<Scalar>(max_batch, latent),
            Matrix<Scalar>(max_batch, latent + classes_),
            Matrix<Scalar>(back, latent + classes_),
            Matrix<Scalar>(back, 2 * latent),
            Matrix<Scalar>(max_batch, in - classes_)};
  }

  /// Reconstruction (batch, features) of rows (x, y); it lies in the workspace and lasts until its next use.
  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x,
                                  Workspace<ConditionalVariationalAutoencoder>& workspace, const M& mode = {}) const {
    return workspace.forward(*this, x, mode);
  }
  /// Gradients of all parameters, see VariationalAutoencoder.
  void backward(const ConstMatrixView<Scalar>& x, Workspace<ConditionalVariationalAutoencoder>& workspace) const {
    workspace.backward(*this, x);
  }
  /// The same and a step of `optimizer`, see VariationalAutoencoder.
  template <class Optimizer>
  void backward(const ConstMatrixView<Scalar>& x, Workspace<ConditionalVariationalAutoencoder>& workspace,
                Optimizer& optimizer) {
    workspace.backward(*this, x, optimizer);
  }

  // The passes of a container, see nn/container.hpp.
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
    MatrixView<Scalar> latent = rows_of(cache.latent, rows);
    detail::reparameterize<Scalar>(posterior, rows_of(cache.noise, rows), latent);
    latent.rightCols(classes_) = x.rightCols(classes_);
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

  /// Mean and log-variance (batch, latent) of q(z|x, y), for x (batch, features) and one label for each row.
  template <class Rows>
  [[nodiscard]] Posterior<Scalar> encode(const Rows& x, std::span<const std::uint8_t> labels) const {
    const Matrix<Scalar> both =
        detail::apply(encoder_, ConstMatrixView<Scalar>(condition<Scalar>(x, labels, classes_)));
    const Index latent = both.cols() / 2;
    return {both.leftCols(latent), both.rightCols(latent)};
  }
  /// Output (batch, features) for latent variables (batch, latent) and one label for each row.
  [[nodiscard]] Matrix<Scalar> decode(const ConstMatrixView<Scalar>& latent,
                                      std::span<const std::uint8_t> labels) const {
    return detail::apply(decoder_, ConstMatrixView<Scalar>(condition<Scalar>(latent, labels, classes_)));
  }
  /// decode(mu(x, y), y).
  template <class Rows>
  [[nodiscard]] Matrix<Scalar> reconstruct(const Rows& x, std::span<const std::uint8_t> labels) const {
    return decode(encode(x, labels).mu, labels);
  }
  /// A new sample (1, features) of each of the given classes: z ~ N(0, I), then decode.
  [[nodiscard]] Matrix<Scalar> sample(std::span<const std::uint8_t> labels, Rng& rng) const {
    return decode(randn<Scalar>(static_cast<Index>(labels.size()), latent_features(), rng), labels);
  }

 private:
  [[nodiscard]] Index latent_of(Index in) const {
    const Index both = detail::out_features(encoder_, in);
    if (both % 2 != 0)
      throw ShapeError(detail::message(name, ": the encoder gives ", both,
                                       " features; mean and log-variance need an even number, 2 x latent"));
    return both / 2;
  }

  Encoder encoder_;
  Decoder decoder_;
  Index classes_;
};

}  // namespace hourglass
