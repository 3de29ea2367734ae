// VectorQuantizer: a codebook e of K vectors of D dimensions; each vector becomes the nearest of them,
//     q(z) = e_k,   k = argmin_j |z - e_j|^2 = argmax_j (z . e_j - |e_j|^2 / 2).
//
// A. van den Oord, O. Vinyals, K. Kavukcuoglu, "Neural discrete representation learning", 2017.
#pragma once

#include <algorithm>
#include <string_view>
#include <tuple>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/gemm.hpp"
#include "hourglass/gemm/operand.hpp"

namespace hourglass {

namespace detail {

template <class Scalar>
struct SquaredTerms {
  const Scalar* x;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const V value = V::load(x + i, n);
    return value * value;
  })
};

}  // namespace detail

/// The codebook of a VQAutoencoder. Parameter: "weight" (codes, dimensions), zeros until initialize() or load().
template <class Scalar_ = float>
class VectorQuantizer {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "VectorQuantizer";
  static constexpr bool preserves_width = true;

  /// Throws ShapeError unless there is at least 1 code and 1 dimension.
  VectorQuantizer(Index codes, Index dimensions)
      : codes_{codes}, dimensions_{dimensions}, weight_{Shape{codes_.value(), dimensions_.value()}} {}

  static constexpr auto fields() { return std::tuple{Field{"weight", &VectorQuantizer::weight_}}; }

  [[nodiscard]] static bool takes_rows_in_inference() noexcept { return true; }
  /// K.
  [[nodiscard]] Index codes() const noexcept { return codes_.value(); }
  /// D.
  [[nodiscard]] Index dimensions() const noexcept { return dimensions_.value(); }
  /// e, shape (codes, dimensions).
  [[nodiscard]] MatrixView<Scalar> weight() noexcept { return {weight_.data(), codes(), dimensions()}; }
  [[nodiscard]] ConstMatrixView<Scalar> weight() const noexcept { return {weight_.data(), codes(), dimensions()}; }

  /// Writes -|e_k|^2 / 2 for every code to `to` (codes): what nearest() needs, once for each change of the codebook.
  void half_norms(Scalar* to) const {
    for (Index code = 0; code < codes(); ++code) {
      const detail::SquaredTerms<Scalar> terms{weight_.data() + code * dimensions()};
      double sum = 0;
      simd::dispatch<Scalar>(detail::VectorSum<detail::SquaredTerms<Scalar>>{0, dimensions(), terms, &sum});
      to[code] = static_cast<Scalar>(-0.5 * sum);
    }
  }
  /// indices[i] = the code nearest to row i of z (count, dimensions), the first of equally near ones. `scores` is
  /// scratch memory, (count, codes).
  void nearest(const ConstMatrixView<Scalar>& z, const Scalar* half_norms, MatrixView<Scalar> scores,
               Index* indices) const {
    if (z.cols() != dimensions() || scores.rows() != z.rows() || scores.cols() != codes())
      throw ShapeError(detail::message(name, ": vectors of shape ", shape_string(z.rows(), z.cols()), ", codebook ",
                                       weight_.shape().str(), ", scratch memory ",
                                       shape_string(scores.rows(), scores.cols())));
    gemm(z.rows(), codes(), dimensions(), row_major(z.data(), dimensions()),
         transpose(row_major(weight_.data(), dimensions())), Output<Scalar>{scores.data(), codes()},
         epilogue::Bias<Scalar>{half_norms});
    for (Index i = 0; i < z.rows(); ++i) {
      const Scalar* const row = scores.data() + i * codes();
      indices[i] = std::max_element(row, row + codes()) - row;
    }
  }
  /// to.row(i) = e_k with k = indices[i]; `to` is (count, dimensions).
  void look_up(const Index* indices, MatrixView<Scalar> to) const {
    for (Index i = 0; i < to.rows(); ++i)
      std::copy_n(weight_.data() + indices[i] * dimensions(), dimensions(), to.data() + i * dimensions());
  }

 private:
  Extent<Dynamic> codes_;
  Extent<Dynamic> dimensions_;
  Parameter<Scalar> weight_;  // (codes, dimensions)
};

}  // namespace hourglass
