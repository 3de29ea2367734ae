// MaxPool2d: y = the largest value in a window.
#pragma once

#include <algorithm>
#include <string_view>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_pairs.hpp"
#include "hourglass/nn/pooling.hpp"

namespace hourglass {

namespace detail {

/// Whether b is the maximum of a and b: the first one of equals, and of NaNs.
HOURGLASS_SIMD(auto is_second(V a, V b), { return (b > a) | ((b != b) & (a == a)); })

/// Windows of 2 by 2, side by side, in pairs of rows without a branch that nobody could predict.
template <class Scalar>
struct MaxOfSquares {
  const Windows& windows;
  const Scalar* x;
  Scalar* y;
  HOURGLASS_SIMD(void operator()() const, {
    Scalar* out = y;
    for (Index row = 0; row < windows.in.channels * windows.out.height; ++row, out += windows.out.width) {
      const Scalar* const top = x + windows.row_of_squares(row);
      for (Index i = 0; i < windows.out.width; i += V::lanes) {
        const Index n = std::min<Index>(V::lanes, windows.out.width - i);
        V a;
        V b;
        V c;
        V d;
        simd::load_pairs(top + 2 * i, n, a, b);
        simd::load_pairs(top + windows.in.width + 2 * i, n, c, d);
        const V upper = select(is_second(a, b), b, a);
        const V lower = select(is_second(c, d), d, c);
        select(is_second(upper, lower), lower, upper).store(out + i, n);
      }
    }
  })
};

/// dx = dy at the maximum of each such window, and zero elsewhere in it.
template <class Scalar>
struct GradientOfSquares {
  const Windows& windows;
  const Scalar* x;
  const Scalar* dy;
  Scalar* dx;
  HOURGLASS_SIMD(void operator()() const, {
    const V zero(Scalar(0));
    const Scalar* from = dy;
    for (Index row = 0; row < windows.in.channels * windows.out.height; ++row, from += windows.out.width) {
      const Index place = windows.row_of_squares(row);
      for (Index i = 0; i < windows.out.width; i += V::lanes) {
        const Index n = std::min<Index>(V::lanes, windows.out.width - i);
        const Index upper = place + 2 * i;
        const Index lower = upper + windows.in.width;
        V a;
        V b;
        V c;
        V d;
        simd::load_pairs(x + upper, n, a, b);
        simd::load_pairs(x + lower, n, c, d);
        const auto right = is_second(a, b);
        const auto low_right = is_second(c, d);
        const auto low = is_second(select(right, b, a), select(low_right, d, c));
        const V gradient = V::load(from + i, n);
        const V above = select(low, zero, gradient);
        const V below = select(low, gradient, zero);
        simd::store_pairs(select(right, zero, above), select(right, above, zero), dx + upper, n);
        simd::store_pairs(select(low_right, zero, below), select(low_right, below, zero), dx + lower, n);
      }
    }
  })
};

}  // namespace detail

/// y(c, i, j) = max over u, v of x(c, i stride + u - padding, j stride + v - padding), where the border counts for
/// nothing. The gradient goes to the first place of the maximum, row by row; NaN is larger than any number.
/// `MaxPool2d<ImageShape{16, 28, 28}, 2>{}`, or `MaxPool2d{ImageShape{16, 28, 28}, 2, {.stride = 2}}`. Throws
/// ShapeError when a number is impossible.
template <ImageShape Image = any_image, Size2d KernelSize = 1, Size2d Stride = KernelSize, Size2d Padding = 0>
class MaxPool2d : public ImageLayer<MaxPool2d<Image, KernelSize, Stride, Padding>> {
 public:
  static constexpr std::string_view name = "MaxPool2d";
  static constexpr ImageShape static_in_image = Image;
  static constexpr ImageShape static_out_image = [] {
    if constexpr (Image != any_image)
      return detail::Windows("MaxPool2d", Image, KernelSize, Stride, Padding).out;
    else
      return any_image;
  }();
  static constexpr Index static_in = static_in_image.size();
  static constexpr Index static_out = static_out_image.size();

  MaxPool2d() requires(Image != any_image) : windows_("MaxPool2d", Image, KernelSize, Stride, Padding) {}
  MaxPool2d(const ImageShape& image, const Size2d& kernel_size,
            const PoolOptions& options = {}) requires(Image == any_image)
      : windows_("MaxPool2d", image, kernel_size, options.stride.value_or(kernel_size), options.padding) {}

  [[nodiscard]] const detail::Windows& shapes() const noexcept { return windows_; }

  template <class Scalar>
  void forward_image(const Scalar* x, Scalar* y) const {
    if (is_two_by_two()) return simd::dispatch<Scalar>(detail::MaxOfSquares<Scalar>{windows_, x, y});
    windows_.for_each(
        [&](Index place, const auto& window, Index channel) { y[place] = x[largest(window, x + channel) + channel]; });
  }
  template <class Scalar>
  void backward_image(const Scalar* x, const Scalar*, const Scalar* dy, Scalar* dx) const {
    if (is_two_by_two() && covers_all())
      return simd::dispatch<Scalar>(detail::GradientOfSquares<Scalar>{windows_, x, dy, dx});
    std::fill_n(dx, windows_.in.size(), Scalar(0));
    windows_.for_each([&](Index place, const auto& window, Index channel) {
      dx[largest(window, x + channel) + channel] += dy[place];
    });
  }

 private:
  /// Where the largest value of a window is in its channel.
  template <class Scalar>
  [[nodiscard]] Index largest(const detail::Windows::Window& window, const Scalar* channel) const noexcept {
    Index best = window.top * windows_.in.width + window.left;
    for (Index row = window.top; row < window.bottom; ++row)
      for (Index col = window.left; col < window.right; ++col) {
        const Index place = row * windows_.in.width + col;
        if (is_larger(channel[place], channel[best])) best = place;
      }
    return best;
  }

  [[nodiscard]] bool is_two_by_two() const noexcept {
    return windows_.kernel == Size2d{2} && windows_.stride == Size2d{2} && windows_.padding == Size2d{0};
  }
  /// No row or column of the image is left over.
  [[nodiscard]] bool covers_all() const noexcept { return windows_.in.height % 2 == 0 && windows_.in.width % 2 == 0; }
  template <class Scalar>
  [[nodiscard]] static bool is_larger(Scalar a, Scalar b) noexcept {
    return a > b || (a != a && b == b);
  }

  detail::Windows windows_;
};

}  // namespace hourglass
