// Autoencoder with tied weights: each layer of the decoder has the transposed weight of its mirror in the encoder,
//     h = f(x W^T + b),    reconstruction = g(h W + c).
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/models/code_penalty.hpp"
#include "hourglass/models/encoder_decoder.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/mlp.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tied_decoder.hpp"
#include "hourglass/nn/transposed_linear.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

/// An encoder that is an Mlp and the decoder that mirrors it with the same weights, transposed, and biases of its own:
/// `TiedAutoencoder{Mlp<Sigmoid, Sigmoid>{{784, 500, 30}}, Sigmoid{}}`. The decoder has the hidden activations of the
/// encoder and ends in `Last`. The gradient of a weight is the sum of those of its two uses.
///
/// Parameters are named "encoder.0.weight", "encoder.0.bias", ..., "decoder.0.bias", ...; the biases of the decoder
/// start as zeros, whatever initialize() does.
template <Activation Hidden, Activation Code, Activation Last = Sigmoid, class Scalar_ = float>
class TiedAutoencoder : public EncoderDecoder<TiedAutoencoder<Hidden, Code, Last, Scalar_>, Mlp<Hidden, Code, Scalar_>,
                                              TiedDecoder<Hidden, Last, Scalar_>> {
  using Base = typename TiedAutoencoder::EncoderDecoder;

 public:
  using typename Base::Decoder;
  using typename Base::Encoder;
  using typename Base::Scalar;
  static constexpr std::string_view name = "TiedAutoencoder";
  using Cache = CodeCache<Scalar, Encoder, Decoder>;

  explicit TiedAutoencoder(Mlp<Hidden, Code, Scalar_> encoder, Last last = {})
      : Base(encoder, Decoder(encoder, last)) {}

  [[nodiscard]] Index code_features() const noexcept { return encoder_.out_features(); }
  /// Throws ShapeError unless `in` is in_features().
  [[nodiscard]] Index out_features(Index in) const {
    (void)encoder_.out_features(in);
    return in;
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    return {encoder_.plan(max_batch, in, purpose), decoder_.plan(max_batch, purpose),
            purpose == Purpose::training ? Matrix<Scalar>(max_batch, code_features()) : Matrix<Scalar>()};
  }

  // The passes of a container, see nn/container.hpp.
  using Base::forward;
  /// Starts a batch, which has no penalty yet.
  template <Mode M>
  void draw(Cache& cache, const M&, Index) const noexcept {
    cache.penalty.forget();
  }
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    return decoder_.forward(encoder_, encoder_.forward(x, cache.encoder, mode, rows), cache.decoder, rows);
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    const MatrixView<Scalar> dcode = rows_of(cache.code_gradient, rows);
    decoder_.backward_inputs(encoder_, dy, cache.decoder, dcode, rows,
                             detail::last_activation<Scalar>(encoder_, cache.encoder, rows));
    cache.penalty.add_to(dcode, encoder_, cache.encoder, rows);
    encoder_.backward_inputs(x, ConstMatrixView<Scalar>(dcode), cache.encoder, gradient, dx, rows);
  }
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    const RowRange rows{0, x.rows()};
    const ConstMatrixView<Scalar> code = cache.code(x.rows());
    const std::size_t depth = self.encoder_.depth();
    Index slot = 0;
    for (std::size_t i = 0; i < depth; ++i) {
      const std::size_t mirror = depth - 1 - i;
      const auto& dsums = i + 1 < depth ? cache.encoder.gradients[i] : cache.code_gradient;
      TransposedLinear<Scalar>::weight_gradient(
          self.encoder_.linear(i), i == 0 ? x : first_rows(std::as_const(cache.encoder.outputs[i - 1]), x.rows()),
          first_rows(dsums, x.rows()), Decoder::input_of(mirror, code, cache.decoder, rows),
          self.decoder_.gradient_of(mirror, dy, cache.decoder, rows), sink.at_slot(slot), part);
      slot += slots_size<Scalar>(self.encoder_.linear(i));
    }
    for (std::size_t i = 0; i < depth; ++i) {
      auto& layer = self.decoder_.layer(i);
      TransposedLinear<Scalar>::bias_gradient(layer, self.decoder_.gradient_of(i, dy, cache.decoder, rows),
                                              sink.at_slot(slot), part);
      slot += slots_size<Scalar>(layer);
    }
  }

  /// Output (batch, features) for codes (batch, code).
  [[nodiscard]] Matrix<Scalar> decode(const ConstMatrixView<Scalar>& code) const {
    return detail::apply(WholeDecoder{encoder_, decoder_}, code);
  }
  ConstMatrixView<Scalar> decode(const ConstMatrixView<Scalar>& code, Workspace<TiedAutoencoder>& workspace) const {
    return workspace.infer(WholeDecoder{encoder_, decoder_}, code, workspace.cache().decoder);
  }

 private:
  /// The decoder with its weights: a container for inference.
  struct WholeDecoder {
    using Scalar = Scalar_;
    using Cache = typename Decoder::Cache;
    const Encoder& encoder;
    const Decoder& decoder;

    [[nodiscard]] Index out_features(Index in) const {
      if (in != decoder.in_features())
        throw ShapeError(detail::message("TiedAutoencoder: the code has ", in, " features, the decoder expects ",
                                         decoder.in_features(), "; decode what encode() gives"));
      return decoder.out_features();
    }
    [[nodiscard]] Cache plan(Index max_batch, Index, Purpose purpose) const { return decoder.plan(max_batch, purpose); }
    template <Mode M>
    ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M&, RowRange rows) const {
      return decoder.forward(encoder, x, cache, rows);
    }
  };

  using Base::decoder_;
  using Base::encoder_;
};

}  // namespace hourglass
