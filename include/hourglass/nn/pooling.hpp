// Pooling: what MaxPool2d, AvgPool2d and Upsample share: windows on each channel of an image by itself, and passes over
// the images of a batch.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

struct PoolOptions {
  std::optional<Size2d> stride = std::nullopt;  ///< default: the size of the kernel, so that windows do not overlap
  Size2d padding = 0;                           ///< at most half of the kernel
};

namespace detail {

/// to = epilogue(to) for the `count` values of one image, which are row `row` of the epilogue's matrix.
template <class Scalar, class Epilogue>
struct FinishImage {
  Scalar* image;
  Index count;
  Index row;
  const Epilogue& epilogue;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      epilogue(V::load(image + i, n), V(Scalar(0)), epilogue::Edge{row, i, n}).store(image + i, n);
    }
  })
};

/// body(row) for each image of a batch, on several threads where that pays and the caller has not done so.
template <class Body>
void for_each_image(Index rows, Index features, const Body& body) {
  parallel_for(rows, rows * features < parallel_grain ? 1 : num_threads(), body);
}

/// Windows of a pooling layer on images of shape `in`; those at the border are cut off there.
struct Windows {
  ImageShape in;
  ImageShape out;
  Size2d kernel;
  Size2d stride;
  Size2d padding;

  /// Throws ShapeError when a number is impossible.
  constexpr Windows(const char* name, const ImageShape& image, const Size2d& size, const Size2d& step,
                    const Size2d& border)
      : in{image}, kernel{size}, stride{step}, padding{border} {
    const Size2d places = window_places(name, image, size, step, border);
    if (2 * border.height > size.height || 2 * border.width > size.width)
      throw ShapeError(message(name, ": padding ", border.str(), " is above half of the kernel ", size.str(),
                               "; some windows would see nothing of the image"));
    out = {image.channels, places.height, places.width};
  }

  /// One channel's window at (y, x): rows [top, bottom) and columns [left, right).
  struct Window {
    Index top;
    Index bottom;
    Index left;
    Index right;
  };
  [[nodiscard]] constexpr Window at(Index y, Index x) const noexcept {
    const Index top = y * stride.height - padding.height;
    const Index left = x * stride.width - padding.width;
    return {std::max<Index>(top, 0), std::min(top + kernel.height, in.height), std::max<Index>(left, 0),
            std::min(left + kernel.width, in.width)};
  }
  /// Where the upper row of windows of 2 by 2 begins for a row of results, counted through all channels.
  [[nodiscard]] constexpr Index row_of_squares(Index row) const noexcept {
    return row / out.height * in.plane() + row % out.height * 2 * in.width;
  }
  /// body(place in the result, window, place of the window's channel) for each element of one image of results.
  template <class Body>
  void for_each(const Body& body) const {
    Index place = 0;
    for (Index channel = 0; channel < in.channels; ++channel)
      for (Index y = 0; y < out.height; ++y)
        for (Index x = 0; x < out.width; ++x) body(place++, at(y, x), channel * in.plane());
  }
};

}  // namespace detail

/// A layer of images without parameters: its shapes, and both passes over a batch. `Layer` has `shapes()`, with the
/// images `in` and `out`, `forward_image(x, y)` and `backward_image(x, y, dy, dx)`.
template <class Layer>
class ImageLayer {
 public:
  static constexpr bool takes_rows = true;

  [[nodiscard]] ImageShape in_image() const noexcept { return self().shapes().in; }
  [[nodiscard]] ImageShape out_image() const noexcept { return self().shapes().out; }
  [[nodiscard]] Index in_features() const noexcept { return in_image().size(); }
  /// Throws ShapeError unless `in` is in_features().
  [[nodiscard]] Index out_features(Index in) const {
    if (in != in_features())
      throw ShapeError(detail::message(Layer::name, ": input has ", in, " features, an image of shape ",
                                       in_image().str(), " has ", in_features(), "; check the layer before it"));
    return out_image().size();
  }
  [[nodiscard]] double work_per_row() const noexcept { return static_cast<double>(in_features() + out_image().size()); }

  template <class Scalar, class M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar>, const M&, RowRange) const {
    (void)out_features(x.cols());
    detail::for_each_image(x.rows(), x.cols(), [&](Index row) {
      self().forward_image(x.data() + row * x.cols(), y.data() + row * y.cols());
    });
  }
  template <class Scalar, class Epilogue>
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& y, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<Scalar>, RowRange, const Epilogue& epilogue) const {
    if (dx.data() == nullptr) return;
    detail::for_each_image(dx.rows(), dx.cols(), [&](Index row) {
      Scalar* const to = dx.data() + row * dx.cols();
      self().backward_image(x.data() + row * x.cols(), y.data() + row * y.cols(), dy.data() + row * dy.cols(), to);
      if constexpr (!std::is_same_v<Epilogue, epilogue::Store>)
        simd::dispatch<Scalar>(detail::FinishImage<Scalar, Epilogue>{to, dx.cols(), row, epilogue});
    });
  }

 private:
  [[nodiscard]] const Layer& self() const noexcept { return static_cast<const Layer&>(*this); }
};

}  // namespace hourglass
