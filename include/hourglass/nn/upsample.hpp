// Upsample: larger images, every pixel repeated or interpolated.
#pragma once

#include <algorithm>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/nn/bilinear.hpp"
#include "hourglass/nn/pooling.hpp"

namespace hourglass {

/// How Upsample fills in pixels, PyTorch's modes of those names.
enum class UpsampleMode { nearest, bilinear };

struct UpsampleOptions {
  UpsampleMode mode = UpsampleMode::nearest;
  bool align_corners = false;  ///< bilinear: pixels at the corners of y are those of x; otherwise pixels are areas
};

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

/// Images scale_factor times as high and wide. The mode `nearest` repeats pixels, y(c, i, j) = x(c, i / scale_factor,
/// j / scale_factor), rounded down; `bilinear` interpolates between the four nearest ones:
///     y(c, i, j) = sum over u, v in {0, 1} of a_u b_v x(c, p + u, q + v), a_0 + a_1 = b_0 + b_1 = 1
/// at (p + a_1, q + b_1) = (i + 1/2, j + 1/2) / scale_factor - 1/2, or (i, j) (in - 1) / (out - 1) with align_corners.
///
/// `Upsample<ImageShape{8, 14, 14}, 2>{}`, or `Upsample{ImageShape{8, 14, 14}, 2, {.mode = UpsampleMode::bilinear}}`.
/// Throws ShapeError when a number is impossible, DataError for align_corners without `bilinear`.
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
  static constexpr Index static_in = static_in_image.size();
  static constexpr Index static_out = static_out_image.size();

  explicit Upsample(const UpsampleOptions& options = {}) requires(Image != any_image)
      : Upsample(detail::Enlargement(Image, ScaleFactor), options) {}
  Upsample(const ImageShape& image, const Size2d& scale_factor,
           const UpsampleOptions& options = {}) requires(Image == any_image)
      : Upsample(detail::Enlargement(image, scale_factor), options) {}

  [[nodiscard]] const detail::Enlargement& shapes() const noexcept { return shapes_; }
  [[nodiscard]] const UpsampleOptions& options() const noexcept { return options_; }

  template <class Scalar>
  void forward_image(const Scalar* x, Scalar* y) const {
    if (options_.mode == UpsampleMode::bilinear)
      return simd::dispatch<Scalar>(detail::BilinearForward<Scalar>{down_, right_, shapes_.in, shapes_.out, x, y});
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
  /// Gradients of copies are added row by row.
  template <class Scalar>
  void backward_image(const Scalar*, const Scalar*, const Scalar* dy, Scalar* dx) const {
    if (options_.mode == UpsampleMode::bilinear)
      return simd::dispatch<Scalar>(detail::BilinearBackward<Scalar>{down_, right_, shapes_.in, shapes_.out, dy, dx});
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
  Upsample(const detail::Enlargement& shapes, const UpsampleOptions& options) : shapes_{shapes}, options_{options} {
    if (options.mode == UpsampleMode::bilinear) {
      down_ = detail::LinearTaps(shapes.in.height, shapes.factor.height, options.align_corners);
      right_ = detail::LinearTaps(shapes.in.width, shapes.factor.width, options.align_corners);
    } else if (options.align_corners) {
      throw DataError("Upsample: align_corners is for the mode bilinear; leave it out, or choose that mode");
    }
  }

  detail::Enlargement shapes_;
  UpsampleOptions options_;
  detail::LinearTaps down_;  // bilinear only
  detail::LinearTaps right_;
};

}  // namespace hourglass
