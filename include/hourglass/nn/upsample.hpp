// Upsample: y = every pixel of x, repeated.
#pragma once

#include <algorithm>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/nn/pooling.hpp"

namespace hourglass {

namespace detail {

/// Images that grow by a whole factor. Throws ShapeError when that is below 1.
struct Enlargement {
  ImageShape in;
  ImageShape out;
  Size2d factor;
  constexpr Enlargement(const ImageShape& image, const Size2d& scale) : in{checked("Upsample", image)}, factor{scale} {
    if (scale.height < 1 || scale.width < 1)
      throw ShapeError(
          message("Upsample: scale_factor ", scale.str(), " is impossible; it is a whole number from 1 on"));
    out = {image.channels, image.height * scale.height, image.width * scale.width};
  }
};

}  // namespace detail

/// Nearest-neighbour interpolation y(c, i, j) = x(c, i / scale_factor, j / scale_factor), rounded down, PyTorch's
/// mode "nearest"; the gradient of a pixel is the sum over its copies. `Upsample<ImageShape{8, 14, 14}, 2>{}`, or
/// `Upsample{ImageShape{8, 14, 14}, 2}`. Throws ShapeError when a number is impossible.
template <ImageShape Image = any_image, Size2d ScaleFactor = 1>
class Upsample : public ImageLayer<Upsample<Image, ScaleFactor>> {
 public:
  static constexpr std::string_view name = "Upsample";
  static constexpr ImageShape static_in_image = Image;
  static constexpr ImageShape static_out_image = [] {
    if constexpr (Image != any_image)
      return detail::Enlargement(Image, ScaleFactor).out;
    else
      return any_image;
  }();
  static constexpr Index static_in = Image != any_image ? static_in_image.size() : Dynamic;
  static constexpr Index static_out = Image != any_image ? static_out_image.size() : Dynamic;

  Upsample() requires(Image != any_image) : shapes_(Image, ScaleFactor) {}
  Upsample(const ImageShape& image, const Size2d& scale_factor) requires(Image == any_image)
      : shapes_(image, scale_factor) {}

  [[nodiscard]] const detail::Enlargement& shapes() const noexcept { return shapes_; }

  template <class Scalar>
  void forward_image(const Scalar* x, Scalar* y) const {
    const Index width = shapes_.out.width;
    for (Index row = 0; row < shapes_.in.channels * shapes_.in.height; ++row, x += shapes_.in.width) {
      if (shapes_.factor.width == 2) {
        for (Index col = 0; col < shapes_.in.width; ++col) y[2 * col] = y[2 * col + 1] = x[col];
      } else {
        for (Index col = 0; col < shapes_.in.width; ++col)
          for (Index copy = 0; copy < shapes_.factor.width; ++copy) y[col * shapes_.factor.width + copy] = x[col];
      }
      for (Index copy = 1; copy < shapes_.factor.height; ++copy) std::copy_n(y, width, y + copy * width);
      y += shapes_.factor.height * width;
    }
  }
  /// Copies are added row by row.
  template <class Scalar>
  void backward_image(const Scalar*, const Scalar*, const Scalar* dy, Scalar* dx) const {
    const Index width = shapes_.out.width;
    for (Index row = 0; row < shapes_.in.channels * shapes_.in.height; ++row) {
      for (Index col = 0; col < shapes_.in.width; ++col) {
        const Scalar* const from = dy + col * shapes_.factor.width;
        Scalar sum = 0;
        for (Index down = 0; down < shapes_.factor.height; ++down)
          for (Index right = 0; right < shapes_.factor.width; ++right) sum += from[down * width + right];
        dx[col] = sum;
      }
      dx += shapes_.in.width;
      dy += shapes_.factor.height * width;
    }
  }

 private:
  detail::Enlargement shapes_;
};

}  // namespace hourglass
