// AvgPool2d: y = the mean of a window.
#pragma once

#include <algorithm>
#include <string_view>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/nn/pooling.hpp"

namespace hourglass {

/// y(c, i, j) = sum over u, v of x(c, i stride + u - padding, j stride + v - padding) / (kernel height * kernel width):
/// the border counts as zeros, PyTorch's count_include_pad. `AvgPool2d<ImageShape{16, 28, 28}, 2>{}`, or
/// `AvgPool2d{ImageShape{16, 28, 28}, 2}`. Throws ShapeError when a number is impossible.
template <ImageShape Image = any_image, Size2d KernelSize = 1, Size2d Stride = KernelSize, Size2d Padding = 0>
class AvgPool2d : public ImageLayer<AvgPool2d<Image, KernelSize, Stride, Padding>> {
 public:
  static constexpr std::string_view name = "AvgPool2d";
  static constexpr ImageShape static_in_image = Image;
  static constexpr ImageShape static_out_image = [] {
    if constexpr (Image != any_image)
      return detail::Windows("AvgPool2d", Image, KernelSize, Stride, Padding).out;
    else
      return any_image;
  }();
  static constexpr Index static_in = static_in_image.size();
  static constexpr Index static_out = static_out_image.size();

  AvgPool2d() requires(Image != any_image) : windows_("AvgPool2d", Image, KernelSize, Stride, Padding) {}
  AvgPool2d(const ImageShape& image, const Size2d& kernel_size,
            const PoolOptions& options = {}) requires(Image == any_image)
      : windows_("AvgPool2d", image, kernel_size, options.stride.value_or(kernel_size), options.padding) {}

  [[nodiscard]] const detail::Windows& shapes() const noexcept { return windows_; }

  template <class Scalar>
  void forward_image(const Scalar* x, Scalar* y) const {
    const Index width = windows_.in.width;
    windows_.for_each([&](Index place, const auto& window, Index channel) {
      Scalar sum = 0;
      for (Index row = window.top; row < window.bottom; ++row)
        for (Index col = window.left; col < window.right; ++col) sum += x[channel + row * width + col];
      y[place] = sum / area<Scalar>();
    });
  }
  template <class Scalar>
  void backward_image(const Scalar*, const Scalar*, const Scalar* dy, Scalar* dx) const {
    const Index width = windows_.in.width;
    std::fill_n(dx, windows_.in.size(), Scalar(0));
    windows_.for_each([&](Index place, const auto& window, Index channel) {
      const Scalar share = dy[place] / area<Scalar>();  // a product could be fused with the sum, or not
      for (Index row = window.top; row < window.bottom; ++row)
        for (Index col = window.left; col < window.right; ++col) dx[channel + row * width + col] += share;
    });
  }

 private:
  template <class Scalar>
  [[nodiscard]] Scalar area() const noexcept {
    return static_cast<Scalar>(windows_.kernel.height * windows_.kernel.width);
  }

  detail::Windows windows_;
};

}  // namespace hourglass
