// TransposedLinear: y = x W + b, where W is the weight of a Linear, which is used twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/sum_of_rows.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/gemm.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/linear.hpp"

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
struct SumsOfColumns {
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

}  // namespace detail

/// What a layer y = x W + b owns when W (in, out) is the weight of a Linear, its mirror: b (out). The forward pass is
/// the mirror's input_gradient(x, y, epilogue), the gradient of x its product(dy, dx, epilogue).
template <class Scalar_>
class TransposedLinear {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "TransposedLinear";

  TransposedLinear(Index in, Index out) : in_{in}, bias_{Shape{out}} {}

  static constexpr auto fields() { return std::tuple{Field{"bias", &TransposedLinear::bias_}}; }
  [[nodiscard]] Index in_features() const noexcept { return in_; }
  [[nodiscard]] Index out_features(Index) const noexcept { return bias_.size(); }
  /// b as a row, shape (1, out).
  [[nodiscard]] MatrixView<Scalar> bias() noexcept { return {bias_.data(), 1, bias_.size()}; }
  [[nodiscard]] ConstMatrixView<Scalar> bias() const noexcept { return {bias_.data(), 1, bias_.size()}; }

  /// Part of what both uses of W give: dW = dsum^T x + code^T dmirror and db = column sums of dsum, where x and dsum
  /// are the input of the Linear `layer` and the gradient of its output, `code` and dmirror those of the transposed
  /// layer. They go into their slots or into a step of an optimiser.
  template <class Layer, class Sink>
  static void weight_gradient(Layer& layer, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dsum,
                              const ConstMatrixView<Scalar>& code, const ConstMatrixView<Scalar>& dmirror,
                              const Sink& sink, WorkPart part) {
    const Index in = layer.in_features();
    const Index out = layer.out_features();
    // The first product leaves its part in memory; the second one, cut alike, adds to it.
    Layer::parameter_gradient(std::as_const(layer), x, dsum, GradientStore<Scalar>{sink.gradient}, part);
    const auto multiply = [&](Scalar* to, const auto& epilogue) {
      gemm(in, out, x.rows(), transpose(row_major(dmirror.data(), in)), row_major(code.data(), out),
           Output<Scalar>{to, out}, epilogue, {.part = part.index, .parts = part.count});
    };
    if constexpr (Sink::updates) {
      multiply(layer.weight().data(),
               detail::UpdateWithSum<Scalar, typename Sink::Rule>{sink.rule, sink.gradient, out});
      const detail::Range sums = detail::column_sums_of_part<Scalar>(in, out, part.index, part.count);
      const Index bias_slot = slot_size<Scalar>(in * out);
      detail::update_range(sink.rule.at_slot(bias_slot), sums.begin, sums.end, layer.bias().data(),
                           static_cast<const Scalar*>(sink.gradient + bias_slot));
    } else {
      multiply(sink.gradient, epilogue::Accumulate{});
    }
  }

  /// Part of the gradient of the own bias, the column sums of dsum, likewise.
  template <class Self, class Sink>
  static void bias_gradient(Self& self, const ConstMatrixView<Scalar>& dsum, const Sink& sink, WorkPart part) {
    const detail::Range own = detail::share(dsum.cols(), detail::line<Scalar>, part.count, part.index);
    simd::dispatch<Scalar>(detail::SumsOfColumns<Scalar>{dsum.rows(), dsum.cols(), own, dsum.data(), sink.gradient});
    if constexpr (Sink::updates)
      detail::update_range(sink.rule, own.begin, own.end, self.bias_.data(), static_cast<const Scalar*>(sink.gradient));
  }

 private:
  Index in_;
  Parameter<Scalar> bias_;  // (out)
};

}  // namespace hourglass
