// LayerNorm: y = (x - mean) / sqrt(var + eps) weight + bias, with the mean and the (biased) variance of each row.
//
// dx = (g - mean(g) - x^ mean(g x^)) / sqrt(var + eps), where g = dy weight, x^ is the normalised x, and means go over
// the row.
//
// J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <tuple>

#include "hourglass/core/axis_sums.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/nn/moments.hpp"

namespace hourglass {

/// Options of LayerNorm, named as in PyTorch.
struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  ///< with weight and bias
};

namespace detail {

// Terms of the sums, see core/axis_sums.hpp: x alone; d = x - centre and d^2.
template <class Scalar>
struct RowValues {
  static constexpr bool two = false;
  const Scalar* x;
  Index stride;
  HOURGLASS_SIMD(void get(Index row, Index col, Index n, V& u, V& v, V&) const, {
    u = V::load(x + row * stride + col, n);
    v = V(1);
  })
};
template <class Scalar>
struct RowDeviations {
  static constexpr bool two = true;
  const Scalar* x;
  Index stride;
  Scalar centre;
  HOURGLASS_SIMD(void get(Index row, Index col, Index n, V& u, V& v, V& w) const, {
    u = w = V::load(x + row * stride + col, n) - V(centre);
    v = V(1);
  })
};

/// Per row: what Moments hold.
template <class Number>
struct RowMoments {
  Number* centre;
  Number* inverse;
  Number* offset;
};

/// The passes of LayerNorm over rows [begin, end) of a batch. Null weight and bias: 1 and 0.
template <class Scalar>
struct LayerNormForward {
  Index begin;
  Index end;
  Index cols;
  double eps;
  const Scalar* x;
  const Scalar* weight;
  const Scalar* bias;
  RowMoments<Scalar> kept;  // null: nothing is kept
  Scalar* y;
  HOURGLASS_SIMD(void operator()() const, {
    const auto count = static_cast<double>(cols);
    for (Index row = begin; row < end; ++row) {
      const Scalar* const in = x + row * cols;
      double sum = 0;
      double squares = 0;
      row_sums<V>(row, cols, RowValues<Scalar>{x, cols}, sum, squares);
      const auto guess = static_cast<Scalar>(sum / count);
      row_sums<V>(row, cols, RowDeviations<Scalar>{x, cols, guess}, sum, squares);
      const Moments<Scalar> moments = moments_around(guess, sum, squares, count, eps);
      if (kept.centre != nullptr) {
        kept.centre[row] = moments.centre;
        kept.inverse[row] = moments.inverse;
        kept.offset[row] = moments.offset;
      }
      for (Index col = 0; col < cols; col += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - col);
        V value = fma(V::load(in + col, n) - V(moments.centre), V(moments.inverse), V(moments.offset));
        if (weight != nullptr) value = fma(value, V::load(weight + col, n), V::load(bias + col, n));
        value.store(y + row * cols + col, n);
      }
    }
  })
};

/// Terms dy weight and dy weight x^; a weight that is null, as for sums down the columns, is 1.
template <class Scalar>
struct RowGradients {
  static constexpr bool two = true;
  const Scalar* x;
  const Scalar* dy;
  const Scalar* weight;
  Index stride;
  RowMoments<const Scalar> kept;
  HOURGLASS_SIMD(V normalized(Index row, Index col, Index n) const, {
    const V d = V::load(x + row * stride + col, n) - V(kept.centre[row]);
    return fma(d, V(kept.inverse[row]), V(kept.offset[row]));
  })
  HOURGLASS_SIMD(void get(Index row, Index col, Index n, V& u, V& v, V& w) const, {
    u = V::load(dy + row * stride + col, n);
    v = weight == nullptr ? V(1) : V::load(weight + col, n);
    w = v * normalized<V>(row, col, n);
  })
};

template <class Scalar>
struct LayerNormBackward {
  Index begin;
  Index end;
  Index cols;
  const Scalar* x;
  const Scalar* dy;
  const Scalar* weight;
  RowMoments<const Scalar> kept;
  Scalar* dx;
  HOURGLASS_SIMD(void operator()() const, {
    const auto count = static_cast<double>(cols);
    for (Index row = begin; row < end; ++row) {
      const RowGradients<Scalar> terms{x, dy, weight, cols, kept};
      double sum = 0;
      double product = 0;
      row_sums<V>(row, cols, terms, sum, product);
      const V mean(static_cast<Scalar>(sum / count));
      const V slope(static_cast<Scalar>(product / count));
      const V inverse(kept.inverse[row]);
      for (Index col = 0; col < cols; col += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - col);
        V u, v, w;
        terms.get(row, col, n, u, v, w);
        const V rest = fma(u, v, -mean);
        (inverse * fma(-terms.template normalized<V>(row, col, n), slope, rest)).store(dx + row * cols + col, n);
      }
    }
  })
};

/// Calls `body(begin, end)` on ranges of rows, in parallel where that pays.
template <class Body>
void parallel_rows(Index rows, Index cols, const Body& body) {
  const Index pieces = std::clamp<Index>(rows * cols / parallel_grain, 1, std::min<Index>(num_threads(), rows));
  parallel_for(pieces, num_threads(), [&](Index i) { body(rows * i / pieces, rows * (i + 1) / pieces); });
}

}  // namespace detail

/// Normalises each row of x (batch, features) by itself, in training and in inference alike. `LayerNorm<64>{}` has a
/// width that the compiler checks, `LayerNorm{64}` one known at run time; `LayerNorm{{3, 28, 28}}` takes rows that are
/// images, and its parameters have that shape, as PyTorch's normalized_shape. Throws DataError for a bad eps.
template <Index Features = Dynamic, class Scalar_ = float>
class LayerNorm {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "LayerNorm";
  static constexpr bool preserves_width = true;
  static constexpr Index static_in = Features;

  explicit LayerNorm(const LayerNormOptions& options = {}) requires(Features != Dynamic)
      : LayerNorm(Features, options) {}
  explicit LayerNorm(Index features, const LayerNormOptions& options = {}) : LayerNorm(Shape{features}, options) {}
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {})
      : features_{normalized_shape.size()}, options_{options} {
    if (!(options.eps >= 0 && std::isfinite(options.eps)))
      throw DataError(detail::message("LayerNorm: eps must be finite and not negative, it is ", options.eps));
    if (options.elementwise_affine) {
      weight_ = Parameter<Scalar>{normalized_shape};
      bias_ = Parameter<Scalar>{normalized_shape};
    }
    reset_parameters();
  }

  static constexpr auto fields() {
    return std::tuple{Field{"weight", &LayerNorm::weight_}, Field{"bias", &LayerNorm::bias_}};
  }

  /// Weight 1 and bias 0; initialize() calls it.
  void reset_parameters() {
    std::ranges::fill(weight_.values(), Scalar(1));
    std::ranges::fill(bias_.values(), Scalar(0));
  }

  [[nodiscard]] Index in_features() const noexcept { return features_.value(); }
  /// Throws ShapeError unless `in` is in_features().
  [[nodiscard]] Index out_features(Index in) const {
    check_input(in);
    return in;
  }
  [[nodiscard]] const LayerNormOptions& options() const noexcept { return options_; }

  /// Rows (1, features); (1, 0) without `elementwise_affine`.
  [[nodiscard]] MatrixView<Scalar> weight() noexcept { return {weight_.data(), 1, weight_.size()}; }
  [[nodiscard]] ConstMatrixView<Scalar> weight() const noexcept { return {weight_.data(), 1, weight_.size()}; }
  [[nodiscard]] MatrixView<Scalar> bias() noexcept { return {bias_.data(), 1, bias_.size()}; }
  [[nodiscard]] ConstMatrixView<Scalar> bias() const noexcept { return {bias_.data(), 1, bias_.size()}; }

  [[nodiscard]] static bool takes_rows_in_inference() noexcept { return true; }
  [[nodiscard]] static Index scratch_size(Index batch, Index) noexcept { return 3 * batch; }

  /// Leaves the moments of the rows in `scratch` for the backward pass; inference may leave it empty.
  template <Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar> scratch, const M&) const {
    check_input(x.cols());
    detail::RowMoments<Scalar> kept{};
    if (!scratch.empty()) kept = {scratch.data(), scratch.data() + x.rows(), scratch.data() + 2 * x.rows()};
    detail::parallel_rows(x.rows(), x.cols(), [&](Index begin, Index end) {
      simd::dispatch<Scalar>(detail::LayerNormForward<Scalar>{begin, end, x.cols(), options_.eps, x.data(),
                                                              weight_data(), bias_.data(), kept, y.data()});
    });
  }

  /// Gradients of weight and bias into their slots, and dx unless it is empty.
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar> scratch, Scalar* gradient) const {
    const Index rows = x.rows();
    const Index cols = x.cols();
    const detail::RowMoments<const Scalar> kept{scratch.data(), scratch.data() + rows, scratch.data() + 2 * rows};
    if (!weight_.empty()) parameter_gradients(x, dy, kept, gradient, gradient + slot_size<Scalar>(weight_.size()));
    if (dx.data() == nullptr) return;
    detail::parallel_rows(rows, cols, [&](Index begin, Index end) {
      simd::dispatch<Scalar>(
          detail::LayerNormBackward<Scalar>{begin, end, cols, x.data(), dy.data(), weight_data(), kept, dx.data()});
    });
  }

 private:
  void parameter_gradients(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                           const detail::RowMoments<const Scalar>& kept, Scalar* dweight, Scalar* dbias) const {
    const Index cols = x.cols();
    const int threads = x.size() < 2 * parallel_grain ? 1 : num_threads();
    parallel_for((cols + detail::column_tile - 1) / detail::column_tile, threads, [&](Index tile) {
      const Index first = tile * detail::column_tile;
      const Index count = std::min(detail::column_tile, cols - first);
      std::array<double, detail::column_tile> sum{};
      std::array<double, detail::column_tile> product{};
      const detail::RowGradients<Scalar> terms{x.data() + first, dy.data() + first, nullptr, cols, kept};
      detail::column_sums<Scalar>(x.rows(), count, terms, sum.data(), product.data());
      for (Index i = 0; i < count; ++i) {
        dweight[first + i] = static_cast<Scalar>(product[static_cast<std::size_t>(i)]);
        dbias[first + i] = static_cast<Scalar>(sum[static_cast<std::size_t>(i)]);
      }
    });
  }
  [[nodiscard]] const Scalar* weight_data() const noexcept { return weight_.empty() ? nullptr : weight_.data(); }
  void check_input(Index in) const {
    if (in != features_.value())
      throw ShapeError(detail::message("LayerNorm: input has ", in, " features, the layer has ", features_.value(),
                                       "; check the width of the layer before it"));
  }

  [[no_unique_address]] Extent<Features> features_;
  LayerNormOptions options_;
  Parameter<Scalar> weight_;  // normalized_shape
  Parameter<Scalar> bias_;    // normalized_shape
};

}  // namespace hourglass
