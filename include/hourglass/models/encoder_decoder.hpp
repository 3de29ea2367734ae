// EncoderDecoder: what all autoencoders share: two networks, one behind the other, and what runs them.
#pragma once

#include <algorithm>
#include <concepts>
#include <string_view>
#include <tuple>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/shape_flow.hpp"
#include "hourglass/nn/workspace.hpp"
#include "hourglass/nn/workspace_passes.hpp"

namespace hourglass {

namespace detail {

/// One of `parts` equal parts of the channels of an image; of another image nothing is known.
[[nodiscard]] constexpr ImageShape part_of(const ImageShape& image, Index parts) noexcept {
  if (!image.is_known() || image.channels % parts != 0) return any_image;
  return {image.channels / parts, image.height, image.width};
}

/// Does not compile when a decoder cannot read 1 / parts of what an encoder gives, or makes other images of it than the
/// encoder reads, as far as the compiler knows.
template <class Encoder, class Decoder, Index parts>
struct Joint {
  static constexpr Index in = static_in<Encoder>();
  static constexpr Index given = static_out<Encoder>(in);
  static constexpr Index code = given == Dynamic ? Dynamic : given / parts;
  static constexpr Index out = static_out<Decoder>(code);
  static constexpr ImageShape in_image = static_in_image<Encoder>();
  static constexpr ImageShape code_image = part_of(static_out_image<Encoder>(in_image), parts);
  static constexpr ImageShape out_image = static_out_image<Decoder>(code_image);
  static_assert(MatchingWidths<1, code, static_in<Decoder>()>::value);
  static_assert(matching_images<1, code_image, static_in_image<Decoder>()>);
  static_assert(in == Dynamic || in != out || matching_images<2, out_image, in_image>);
  static constexpr bool value = true;
};

}  // namespace detail

/// Base of `Model`, which adds `Cache` with `encoder`, `decoder`, decoder_input(rows), encoder_gradient(rows) (that of
/// the encoder's output) and output(rows); plan(); out_features(); and the other passes of a container, see
/// nn/container.hpp. A static `name` is for messages.
///
/// Parameters are named "encoder.<...>" and "decoder.<...>".
template <class Model, class Encoder_, class Decoder_>
class EncoderDecoder : public WorkspacePasses<Model, typename detail::ScalarOf<Encoder_, Decoder_>::type> {
 public:
  using Encoder = Encoder_;
  using Decoder = Decoder_;
  using Scalar = typename detail::ScalarOf<Encoder, Decoder>::type;
  static_assert(detail::same_scalar<Encoder, Scalar>() && detail::same_scalar<Decoder, Scalar>(),
                "Autoencoder: encoder and decoder must share one scalar type");
  static constexpr Index static_in = detail::static_in<Encoder>();
  static constexpr Index static_out = detail::static_out<Decoder>(detail::static_in<Decoder>());

  static constexpr bool rows_independent = detail::rows_independent<Encoder> && detail::rows_independent<Decoder>;
  static constexpr Index row_group = std::max(detail::row_group<Encoder>(), detail::row_group<Decoder>());
  using LastActivation = detail::LastActivation<Decoder>;

  static constexpr auto fields() {
    return std::tuple{Field{"encoder", &EncoderDecoder::encoder_}, Field{"decoder", &EncoderDecoder::decoder_}};
  }

  [[nodiscard]] Encoder& encoder() noexcept { return encoder_; }
  [[nodiscard]] const Encoder& encoder() const noexcept { return encoder_; }
  [[nodiscard]] Decoder& decoder() noexcept { return decoder_; }
  [[nodiscard]] const Decoder& decoder() const noexcept { return decoder_; }

  [[nodiscard]] Index in_features() const { return detail::in_features(encoder_); }

  /// Code (batch, code) of x (batch, features).
  [[nodiscard]] Matrix<Scalar> encode(const ConstMatrixView<Scalar>& x) const { return detail::apply(encoder_, x); }
  /// Output (batch, features) for codes (batch, code).
  [[nodiscard]] Matrix<Scalar> decode(const ConstMatrixView<Scalar>& code) const {
    return detail::apply(decoder_, code);
  }
  /// decode(encode(x)).
  [[nodiscard]] Matrix<Scalar> reconstruct(const ConstMatrixView<Scalar>& x) const {
    return model().decode(model().encode(x));
  }
  /// The same for anything that becomes a matrix, such as 8-bit images.
  template <class Rows>
  requires(!DirectMatrix<Rows> && std::convertible_to<const Rows&, Matrix<Scalar>>)
      [[nodiscard]] auto encode(const Rows& x) const {
    return model().encode(ConstMatrixView<Scalar>(static_cast<Matrix<Scalar>>(x)));
  }
  template <class Rows>
  requires(!DirectMatrix<Rows> && std::convertible_to<const Rows&, Matrix<Scalar>>)
      [[nodiscard]] Matrix<Scalar> reconstruct(const Rows& x) const {
    return model().reconstruct(ConstMatrixView<Scalar>(static_cast<Matrix<Scalar>>(x)));
  }

  /// The same in a workspace: nothing is allocated, and the result lasts until the workspace's next use. Any number of
  /// threads may share the model, each with a workspace of its own, which may be one for inference. Throws ShapeError
  /// when the workspace has no room for so many rows.
  ConstMatrixView<Scalar> encode(const ConstMatrixView<Scalar>& x, Workspace<Model>& workspace) const {
    return workspace.infer(encoder_, x, workspace.cache().encoder);
  }
  ConstMatrixView<Scalar> decode(const ConstMatrixView<Scalar>& code, Workspace<Model>& workspace) const {
    return workspace.infer(decoder_, code, workspace.cache().decoder);
  }
  ConstMatrixView<Scalar> reconstruct(const ConstMatrixView<Scalar>& x, Workspace<Model>& workspace) const {
    return workspace.forward(model(), x, Inference{});
  }

  // The passes of a container, as far as all models share them.
  template <class Self, class Cache, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    detail::backward_parameters<Scalar>(self.encoder(), x, cache.encoder_gradient(x.rows()), cache.encoder, sink, part);
    detail::backward_parameters<Scalar>(self.decoder(), cache.decoder_input(x.rows()), self.decoder_rows(dy),
                                        cache.decoder, sink.at_slot(self.decoder_slots()), part);
  }
  template <class Cache>
  void update_buffers(const Cache& cache) {
    detail::update_buffers<Scalar>(encoder_, cache.encoder);
    detail::update_buffers<Scalar>(decoder_, cache.decoder);
  }
  [[nodiscard]] const auto& last_activation() const noexcept { return decoder_.last_activation(); }
  template <class Cache>
  [[nodiscard]] const Scalar* last_input(const Cache& cache) const noexcept {
    return decoder_.last_input(cache.decoder);
  }

  /// See nn/shape_flow.hpp.
  template <class Visit>
  detail::RowShape follow_shapes(const ParameterName& parent, const detail::RowShape& in, Visit& visit) const {
    detail::RowShape row = in;
    detail::for_each_child(model(), [&](std::string_view key, const auto& child) {
      row = detail::follow_shapes(child, ParameterName{parent, key}, row, visit);
      if (key == "encoder") row = model().code_shape(row);
    });
    return row;
  }

 protected:
  EncoderDecoder() = default;
  EncoderDecoder(Encoder encoder, Decoder decoder) : encoder_{std::move(encoder)}, decoder_{std::move(decoder)} {}

  [[nodiscard]] const Model& model() const noexcept { return static_cast<const Model&>(*this); }

  /// Throws ShapeError when widths or images do not fit each other, or the output is images of another shape than the
  /// input is.
  void check_shapes() const {
    const Index in = in_features();
    (void)model().out_features(in);
    detail::ShapeCheck check{Model::name, ""};
    const detail::RowShape out = model().output_shape(follow_shapes(ParameterName{}, {}, check));
    if (out.features == in) check.require(out.image, "the input", detail::in_image(encoder_));
  }
  /// Throws ShapeError unless the decoder can read a code of `code` features.
  void check_code(Index code, const char* which = "") const {
    const Index expected = detail::in_features(decoder_);
    if (!compatible(code, expected))
      throw ShapeError(detail::message(Model::name, which, ": the encoder gives a code of ", code,
                                       " features, the decoder expects ", expected, "; make the two numbers equal"));
  }

  // A model hides those that are otherwise.
 public:
  /// Rows that go into the decoder when those of shape `encoded` come out of the encoder.
  [[nodiscard]] detail::RowShape code_shape(const detail::RowShape& encoded) const noexcept { return encoded; }
  /// The reconstruction within the output of the decoder.
  [[nodiscard]] detail::RowShape output_shape(const detail::RowShape& decoded) const noexcept { return decoded; }
  /// Where the decoder's gradients begin.
  [[nodiscard]] Index decoder_slots() const { return slots_size<Scalar>(encoder_); }
  /// Rows of the output as rows of the decoder's.
  [[nodiscard]] ConstMatrixView<Scalar> decoder_rows(const ConstMatrixView<Scalar>& rows) const noexcept {
    return rows;
  }

 protected:
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace hourglass
