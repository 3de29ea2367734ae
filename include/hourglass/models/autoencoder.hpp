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
#include "hourglass/models/code_penalty.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
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

  static constexpr bool rows_independent = detail::rows_independent<Encoder> && detail::rows_independent<Decoder>;
  static constexpr Index row_group = std::max(detail::row_group<Encoder>(), detail::row_group<Decoder>());
  using LastActivation = detail::LastActivation<Decoder>;

  struct Cache {
    typename detail::CacheOf<Scalar, Encoder>::type encoder;
    typename detail::CacheOf<Scalar, Decoder>::type decoder;
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
  /// The same and a step of `optimizer`, fused where it can be: gradients are used up where they are made, and
  /// workspace.gradients() does not hold them afterwards. The weights get the bits of backward() and optimizer.step().
  template <class Optimizer>
  void backward(const ConstMatrixView<Scalar>& x, Workspace<Autoencoder>& workspace, Optimizer& optimizer) {
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
    const auto code = detail::propagate<Scalar>(encoder_, x, cache.encoder, mode, rows);
    return detail::propagate<Scalar>(decoder_, code, cache.decoder, mode, rows);
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    const auto code = rows_of(cache.encoder.output(rows.first + rows.count), rows);
    const auto dcode = rows_of(cache.code_gradient, rows);
    Scalar* const decoder_slots = gradient + slots_size<Scalar>(encoder_);
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
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    const ConstMatrixView<Scalar> dcode(first_rows(cache.code_gradient, x.rows()));
    detail::backward_parameters<Scalar>(self.encoder_, x, dcode, cache.encoder, sink, part);
    detail::backward_parameters<Scalar>(self.decoder_, cache.encoder.output(x.rows()), dy, cache.decoder,
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
      [[nodiscard]] Matrix<Scalar> encode(const Rows& x) const {
    return encode(ConstMatrixView<Scalar>(static_cast<Matrix<Scalar>>(x)));
  }
  template <class Rows>
  requires(!DirectMatrix<Rows> && std::convertible_to<const Rows&, Matrix<Scalar>>)
      [[nodiscard]] Matrix<Scalar> reconstruct(const Rows& x) const {
    return reconstruct(ConstMatrixView<Scalar>(static_cast<Matrix<Scalar>>(x)));
  }

  /// The same in a workspace: nothing is allocated, and the result lasts until the workspace's next use. Any number of
  /// threads may share the model, each with a workspace of its own, which may be one for inference. Throws ShapeError
  /// when the workspace has no room for so many rows.
  ConstMatrixView<Scalar> encode(const ConstMatrixView<Scalar>& x, Workspace<Autoencoder>& workspace) const {
    return workspace.infer(encoder_, x, workspace.cache().encoder);
  }
  ConstMatrixView<Scalar> decode(const ConstMatrixView<Scalar>& code, Workspace<Autoencoder>& workspace) const {
    return workspace.infer(decoder_, code, workspace.cache().decoder);
  }
  ConstMatrixView<Scalar> reconstruct(const ConstMatrixView<Scalar>& x, Workspace<Autoencoder>& workspace) const {
    return workspace.forward(*this, x, Inference{});
  }

 private:
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace hourglass
