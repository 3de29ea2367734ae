// TopK: y_i = x_i if x_i is one of the k largest of its row, 0 otherwise.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/threads.hpp"

namespace hourglass {

/// Keeps the k largest values of each row and sets the others to zero; the gradient passes through those that were
/// kept. As the last layer of an encoder it makes a k-sparse autoencoder. Of equal values the first ones are kept; NaN
/// counts as larger than any number, so that it does not vanish.
///
/// Training keeps k values, inference alpha k: A. Makhzani, B. Frey, "k-Sparse autoencoders", 2013, who find that an
/// alpha slightly above 1 serves classifiers on the code. A width below k is an error; alpha k stops at the width.
class TopK {
 public:
  static constexpr std::string_view name = "TopK";
  static constexpr bool preserves_width = true;

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
  /// Per row: the smallest value that is kept, and the column of the last one that equals it.
  [[nodiscard]] static Index scratch_size(Index batch, Index) noexcept { return 2 * batch; }

  template <class Scalar, Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar> scratch, const M&) const {
    const Index width = x.cols();
    const Index kept = std::is_same_v<M, Training> ? k_ : kept_in_inference(width);
    each_row(x, [&](Index row) {
      const Scalar* const in = x.data() + row * width;
      Scalar* const out = y.data() + row * width;
      // y is scratch memory first.
      std::copy_n(in, width, out);
      std::nth_element(out, out + (kept - 1), out + width, Larger{});
      const Scalar least = out[kept - 1];
      Index ties = kept - std::count_if(out, out + kept, [&](Scalar v) { return Larger{}(v, least); });
      Index last = 0;
      for (Index i = 0; i < width; ++i) {
        const bool tie = !Larger{}(in[i], least) && !Larger{}(least, in[i]);
        const bool keep = Larger{}(in[i], least) || (tie && ties > 0);
        if (tie && ties-- > 0) last = i;
        out[i] = keep ? in[i] : Scalar(0);
      }
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
      for (Index i = row * width; i < (row + 1) * width; ++i) {
        const Scalar value = x.data()[i];
        const bool keep = Larger{}(value, least) || (!Larger{}(least, value) && i - row * width <= last);
        dx.data()[i] = keep ? dy.data()[i] : Scalar(0);
      }
    });
  }

 private:
  /// a > b, a strict weak order with NaN above all numbers.
  struct Larger {
    template <class Scalar>
    bool operator()(Scalar a, Scalar b) const noexcept {
      return a > b || (std::isnan(a) && !std::isnan(b));
    }
  };

  [[nodiscard]] Index kept_in_inference(Index width) const noexcept {
    const double wanted = std::round(alpha_ * static_cast<double>(k_));
    return wanted < static_cast<double>(width) ? static_cast<Index>(wanted) : width;
  }

  template <class Scalar, class Body>
  static void each_row(const ConstMatrixView<Scalar>& x, const Body& body) {
    const int threads = x.size() < parallel_grain ? 1 : num_threads();
    parallel_for(x.rows(), threads, body);
  }

  Index k_;
  double alpha_;
};

}  // namespace hourglass
