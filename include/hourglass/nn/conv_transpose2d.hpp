// ConvTranspose2d: the adjoint of Conv2d, from few pixels to many.
#pragma once

#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/nn/convolution.hpp"

namespace hourglass {

struct ConvTranspose2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d output_padding = 0;
  bool bias = true;
};

/// Transposed convolution: every pixel x(c, i, j) adds x(c, i, j) W(c, o) to the window of y(o) at
/// (i stride - padding, j stride - padding), and b(o) is added to all of y(o).
/// x is (batch, C * H * W), y (batch, out_channels * h * w) with h = (H - 1) stride - 2 padding + kernel +
/// output_padding, W (C, out_channels, kernel, kernel) and b (out_channels), as in PyTorch's files. Zeros until
/// initialize() or load().
///
/// With stride 2, a kernel of 3, padding 1 and output_padding 1 it doubles height and width:
/// `ConvTranspose2d<ImageShape{64, 7, 7}, 32, 3, 2, 1, 1>{}`, or
/// `ConvTranspose2d{ImageShape{64, 7, 7}, 32, 3, {.stride = 2, .padding = 1, .output_padding = 1}}`; see Conv2d.
/// Throws ShapeError when a number is impossible, or nothing of y is left within the padding.
template <ImageShape Image = any_image, Index OutChannels = Dynamic, Size2d KernelSize = 1, Size2d Stride = 1,
          Size2d Padding = 0, Size2d OutputPadding = 0, class Scalar = float>
class ConvTranspose2d : public Convolution<Scalar, true> {
  static constexpr bool is_static = Image != any_image;
  static_assert(is_static == (OutChannels != Dynamic), "ConvTranspose2d: give the image and the channels, or neither");
  static_assert(OutChannels == Dynamic || OutChannels > 0, "ConvTranspose2d: out_channels is at least 1");

  static constexpr ImageShape image(const ImageShape& pixels, Index channels, const Size2d& kernel,
                                    const Size2d& stride, const Size2d& padding, const Size2d& output_padding) {
    (void)detail::checked("ConvTranspose2d", pixels);
    if (output_padding.height < 0 || output_padding.width < 0 || output_padding.height >= stride.height ||
        output_padding.width >= stride.width)
      throw ShapeError(detail::message("ConvTranspose2d: output_padding ", output_padding.str(),
                                       " must be at least 0 and below the stride ", stride.str()));
    const ImageShape large{
        channels, (pixels.height - 1) * stride.height - 2 * padding.height + kernel.height + output_padding.height,
        (pixels.width - 1) * stride.width - 2 * padding.width + kernel.width + output_padding.width};
    (void)detail::window_places("ConvTranspose2d", large, kernel, stride, padding);
    return large;
  }

 public:
  static constexpr std::string_view name = "ConvTranspose2d";
  static constexpr ImageShape static_in_image = Image;
  static constexpr ImageShape static_out_image = [] {
    if constexpr (is_static)
      return image(Image, OutChannels, KernelSize, Stride, Padding, OutputPadding);
    else
      return any_image;
  }();
  static constexpr Index static_in = static_in_image.size();
  static constexpr Index static_out = static_out_image.size();

  ConvTranspose2d() requires(Image != any_image) : ConvTranspose2d(BiasOption{}) {}
  explicit ConvTranspose2d(const BiasOption& options) requires(Image != any_image)
      : ConvTranspose2d::Convolution(static_out_image, Image, KernelSize, Stride, Padding, options.bias) {}
  ConvTranspose2d(const ImageShape& in, Index out_channels, const Size2d& kernel_size,
                  const ConvTranspose2dOptions& options = {}) requires(Image == any_image)
      : ConvTranspose2d::Convolution(
            image(in, out_channels, kernel_size, options.stride, options.padding, options.output_padding), in,
            kernel_size, options.stride, options.padding, options.bias) {}
};

}  // namespace hourglass
