// Conditional variational autoencoder: z ~ q(z|x, y), reconstruction of x = decoder(z, y), with a class y for each
// sample.
//
// K. Sohn, H. Lee, X. Yan, "Learning structured output representation using deep conditional generative models", 2015.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/randn.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/models/gaussian_latent.hpp"
#include "hourglass/models/reparameterize.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/layer.hpp"

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
class ConditionalVariationalAutoencoder
    : public GaussianLatent<ConditionalVariationalAutoencoder<Encoder, Decoder>, Encoder, Decoder> {
  using Base = typename ConditionalVariationalAutoencoder::GaussianLatent;

 public:
  using typename Base::Scalar;
  static constexpr std::string_view name = "ConditionalVariationalAutoencoder";

  struct Cache : Base::Cache {
    Matrix<Scalar> target;  // (max_batch, features): x without y

    /// What the output is compared with: the left part of rows (x, y), or rows that are x alone.
    [[nodiscard]] ConstMatrixView<Scalar> target_of(const ConstMatrixView<Scalar>& rows) {
      if (rows.cols() == target.cols() || rows.rows() > target.rows() || rows.cols() < target.cols()) return rows;
      for (Index i = 0; i < rows.rows(); ++i)
        std::copy_n(rows.data() + i * rows.cols(), target.cols(), target.data() + i * target.cols());
      return first_rows(std::as_const(target), rows.rows());
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
      return Base::Cache::bytes() + static_cast<std::size_t>(target.size()) * sizeof(Scalar);
    }
  };

  /// Throws ShapeError unless the encoder reads more than `classes` >= 1 features and gives an even number, and the
  /// decoder reads half of them and the classes.
  ConditionalVariationalAutoencoder(Encoder encoder, Decoder decoder, Index classes)
      : Base(std::move(encoder), std::move(decoder)), classes_{classes} {
    if (classes < 1 || classes >= this->in_features())
      throw ShapeError(detail::message(name, ": the encoder reads ", this->in_features(), " features, ", classes,
                                       " of them classes; it must read x and at least 1 class"));
    this->check_shapes();
  }

  [[nodiscard]] Index classes() const noexcept { return classes_; }
  /// Width of x.
  [[nodiscard]] Index features() const { return this->in_features() - classes_; }
  [[nodiscard]] Index out_features(Index in) const {
    const Index both = this->latent_of(in) + classes_;
    const Index expected = detail::in_features(decoder_);
    if (!compatible(both, expected))
      throw ShapeError(detail::message(name, ": z has ", both - classes_, " features and there are ", classes_,
                                       " classes, the decoder expects ", expected, " in all; make the numbers equal"));
    return detail::out_features(decoder_, both);
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    return {Base::plan(max_batch, in, purpose), Matrix<Scalar>(max_batch, in - classes_)};
  }

  /// See GaussianLatent.
  [[nodiscard]] Index conditions() const noexcept { return classes_; }
  void add_conditions(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> latent) const {
    latent.rightCols(classes_) = x.rightCols(classes_);
  }

  /// Mean and log-variance (batch, latent) of q(z|x, y), for x (batch, features) and one label for each row.
  template <class Rows>
  [[nodiscard]] Posterior<Scalar> encode(const Rows& x, std::span<const std::uint8_t> labels) const {
    return this->posterior_of(ConstMatrixView<Scalar>(condition<Scalar>(x, labels, classes_)));
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
    return decode(randn<Scalar>(static_cast<Index>(labels.size()), this->latent_features(), rng), labels);
  }

 private:
  using Base::decoder_;
  Index classes_;
};

}  // namespace hourglass
