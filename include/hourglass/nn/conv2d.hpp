// Conv2d: y = x * W + b, a window that moves over images.
#pragma once

#include <string_view>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/nn/convolution.hpp"

namespace hourglass {

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  bool bias = true;
};

/// Convolution (cross-correlation, as in PyTorch):
///     y(o, i, j) = b(o) + sum over c, u, v of W(o, c, u, v) x(c, i stride + u - padding, j stride + v - padding)
/// x is (batch, C * H * W), y (batch, out_channels * h * w) with h = (H + 2 padding - kernel) / stride + 1, rounded
/// down, W (out_channels, C, kernel, kernel) and b (out_channels), as in PyTorch's files. Zeros until initialize() or
/// load().
///
/// Arguments come in PyTorch's order, with the image in the place of its channels. What is a template argument is
/// checked by the compiler, `Conv2d<ImageShape{1, 28, 28}, 16, 3, 2, 1>{}`; otherwise options have names:
/// `Conv2d{ImageShape{1, 28, 28}, 16, 3, {.stride = 2, .padding = 1}}`. A kernel of 3 is (3, 3); Size2d{3, 5} is not
/// square. Throws ShapeError when a number is impossible, or the kernel is larger than the padded image.
template <ImageShape Image = any_image, Index OutChannels = Dynamic, Size2d KernelSize = 1, Size2d Stride = 1,
          Size2d Padding = 0, class Scalar = float>
class Conv2d : public Convolution<Scalar, false> {
  static constexpr bool is_static = Image != any_image;
  static_assert(is_static == (OutChannels != Dynamic), "Conv2d: give the image and the channels, or neither");
  static_assert(OutChannels == Dynamic || OutChannels > 0, "Conv2d: out_channels is at least 1");

  static constexpr ImageShape pixels(const ImageShape& image, Index channels, const Size2d& kernel,
                                     const Size2d& stride, const Size2d& padding) {
    const Size2d places = detail::window_places("Conv2d", image, kernel, stride, padding);
    return detail::checked("Conv2d", ImageShape{channels, places.height, places.width});
  }

 public:
  static constexpr std::string_view name = "Conv2d";
  static constexpr ImageShape static_in_image = Image;
  static constexpr ImageShape static_out_image = [] {
    if constexpr (is_static)
      return pixels(Image, OutChannels, KernelSize, Stride, Padding);
    else
      return any_image;
  }();
  static constexpr Index static_in = static_in_image.size();
  static constexpr Index static_out = static_out_image.size();

  Conv2d() requires(Image != any_image) : Conv2d(BiasOption{}) {}
  explicit Conv2d(const BiasOption& options) requires(Image != any_image)
      : Conv2d::Convolution(Image, static_out_image, KernelSize, Stride, Padding, options.bias) {}
  Conv2d(const ImageShape& image, Index out_channels, const Size2d& kernel_size,
         const Conv2dOptions& options = {}) requires(Image == any_image)
      : Conv2d::Convolution(image, pixels(image, out_channels, kernel_size, options.stride, options.padding),
                            kernel_size, options.stride, options.padding, options.bias) {}
};

}  // namespace hourglass
