// Penalties on the code of an autoencoder: loss = reconstruction + penalty(code). A loss writes d penalty / d code into
// the cache of the model, and backward() adds it to what comes through the decoder.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

/// A workspace whose model keeps a code (batch, code) and has a place for the gradient of a penalty on it.
template <class Workspace>
concept HoldsCode = requires(Workspace& workspace, Index rows) {
  workspace.cache().code(rows);
  workspace.cache().penalty_gradient(rows);
};

/// d penalty / d code of one batch, between the loss that writes it and the backward pass that adds it.
template <class Scalar>
class CodePenalty {
 public:
  /// Room (rows, code) to write to; memory for max_batch rows is made at the first call.
  [[nodiscard]] MatrixView<Scalar> gradient(Index max_batch, Index rows, Index code) {
    if (gradient_.rows() != max_batch) gradient_ = Matrix<Scalar>(max_batch, code);
    written_ = true;
    return first_rows(gradient_, rows);
  }
  /// Starts a batch: nothing has been written yet.
  void forget() noexcept { written_ = false; }

  /// Adds rows `rows` of it to dcode, the gradient before the activation that the encoder ends in, if it ends in one.
  template <class Encoder, class Cache>
  void add_to(MatrixView<Scalar> dcode, const Encoder& encoder, const Cache& cache, RowRange rows) const {
    if (!written_) return;
    const ConstMatrixView<Scalar> gradient = rows_of(gradient_, rows);
    if constexpr (detail::ends_in_activation<Encoder>) {
      const auto last = detail::last_activation<Scalar>(encoder, cache, rows);
      simd::dispatch<Scalar>(AddThrough<detail::LastActivation<Encoder>>{
          last.activation, dcode.size(), last.x == nullptr ? last.y : last.x, last.y, gradient.data(), dcode.data()});
    } else {
      dcode += gradient;
    }
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return static_cast<std::size_t>(gradient_.size()) * sizeof(Scalar);
  }

 private:
  /// dx[i] += dy[i] f'(x[i]), where y[i] = f(x[i]).
  template <class A>
  struct AddThrough {
    const A& f;
    Index count;
    const Scalar* x;
    const Scalar* y;
    const Scalar* dy;
    Scalar* dx;
    HOURGLASS_SIMD(void operator()() const, {
      for (Index i = 0; i < count; i += V::lanes) {
        const Index n = std::min<Index>(V::lanes, count - i);
        const V slope = differentiate(f, V::load(x + i, n), V::load(y + i, n));
        fma(V::load(dy + i, n), slope, V::load(dx + i, n)).store(dx + i, n);
      }
    })
  };

  Matrix<Scalar> gradient_;  // (max_batch, code)
  bool written_ = false;
};

/// Buffers of an autoencoder whose loss may have a penalty on the code.
template <class Scalar, class Encoder, class Decoder>
struct CodeCache {
  typename detail::CacheOf<Scalar, Encoder>::type encoder;
  typename detail::CacheOf<Scalar, Decoder>::type decoder;
  Matrix<Scalar> code_gradient;  // (max_batch, code)
  CodePenalty<Scalar> penalty{};

  /// (rows, code).
  [[nodiscard]] ConstMatrixView<Scalar> code(Index rows) const noexcept { return encoder.output(rows); }
  [[nodiscard]] ConstMatrixView<Scalar> decoder_input(Index rows) const noexcept { return code(rows); }
  [[nodiscard]] ConstMatrixView<Scalar> encoder_gradient(Index rows) const noexcept {
    return first_rows(code_gradient, rows);
  }
  [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return decoder.output(rows); }
  /// Room (rows, code) for d penalty / d code of a loss that has a penalty on the code: backward() adds it.
  [[nodiscard]] MatrixView<Scalar> penalty_gradient(Index rows) {
    return penalty.gradient(code_gradient.rows(), rows, code_gradient.cols());
  }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return encoder.bytes() + decoder.bytes() + penalty.bytes() +
           static_cast<std::size_t>(code_gradient.size()) * sizeof(Scalar);
  }
};

}  // namespace hourglass
