// Autoencoder: reconstruction = decoder(encoder(x)).
#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/models/code_penalty.hpp"
#include "hourglass/models/encoder_decoder.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

/// An encoder x (batch, features) -> code (batch, code) and a decoder code -> reconstruction (batch, features).
/// Parameters are named "encoder.<...>" and "decoder.<...>". `Derived` is a class that has this as its base.
template <class Encoder, class Decoder, class Derived = void>
class Autoencoder : public EncoderDecoder<
                        std::conditional_t<std::is_void_v<Derived>, Autoencoder<Encoder, Decoder, Derived>, Derived>,
                        Encoder, Decoder> {
  static_assert(detail::Joint<Encoder, Decoder, 1>::value);

 public:
  using typename Autoencoder::EncoderDecoder::Scalar;
  static constexpr std::string_view name = "Autoencoder";
  using Cache = CodeCache<Scalar, Encoder, Decoder>;

  Autoencoder() = default;
  /// Throws ShapeError when the code does not fit the decoder, or the output has the width of the input but is images
  /// of another shape.
  Autoencoder(Encoder encoder, Decoder decoder) : Autoencoder::EncoderDecoder(std::move(encoder), std::move(decoder)) {
    if constexpr (std::is_void_v<Derived>) this->check_shapes();
  }

  [[nodiscard]] Index code_features() const { return detail::out_features(encoder_, this->in_features()); }
  [[nodiscard]] Index out_features(Index in) const {
    const Index code = detail::out_features(encoder_, in);
    this->check_code(code);
    return detail::out_features(decoder_, code);
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    const Index code = detail::out_features(encoder_, in);
    return {detail::plan<Scalar>(encoder_, max_batch, in, purpose),
            detail::plan<Scalar>(decoder_, max_batch, code, purpose),
            purpose == Purpose::training ? Matrix<Scalar>(max_batch, code) : Matrix<Scalar>()};
  }

  // The passes of a container, see nn/container.hpp.
  using Autoencoder::EncoderDecoder::forward;
  /// Starts a batch, which has no penalty yet.
  template <Mode M>
  void draw(Cache& cache, const M&, Index) const noexcept {
    cache.penalty.forget();
  }
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    const auto code = detail::propagate<Scalar>(encoder_, x, cache.encoder, mode, rows);
    return detail::propagate<Scalar>(decoder_, code, cache.decoder, mode, rows);
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    const auto code = rows_of(cache.code(rows.first + rows.count), rows);
    const auto dcode = rows_of(cache.code_gradient, rows);
    Scalar* const decoder_slots = gradient + this->decoder_slots();
    if constexpr (detail::ends_in_activation<Encoder> && detail::starts_affine<Decoder>) {
      detail::backward_inputs<Scalar>(decoder_, code, dy, cache.decoder, decoder_slots, dcode, rows,
                                      detail::last_activation<Scalar>(encoder_, cache.encoder, rows));
    } else {
      detail::backward_inputs<Scalar>(decoder_, code, dy, cache.decoder, decoder_slots, dcode, rows);
      detail::before_last_activation<Scalar>(encoder_, cache.encoder, rows, dcode);
    }
    cache.penalty.add_to(dcode, encoder_, cache.encoder, rows);
    detail::backward_inputs<Scalar>(encoder_, x, ConstMatrixView<Scalar>(dcode), cache.encoder, gradient, dx, rows);
  }

 private:
  using Autoencoder::EncoderDecoder::decoder_;
  using Autoencoder::EncoderDecoder::encoder_;
};

template <class Encoder, class Decoder>
Autoencoder(Encoder, Decoder) -> Autoencoder<Encoder, Decoder>;

}  // namespace hourglass
