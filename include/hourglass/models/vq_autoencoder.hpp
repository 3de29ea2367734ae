// VQ-VAE: reconstruction = decoder(q(encoder(x))), where q replaces each vector of the code by the nearest one of a
// codebook. The gradient passes through q as if it were not there.
//
// A. van den Oord, O. Vinyals, K. Kavukcuoglu, "Neural discrete representation learning", 2017.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/models/encoder_decoder.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/vector_quantizer.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

namespace detail {

/// gradient_k += factor (e_k - z_i) over all vectors z_i whose nearest code is k.
template <class Scalar>
struct CodebookGradient {
  Index count;
  Index dimensions;
  const Index* indices;     // (count)
  const Scalar* z;          // (count, dimensions)
  const Scalar* quantized;  // (count, dimensions): e_k
  Scalar factor;
  Scalar* gradient;  // (codes, dimensions)
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; ++i) {
      Scalar* const to = gradient + indices[i] * dimensions;
      for (Index d = 0; d < dimensions; d += V::lanes) {
        const Index n = std::min<Index>(V::lanes, dimensions - d);
        const V difference = V::load(quantized + i * dimensions + d, n) - V::load(z + i * dimensions + d, n);
        fma(V(factor), difference, V::load(to + d, n)).store(to + d, n);
      }
    }
  })
};

}  // namespace detail

/// An encoder x (batch, features) -> (batch, width), a codebook whose vectors divide the width, and a decoder (batch,
/// width) -> (batch, features): width / dimensions codes for each row. Trained on VQLoss, by any optimiser, or with the
/// codebook as a moving average of what it stands for, see CodebookEMA. Parameters are named "encoder.<...>",
/// "quantizer.weight" and "decoder.<...>".
template <class Encoder, class Decoder>
class VQAutoencoder : public EncoderDecoder<VQAutoencoder<Encoder, Decoder>, Encoder, Decoder> {
  static_assert(detail::Joint<Encoder, Decoder, 1>::value);
  using Base = typename VQAutoencoder::EncoderDecoder;

 public:
  using typename Base::Scalar;
  static constexpr std::string_view name = "VQAutoencoder";

  struct Cache {
    typename detail::CacheOf<Scalar, Encoder>::type encoder;
    typename detail::CacheOf<Scalar, Decoder>::type decoder;
    Matrix<Scalar> quantized;            // (max_batch, width)
    Matrix<Scalar> code_gradient;        // (max_batch, width)
    Matrix<Scalar> commitment_gradient;  // (max_batch, width): from VQLoss
    Matrix<Scalar> scores;               // (max_batch * vectors, codes)
    Matrix<Scalar> half_norms;           // (1, codes)
    std::vector<Index> indices;          // (max_batch * vectors): the nearest codes
    std::vector<Index> counts;           // (codes): how often each was the nearest, from VQLoss
    double codebook_weight = 0;          // of |e_k - z|^2 / 2 in the loss, from VQLoss

    /// (rows, width): what the encoder gives.
    [[nodiscard]] ConstMatrixView<Scalar> code(Index rows) const noexcept { return encoder.output(rows); }
    [[nodiscard]] ConstMatrixView<Scalar> decoder_input(Index rows) const noexcept {
      return first_rows(quantized, rows);
    }
    [[nodiscard]] ConstMatrixView<Scalar> encoder_gradient(Index rows) const noexcept {
      return first_rows(code_gradient, rows);
    }
    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return decoder.output(rows); }
    [[nodiscard]] std::size_t bytes() const noexcept {
      const Index own =
          quantized.size() + code_gradient.size() + commitment_gradient.size() + scores.size() + half_norms.size();
      return encoder.bytes() + decoder.bytes() + static_cast<std::size_t>(own) * sizeof(Scalar) +
             (indices.size() + counts.size()) * sizeof(Index);
    }
  };

  /// Throws ShapeError unless the encoder gives whole vectors of the codebook, and what the decoder reads, and where
  /// Autoencoder does.
  VQAutoencoder(Encoder encoder, VectorQuantizer<Scalar> quantizer, Decoder decoder)
      : Base(std::move(encoder), std::move(decoder)), quantizer_{std::move(quantizer)} {
    this->check_shapes();
  }

  static constexpr auto fields() {
    return std::tuple{Field{"encoder", &VQAutoencoder::encoder_}, Field{"quantizer", &VQAutoencoder::quantizer_},
                      Field{"decoder", &VQAutoencoder::decoder_}};
  }

  [[nodiscard]] VectorQuantizer<Scalar>& quantizer() noexcept { return quantizer_; }
  [[nodiscard]] const VectorQuantizer<Scalar>& quantizer() const noexcept { return quantizer_; }

  [[nodiscard]] Index code_features() const { return detail::out_features(this->encoder_, this->in_features()); }
  /// Vectors of the codebook that a row becomes.
  [[nodiscard]] Index vectors() const { return code_features() / quantizer_.dimensions(); }
  [[nodiscard]] Index out_features(Index in) const {
    const Index width = detail::out_features(this->encoder_, in);
    if (width % quantizer_.dimensions() != 0)
      throw ShapeError(detail::message("VQAutoencoder: the encoder gives ", width, " features, no multiple of the ",
                                       quantizer_.dimensions(), " dimensions of a code"));
    this->check_code(width);
    return detail::out_features(this->decoder_, width);
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    const Index width = detail::out_features(this->encoder_, in);
    const Index all = max_batch * (width / quantizer_.dimensions());
    const Index back = purpose == Purpose::training ? max_batch : 0;
    return {detail::plan<Scalar>(this->encoder_, max_batch, in, purpose),
            detail::plan<Scalar>(this->decoder_, max_batch, width, purpose),
            Matrix<Scalar>(max_batch, width),
            Matrix<Scalar>(back, width),
            Matrix<Scalar>(back, width),
            Matrix<Scalar>(all, quantizer_.codes()),
            Matrix<Scalar>(1, quantizer_.codes()),
            std::vector<Index>(static_cast<std::size_t>(all)),
            std::vector<Index>(static_cast<std::size_t>(quantizer_.codes()))};
  }

  // The passes of a container, see nn/container.hpp.
  using Base::forward;
  /// Prepares a batch.
  template <Mode M>
  void draw(Cache& cache, const M&, Index) const {
    quantizer_.half_norms(cache.half_norms.data());
    cache.codebook_weight = 0;
  }
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    const auto code = detail::propagate<Scalar>(this->encoder_, x, cache.encoder, mode, rows);
    const Index dimensions = quantizer_.dimensions();
    const Index each = code.cols() / dimensions;
    const RowRange all{rows.first * each, rows.count * each};
    MatrixView<Scalar> quantized = rows_of(cache.quantized, rows);
    Index* const indices = cache.indices.data() + all.first;
    quantizer_.nearest({code.data(), all.count, dimensions}, cache.half_norms.data(), rows_of(cache.scores, all),
                       indices);
    quantizer_.look_up(indices, {quantized.data(), all.count, dimensions});
    if (cache.commitment_gradient.size() > 0) rows_of(cache.commitment_gradient, rows).setZero();
    return detail::propagate<Scalar>(this->decoder_, ConstMatrixView<Scalar>(quantized), cache.decoder, mode, rows);
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    MatrixView<Scalar> dcode = rows_of(cache.code_gradient, rows);
    detail::backward_inputs<Scalar>(this->decoder_, ConstMatrixView<Scalar>(rows_of(cache.quantized, rows)), dy,
                                    cache.decoder, gradient + decoder_slots(), dcode, rows);
    dcode += rows_of(cache.commitment_gradient, rows);
    detail::before_last_activation<Scalar>(this->encoder_, cache.encoder, rows, dcode);
    detail::backward_inputs<Scalar>(this->encoder_, x, ConstMatrixView<Scalar>(dcode), cache.encoder, gradient, dx,
                                    rows);
  }
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    Base::backward_parameters(self, x, dy, cache, sink, part);
    if (part.index != 0) return;
    const auto own = sink.at_slot(slots_size<Scalar>(self.encoder_));
    const Index dimensions = self.quantizer_.dimensions();
    const Index size = self.quantizer_.codes() * dimensions;
    std::fill_n(own.gradient, size, Scalar(0));
    const auto quantized = cache.decoder_input(x.rows());
    simd::dispatch<Scalar>(detail::CodebookGradient<Scalar>{
        quantized.size() / dimensions, dimensions, cache.indices.data(), cache.code(x.rows()).data(), quantized.data(),
        static_cast<Scalar>(cache.codebook_weight), own.gradient});
    if constexpr (Sink::updates)
      detail::update_range(own.rule, Index{0}, size, self.quantizer_.weight().data(),
                           static_cast<const Scalar*>(own.gradient));
  }
  [[nodiscard]] Index decoder_slots() const {
    return slots_size<Scalar>(this->encoder_) + slots_size<Scalar>(quantizer_);
  }

  /// Numbers of the codes (batch * vectors) of x (batch, features), row after row.
  [[nodiscard]] std::vector<Index> encode_indices(const ConstMatrixView<Scalar>& x) const {
    const Matrix<Scalar> code = detail::apply(this->encoder_, x);
    const Index dimensions = quantizer_.dimensions();
    const Index count = code.size() / dimensions;
    std::vector<Index> indices(static_cast<std::size_t>(count));
    Matrix<Scalar> norms(1, quantizer_.codes());
    Matrix<Scalar> scores(std::min(count, detail::apply_rows), quantizer_.codes());
    quantizer_.half_norms(norms.data());
    for (Index first = 0; first < count; first += detail::apply_rows) {
      const Index rows = std::min(detail::apply_rows, count - first);
      quantizer_.nearest({code.data() + first * dimensions, rows, dimensions}, norms.data(), first_rows(scores, rows),
                         indices.data() + first);
    }
    return indices;
  }
  /// Quantised code (batch, width) of x (batch, features).
  [[nodiscard]] Matrix<Scalar> encode(const ConstMatrixView<Scalar>& x) const { return look_up(encode_indices(x)); }
  /// Output (batch, features) for the numbers of codes, vectors() for each row. Throws ShapeError when there is no such
  /// code, or they are no whole rows.
  [[nodiscard]] Matrix<Scalar> decode_indices(std::span<const Index> indices) const {
    return this->decode(look_up(indices));
  }

 private:
  [[nodiscard]] Matrix<Scalar> look_up(std::span<const Index> indices) const {
    const auto count = static_cast<Index>(indices.size());
    if (count % vectors() != 0)
      throw ShapeError(
          detail::message("VQAutoencoder: ", count, " codes make no whole rows of ", vectors(), " codes each"));
    for (const Index index : indices)
      if (index < 0 || index >= quantizer_.codes())
        throw ShapeError(detail::message("VQAutoencoder: there is no code ", index, " of ", quantizer_.codes()));
    Matrix<Scalar> code(count / vectors(), code_features());
    quantizer_.look_up(indices.data(), {code.data(), count, quantizer_.dimensions()});
    return code;
  }

  VectorQuantizer<Scalar> quantizer_;
};

}  // namespace hourglass
