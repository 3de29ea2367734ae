// Autoencoder: reconstruction = decoder(encoder(x)).
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
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

/// An encoder x (batch, features) -> code (batch, code) and a decoder code -> reconstruction (batch, features).
/// Parameters are named "encoder.<...>" and "decoder.<...>".
template <class Encoder, class Decoder>
class Autoencoder {
  static_assert(detail::MatchingWidths<1, detail::static_out<Encoder>(detail::static_in<Encoder>()),
                                       detail::static_in<Decoder>()>::value);

 public:
  using Scalar = typename detail::ScalarOf<Encoder, Decoder>::type;
  static_assert(detail::same_scalar<Encoder, Scalar>() && detail::same_scalar<Decoder, Scalar>(),
                "Autoencoder: encoder and decoder must share one scalar type");
  static constexpr std::string_view name = "Autoencoder";
  static constexpr Index static_in = detail::static_in<Encoder>();
  static constexpr Index static_out = detail::static_out<Decoder>(detail::static_in<Decoder>());

  struct Cache {
    typename detail::CacheOf<Scalar, Encoder>::type encoder;
    typename detail::CacheOf<Scalar, Decoder>::type decoder;
    Matrix<Scalar> code_gradient;  // (max_batch, code)

    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return decoder.output(rows); }
    [[nodiscard]] std::size_t bytes() const noexcept {
      return encoder.bytes() + decoder.bytes() + static_cast<std::size_t>(code_gradient.size()) * sizeof(Scalar);
    }
  };

  Autoencoder() = default;
  /// Throws ShapeError when the code's width does not fit the decoder.
  Autoencoder(Encoder encoder, Decoder decoder) : encoder_{std::move(encoder)}, decoder_{std::move(decoder)} {
    (void)out_features(in_features());
  }

  static constexpr auto fields() {
    return std::tuple{Field{"encoder", &Autoencoder::encoder_}, Field{"decoder", &Autoencoder::decoder_}};
  }

  [[nodiscard]] Encoder& encoder() noexcept { return encoder_; }
  [[nodiscard]] const Encoder& encoder() const noexcept { return encoder_; }
  [[nodiscard]] Decoder& decoder() noexcept { return decoder_; }
  [[nodiscard]] const Decoder& decoder() const noexcept { return decoder_; }

  [[nodiscard]] Index in_features() const { return detail::in_features(encoder_); }
  [[nodiscard]] Index code_features() const { return detail::out_features(encoder_, in_features()); }
  [[nodiscard]] Index out_features(Index in) const {
    const Index code = detail::out_features(encoder_, in);
    detail::check_code("Autoencoder", code, detail::in_features(decoder_));
    return detail::out_features(decoder_, code);
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    const Index code = detail::out_features(encoder_, in);
    return {detail::plan<Scalar>(encoder_, max_batch, in, purpose),
            detail::plan<Scalar>(decoder_, max_batch, code, purpose),
            purpose == Purpose::training ? Matrix<Scalar>(max_batch, code) : Matrix<Scalar>()};
  }

  /// Reconstruction (batch, features) of x (batch, features); it lies in the workspace and lasts until its next use.
  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Workspace<Autoencoder>& workspace,
                                  const M& mode = {}) const {
    return workspace.forward(*this, x, mode);
  }
  /// Gradients of all parameters, from workspace.output_gradient() and the batch x of the last forward().
  void backward(const ConstMatrixView<Scalar>& x, Workspace<Autoencoder>& workspace) const {
    workspace.backward(*this, x);
  }

  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode) const {
    const auto code = detail::propagate<Scalar>(encoder_, x, cache.encoder, mode);
    return detail::propagate<Scalar>(decoder_, code, cache.decoder, mode);
  }
  /// `gradient` points to this module's slots; dx (batch, features) is computed unless it is empty.
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache, Scalar* gradient,
                MatrixView<Scalar> dx) const {
    const auto code = cache.encoder.output(x.rows());
    const auto dcode = first_rows(cache.code_gradient, x.rows());
    detail::backpropagate<Scalar>(decoder_, code, dy, cache.decoder, gradient + slots_size<Scalar>(encoder_), dcode);
    detail::backpropagate<Scalar>(encoder_, x, dcode, cache.encoder, gradient, dx);
  }

  /// Code (batch, code) of x (batch, features).
  [[nodiscard]] Matrix<Scalar> encode(const ConstMatrixView<Scalar>& x) const { return detail::apply(encoder_, x); }
  /// Output (batch, features) for codes (batch, code).
  [[nodiscard]] Matrix<Scalar> decode(const ConstMatrixView<Scalar>& code) const {
    return detail::apply(decoder_, code);
  }
  /// decode(encode(x)), a bounded number of rows at a time.
  [[nodiscard]] Matrix<Scalar> reconstruct(const ConstMatrixView<Scalar>& x) const { return detail::apply(*this, x); }
  /// The same for anything that becomes a matrix, such as 8-bit images.
  template <class Rows>
  requires(!DirectMatrix<Rows> && std::convertible_to<const Rows&, Matrix<Scalar>>)
      [[nodiscard]] Matrix<Scalar> reconstruct(const Rows& x) const {
    return reconstruct(ConstMatrixView<Scalar>(static_cast<Matrix<Scalar>>(x)));
  }

 private:
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace hourglass
