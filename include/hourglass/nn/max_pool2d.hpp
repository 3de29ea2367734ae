// MaxPool2d: y = the largest value in a window.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/nn/pooling.hpp"

namespace hourglass {

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
  static constexpr Index static_in = Image != any_image ? static_in_image.size() : Dynamic;
  static constexpr Index static_out = Image != any_image ? static_out_image.size() : Dynamic;

  MaxPool2d() requires(Image != any_image) : windows_("MaxPool2d", Image, KernelSize, Stride, Padding) {}
  MaxPool2d(const ImageShape& image, const Size2d& kernel_size,
            const PoolOptions& options = {}) requires(Image == any_image)
      : windows_("MaxPool2d", image, kernel_size, options.stride.value_or(kernel_size), options.padding) {}

  [[nodiscard]] const detail::Windows& shapes() const noexcept { return windows_; }

  template <class Scalar>
  void forward_image(const Scalar* x, Scalar* y) const {
    if (is_two_by_two())
      return for_each_square(x, [&](Index place, const Scalar* top, const Scalar* bottom) {
        y[place] = larger(larger(top[0], top[1]), larger(bottom[0], bottom[1]));
      });
    windows_.for_each(
        [&](Index place, const auto& window, Index channel) { y[place] = x[largest(window, x + channel) + channel]; });
  }
  template <class Scalar>
  void backward_image(const Scalar* x, const Scalar*, const Scalar* dy, Scalar* dx) const {
    if (is_two_by_two() && covers_all())
      return for_each_square(x, [&](Index place, const Scalar* top, const Scalar* bottom) {
        const bool right = is_second(top[0], top[1]);
        const bool low_right = is_second(bottom[0], bottom[1]);
        const bool low = is_second(right ? top[1] : top[0], low_right ? bottom[1] : bottom[0]);
        Scalar* const to = dx + (top - x);
        Scalar* const under = dx + (bottom - x);
        to[0] = where(!low & !right, dy[place]);
        to[1] = where(!low & right, dy[place]);
        under[0] = where(low & !low_right, dy[place]);
        under[1] = where(low & low_right, dy[place]);
      });
    std::fill_n(dx, windows_.in.size(), Scalar(0));
    windows_.for_each([&](Index place, const auto& window, Index channel) {
      dx[largest(window, x + channel) + channel] += dy[place];
    });
  }

 private:
  /// Whether b is the maximum of a and b: the first one of equals, and of NaNs.
  template <class Scalar>
  [[nodiscard]] static bool is_second(Scalar a, Scalar b) noexcept {
    return (b > a) | ((b != b) & (a == a));
  }
  template <class Scalar>
  [[nodiscard]] static Scalar larger(Scalar a, Scalar b) noexcept {
    return is_second(a, b) ? b : a;
  }
  /// value or 0, without a branch, which nobody could predict.
  template <class Scalar>
  [[nodiscard]] static Scalar where(bool condition, Scalar value) noexcept {
    using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
    return std::bit_cast<Scalar>(static_cast<Bits>(std::bit_cast<Bits>(value) & (Bits{0} - Bits{condition})));
  }
  /// Where the largest value of a window is in its channel.
  template <class Scalar>
  [[nodiscard]] Index largest(const detail::Windows::Window& window, const Scalar* channel) const noexcept {
    Index best = window.top * windows_.in.width + window.left;
    for (Index row = window.top; row < window.bottom; ++row)
      for (Index col = window.left; col < window.right; ++col) {
        const Index place = row * windows_.in.width + col;
        if (is_second(channel[best], channel[place])) best = place;
      }
    return best;
  }

  [[nodiscard]] bool is_two_by_two() const noexcept {
    return windows_.kernel == Size2d{2} && windows_.stride == Size2d{2} && windows_.padding == Size2d{0};
  }
  /// No row or column of the image is left over.
  [[nodiscard]] bool covers_all() const noexcept { return windows_.in.height % 2 == 0 && windows_.in.width % 2 == 0; }
  /// body(place in the result, upper pair, lower pair) for windows of 2 by 2.
  template <class Scalar, class Body>
  void for_each_square(const Scalar* x, const Body& body) const {
    const ImageShape& in = windows_.in;
    const Index width = windows_.out.width;
    Index place = 0;
    for (Index channel = 0; channel < in.channels; ++channel)
      for (Index y = 0; y < windows_.out.height; ++y) {
        const Scalar* const top = x + channel * in.plane() + 2 * y * in.width;
        for (Index col = 0; col < width; ++col) body(place + col, top + 2 * col, top + in.width + 2 * col);
        place += width;
      }
  }

  detail::Windows windows_;
};

}  // namespace hourglass
