// Autoencoder with tied weights: each layer of the decoder has the transposed weight of its mirror in the encoder,
//     h = f(x W^T + b),    reconstruction = g(h W + c).
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/models/code_penalty.hpp"
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
class TiedAutoencoder {
 public:
  using Scalar = Scalar_;
  using Encoder = Mlp<Hidden, Code, Scalar>;
  using Decoder = TiedDecoder<Hidden, Last, Scalar>;
  static constexpr std::string_view name = "TiedAutoencoder";
  static constexpr Index static_in = Dynamic;
  static constexpr Index static_out = Dynamic;

  static constexpr bool rows_independent = true;
  static constexpr Index row_group = 1;
  using LastActivation = Last;

  struct Cache {
    typename Encoder::Cache encoder;
    typename Decoder::Cache decoder;
    Matrix<Scalar> code_gradient;  // (max_batch, code)
    CodePenalty<Scalar> penalty{};

    /// (rows, code).
    [[nodiscard]] ConstMatrixView<Scalar> code(Index rows) const noexcept { return encoder.output(rows); }
    /// Room (rows, code) for d penalty / d code of a loss that has a penalty on the code: backward() adds it.
    [[nodiscard]] MatrixView<Scalar> penalty_gradient(Index rows) {
      return penalty.gradient(code_gradient.rows(), rows, code_gradient.cols());
    }
    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return decoder.output(rows); }
    [[nodiscard]] std::size_t bytes() const noexcept {
      return encoder.bytes() + decoder.bytes() + penalty.bytes() +
             static_cast<std::size_t>(code_gradient.size()) * sizeof(Scalar);
    }
  };

  explicit TiedAutoencoder(Mlp<Hidden, Code, Scalar> encoder, Last last = {})
      : encoder_{std::move(encoder)}, decoder_{encoder_, last} {}

  static constexpr auto fields() {
    return std::tuple{Field{"encoder", &TiedAutoencoder::encoder_}, Field{"decoder", &TiedAutoencoder::decoder_}};
  }

  [[nodiscard]] Encoder& encoder() noexcept { return encoder_; }
  [[nodiscard]] const Encoder& encoder() const noexcept { return encoder_; }
  [[nodiscard]] Decoder& decoder() noexcept { return decoder_; }
  [[nodiscard]] const Decoder& decoder() const noexcept { return decoder_; }

  [[nodiscard]] Index in_features() const noexcept { return encoder_.in_features(); }
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

  /// Reconstruction (batch, features) of x (batch, features); it lies in the workspace and lasts until its next use.
  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Workspace<TiedAutoencoder>& workspace,
                                  const M& mode = {}) const {
    return workspace.forward(*this, x, mode);
  }
  /// Gradients of all parameters, from workspace.output_gradient() and the batch x of the last forward().
  void backward(const ConstMatrixView<Scalar>& x, Workspace<TiedAutoencoder>& workspace) const {
    workspace.backward(*this, x);
  }
  /// The same and a step of `optimizer`, see Autoencoder.
  template <class Optimizer>
  void backward(const ConstMatrixView<Scalar>& x, Workspace<TiedAutoencoder>& workspace, Optimizer& optimizer) {
    workspace.backward(*this, x, optimizer);
  }

  // The passes of a container, see nn/container.hpp.
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
  void update_buffers(const Cache&) noexcept {}  // there are none
  [[nodiscard]] const Last& last_activation() const noexcept { return decoder_.last_activation(); }
  [[nodiscard]] const Scalar* last_input(const Cache& cache) const noexcept { return cache.decoder.sums.back().data(); }

  /// Code (batch, code) of x (batch, features).
  [[nodiscard]] Matrix<Scalar> encode(const ConstMatrixView<Scalar>& x) const { return detail::apply(encoder_, x); }
  /// Output (batch, features) for codes (batch, code).
  [[nodiscard]] Matrix<Scalar> decode(const ConstMatrixView<Scalar>& code) const {
    return detail::apply(WholeDecoder{encoder_, decoder_}, code);
  }
  /// decode(encode(x)), a bounded number of rows at a time.
  [[nodiscard]] Matrix<Scalar> reconstruct(const ConstMatrixView<Scalar>& x) const { return detail::apply(*this, x); }
  /// The same for anything that becomes a matrix, such as 8-bit images.
  template <class Rows>
  requires(!DirectMatrix<Rows> && std::convertible_to<const Rows&, Matrix<Scalar>>)
      [[nodiscard]] Matrix<Scalar> reconstruct(const Rows& x) const {
    return reconstruct(ConstMatrixView<Scalar>(static_cast<Matrix<Scalar>>(x)));
  }

  /// The same in a workspace: nothing is allocated, see Autoencoder.
  ConstMatrixView<Scalar> encode(const ConstMatrixView<Scalar>& x, Workspace<TiedAutoencoder>& workspace) const {
    return workspace.infer(encoder_, x, workspace.cache().encoder);
  }
  ConstMatrixView<Scalar> decode(const ConstMatrixView<Scalar>& code, Workspace<TiedAutoencoder>& workspace) const {
    return workspace.infer(WholeDecoder{encoder_, decoder_}, code, workspace.cache().decoder);
  }
  ConstMatrixView<Scalar> reconstruct(const ConstMatrixView<Scalar>& x, Workspace<TiedAutoencoder>& workspace) const {
    return workspace.forward(*this, x, Inference{});
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

  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace hourglass
