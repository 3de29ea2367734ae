// Gradients of weights that an encoder and, transposed, a decoder share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/sum_of_rows.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/gemm.hpp"
#include "hourglass/nn/container.hpp"

namespace hourglass {

namespace detail {

/// C(i, j) = rule(C(i, j), other(i, j) + (A B)(i, j)): a step along the sum of two gradients, one of which lies in
/// memory. See epilogue::Update.
template <class Scalar, class Rule>
struct UpdateWithSum {
  Rule rule;
  const Scalar* other;     // (m, n), as far apart as C
  std::ptrdiff_t leading;  // of C
  static constexpr bool reads_output = true;
  HOURGLASS_SIMD(V operator()(V product, V previous, auto at) const, {
    const std::ptrdiff_t place = at.row * leading + at.col;
    return rule(previous, at.template load<V>(other + place) + product, place, at);
  })
  void prefetch(std::ptrdiff_t row, std::ptrdiff_t col) const noexcept { rule.prefetch(row * leading + col); }
};

/// sums_j = sum of the rows x_nj, for the columns [begin, end).
template <class Scalar>
struct TiedColumnSums {
  Index rows;
  Index cols;
  Range range;
  const Scalar* x;
  Scalar* sums;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index j = range.begin; j < range.end; j += V::lanes) {
      const Index n = std::min<Index>(V::lanes, range.end - j);
      sum_of_rows<V>(rows, RowTerms<Scalar>{x + j, cols, n}).store(sums + j, n);
    }
  })
};

/// Part of dW = dsum^T x + code^T dmirror and db = column sums of dsum, for a layer of the encoder with input x and
/// its mirror, the layer of the decoder with input `code`: into their slots or into a step of an optimiser.
template <class Layer, class Sink, class Scalar = typename std::remove_const_t<Layer>::Scalar>
void tied_weight_gradient(Layer& layer, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dsum,
                          const ConstMatrixView<Scalar>& code, const ConstMatrixView<Scalar>& dmirror, const Sink& sink,
                          WorkPart part) {
  const Index in = layer.in_features();
  const Index out = layer.out_features();
  // The first product leaves its part in memory; the second one, cut alike, adds to it.
  std::remove_const_t<Layer>::parameter_gradient(std::as_const(layer), x, dsum, GradientStore<Scalar>{sink.gradient},
                                                 part);
  const auto multiply = [&](Scalar* to, const auto& epilogue) {
    gemm(in, out, x.rows(), transpose(row_major(dmirror.data(), in)), row_major(code.data(), out),
         Output<Scalar>{to, out}, epilogue, {.part = part.index, .parts = part.count});
  };
  if constexpr (Sink::updates) {
    multiply(layer.weight().data(), UpdateWithSum<Scalar, typename Sink::Rule>{sink.rule, sink.gradient, out});
    const Range sums = column_sums_of_part<Scalar>(in, out, part.index, part.count);
    const Index bias_slot = slot_size<Scalar>(in * out);
    update_range(sink.rule.at_slot(bias_slot), sums.begin, sums.end, layer.bias().data(),
                 static_cast<const Scalar*>(sink.gradient + bias_slot));
  } else {
    multiply(sink.gradient, epilogue::Accumulate{});
  }
}

/// Part of dc = column sums of dsum for a bias of the decoder, likewise.
template <class Scalar, class Bias, class Sink>
void tied_bias_gradient(Bias& bias, const ConstMatrixView<Scalar>& dsum, const Sink& sink, WorkPart part) {
  const Range own = share(dsum.cols(), line<Scalar>, part.count, part.index);
  simd::dispatch<Scalar>(TiedColumnSums<Scalar>{dsum.rows(), dsum.cols(), own, dsum.data(), sink.gradient});
  if constexpr (Sink::updates)
    update_range(sink.rule, own.begin, own.end, bias.data(), static_cast<const Scalar*>(sink.gradient));
}

}  // namespace detail
}  // namespace hourglass
