// TopK: y_i = x_i if x_i is one of the k largest of its row, 0 otherwise.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>

#include "hourglass/core/denormals.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"

namespace hourglass {

/// Keeps the k largest values of each row and sets the others to zero; the gradient passes through those that were
/// kept. As the last layer of an encoder it makes a k-sparse autoencoder. Of equal values the first ones are kept; NaN
/// is always kept, so that it does not vanish.
///
/// Training keeps k values, inference alpha k: A. Makhzani, B. Frey, "k-Sparse autoencoders", 2013, who find that an
/// alpha slightly above 1 serves classifiers on the code. A width below k is an error; alpha k stops at the width.
class TopK {
 public:
  static constexpr std::string_view name = "TopK";
  static constexpr bool preserves_width = true;
  static constexpr bool silences_units = true;  // see train/dead_units.hpp

  /// Throws ShapeError unless k >= 1, DataError unless alpha >= 1 is finite.
  explicit TopK(Index k, double alpha = 1.0) : k_{k}, alpha_{alpha} {
    if (k < 1) throw ShapeError(detail::message("TopK: k must be at least 1, not ", k));
    if (!(alpha >= 1 && std::isfinite(alpha)))
      throw DataError(
          detail::message("TopK: alpha, by which inference keeps more values, must be 1 or more, not ", alpha));
  }

  [[nodiscard]] Index k() const noexcept { return k_; }
  [[nodiscard]] double alpha() const noexcept { return alpha_; }
  [[nodiscard]] static Index in_features() noexcept { return Dynamic; }
  /// Throws ShapeError when there are fewer than k features.
  [[nodiscard]] Index out_features(Index in) const {
    if (in < k_)
      throw ShapeError(detail::message("TopK: k = ", k_, " values of a row of ", in,
                                       " features cannot be kept; lower k or widen the layer before it"));
    return in;
  }
  [[nodiscard]] static bool takes_rows_in_inference() noexcept { return true; }
  /// Per row: the smallest value that is kept, and the column of the last one that equals it.
  [[nodiscard]] static Index scratch_size(Index batch, Index) noexcept { return 2 * batch; }

  template <class Scalar, Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar> scratch, const M&) const {
    const Index width = x.cols();
    const Index kept = std::is_same_v<M, Training> ? k_ : kept_in_inference(width);
    each_row(x, [&](Index row) {
      const Scalar* const in = x.data() + row * width;
      const Scalar least = kth_largest(in, width, kept);
      const Index last = last_tie(in, width, kept, least);
      write_kept(width, in, in, least, last, y.data() + row * width);
      if (!scratch.empty()) {
        scratch[static_cast<std::size_t>(2 * row)] = least;
        scratch[static_cast<std::size_t>(2 * row + 1)] = static_cast<Scalar>(last);
      }
    });
  }

  template <class Scalar>
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar> scratch, Scalar*) const {
    if (dx.data() == nullptr) return;
    const Index width = x.cols();
    each_row(x, [&](Index row) {
      const Scalar least = scratch[static_cast<std::size_t>(2 * row)];
      const auto last = static_cast<Index>(scratch[static_cast<std::size_t>(2 * row + 1)]);
      const Index start = row * width;
      write_kept(width, x.data() + start, dy.data() + start, least, last, dx.data() + start);
    });
  }

 private:
  [[nodiscard]] Index kept_in_inference(Index width) const noexcept {
    const double wanted = std::round(alpha_ * static_cast<double>(k_));
    return wanted < static_cast<double>(width) ? static_cast<Index>(wanted) : width;
  }

  // Denormals count as zero in all of the steps, or they would not agree about which values are equal.
  template <class Scalar, class Body>
  static void each_row(const ConstMatrixView<Scalar>& x, const Body& body) {
    const int threads = x.size() < parallel_grain ? 1 : num_threads();
    parallel_for(x.rows(), threads, [&](Index row) {
      const FlushDenormals guard;
      body(row);
    });
  }

  /// How many of the values are not below `bound`: NaN never is.
  template <class Scalar>
  struct CountAbove {
    Index width;
    const Scalar* x;
    Scalar bound;
    Index* count;
    HOURGLASS_SIMD(void operator()() const, {
      const V one(1);
      const V zero(0);
      V below(0);
      for (Index i = 0; i < width; i += V::lanes) {
        const Index n = std::min<Index>(V::lanes, width - i);
        below = below + select(V::load(x + i, n) < V(bound), one, zero);
      }
      Scalar lanes[V::lanes];
      below.store(lanes);
      // The lanes past the end hold zeros, which may count as below the bound.
      const Index beyond = (width + V::lanes - 1) / V::lanes * V::lanes - width;
      Index total = width + (bound > 0 ? beyond : 0);
      for (const Scalar lane : lanes) total -= static_cast<Index>(lane);
      *count = total;
    })
  };

  /// The number t, at most infinity, that the `kept` largest values reach and no larger number: by bisection of the
  /// numbers there are, in order, which are as many as an integer has values. Some 32 passes over a row (64 for double)
  /// without a branch are far faster than to sort a part of it.
  template <class Scalar>
  [[nodiscard]] static Scalar kth_largest(const Scalar* x, Index width, Index kept) noexcept {
    using Integer = std::conditional_t<sizeof(Scalar) == 4, std::int32_t, std::int64_t>;
    // Negative numbers grow as their bits fall; an involution.
    const auto ordered = [](Integer bits) {
      return bits < 0 ? static_cast<Integer>(bits ^ std::numeric_limits<Integer>::max()) : bits;
    };
    constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    Integer low = ordered(std::bit_cast<Integer>(-infinity));
    Integer high = std::bit_cast<Integer>(infinity);
    while (low < high) {
      // The middle, rounded up: of two numbers of either sign without overflow.
      const auto middle = static_cast<Integer>((low | high) - ((low ^ high) >> 1));
      Index count = 0;
      simd::dispatch<Scalar>(CountAbove<Scalar>{width, x, std::bit_cast<Scalar>(ordered(middle)), &count});
      if (count >= kept)
        low = middle;
      else
        high = static_cast<Integer>(middle - 1);
    }
    const auto found = std::bit_cast<Scalar>(ordered(low));
    return std::abs(found) < std::numeric_limits<Scalar>::min() ? Scalar(0) : found;
  }

  /// Column of the last value that equals `least` and is kept.
  template <class Scalar>
  [[nodiscard]] static Index last_tie(const Scalar* x, Index width, Index kept, Scalar least) noexcept {
    Index larger = 0;
    for (Index i = 0; i < width; ++i) larger += x[i] > least || std::isnan(x[i]) ? 1 : 0;
    Index last = -1;
    for (Index i = 0, ties = kept - larger; i < width && ties > 0; ++i)
      if (x[i] == least) {
        last = i;
        --ties;
      }
    return last;
  }

  /// to_i = from_i where x_i is kept, 0 elsewhere.
  template <class Scalar>
  static void write_kept(Index width, const Scalar* x, const Scalar* from, Scalar least, Index last, Scalar* to) {
    for (Index i = 0; i < width; ++i) to[i] = !(x[i] < least) && !(x[i] == least && i > last) ? from[i] : Scalar(0);
  }

  Index k_;
  double alpha_;
};

}  // namespace hourglass
