// Convolution passes: from an image to its pixels and back, by shifted products.
//
// A window of kernel (kh, kw) moves over an image (C, H, W) with a border of `padding` zeros in steps of `stride`; its
// places make pixels (M, h, w), and the weight W is (M, C, kh, kw).
//
//   to_pixels  pixels(m, y, x) = sum over c, i, j of W(m, c, i, j) image(c, y s + i - p, x s + j - p)
//   to_image   image(c, y, x) = sum over m, i, j of W(m, c, i, j) pixels(m, (y + p - i) / s, (x + p - j) / s),
//              over those i and j for which the quotients are whole
//
// Of to_image with stride s, every s-th row and column of the image is a phase with taps of its own. Sums are made with
// pixels in the lanes of vectors, or with channels, whichever leaves fewer lanes empty. For pixels to be contiguous,
// with stride s an image is first split into s * s ones, of which each takes every s-th row and column, and phases are
// put together. Channels need the weight with them as its last axis, and their sums are transposed. The order of a
// sum's terms, and so its bits, are the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/gemm/shifted.hpp"

namespace hourglass::detail {

[[nodiscard]] constexpr Index ceil_div(Index a, Index b) noexcept { return a > 0 ? (a + b - 1) / b : -(-a / b); }

/// One direction of a convolution: images of shape `from` become images of shape `to`.
struct ConvolutionPass {
  /// Taps that share one grid of results: every stride-th row and column of the result.
  struct Phase {
    std::size_t first_tap;
    Index taps;
    Index rows;
    Index cols;
    Index source;             // the first result's place in a padded channel
    Index dest;               // and in a channel of the result
    std::size_t first_place;  // of its results
  };

  ImageShape from;
  ImageShape to;
  Size2d split;    // every split-th row and column of `from` lie together
  Size2d padding;  // zeros before the first row and column of `from`
  Size2d parts;    // of the split that some tap sees
  Size2d padded;   // size of each part
  Size2d stride;   // of a phase in the result
  Size2d step;     // from one result of a phase to the next in the padded channel
  Index a_row;     // of the weight, from one channel of the result to the next
  Index a_channel;
  Index area;
  Index line;                   // channels in a block of sums; 0: pixels are in the lanes
  std::vector<Tap> taps;        // of the weight and the padded channel, or for channels in the lanes the other way
  std::vector<Phase> phases;    // round
  std::vector<SumsRow> places;  // for channels in the lanes: of each result, phase after phase

  [[nodiscard]] Index padded_channel() const noexcept {
    return parts.height * parts.width * padded.height * padded.width;
  }
  [[nodiscard]] Index padded_size() const noexcept { return from.channels * padded_channel(); }
  /// Blocks of channels of the result.
  [[nodiscard]] Index blocks() const noexcept { return ceil_div(to.channels, line); }
  /// Columns of the largest product.
  [[nodiscard]] Index most_cols() const noexcept {
    Index most = 0;
    for (const Phase& phase : phases) most = std::max(most, cols_of(phase));
    return most;
  }
  [[nodiscard]] Index cols_of(const Phase& phase) const noexcept {
    return (phase.rows - 1) * padded.width + phase.cols;
  }
  /// Channels in the lanes leave fewer of them empty than pixels do, in tiles two cache lines wide. Fewer terms do not
  /// pay for the transposition behind them, nor does a single line feed multiply-adds as well: both as measured.
  [[nodiscard]] bool suits_channels(Index block) const noexcept {
    Index lanes = 0;
    for (const Phase& phase : phases) lanes += ceil_div(cols_of(phase), 2 * block) * 2 * block;
    const double of_pixels = static_cast<double>(to.plane()) / static_cast<double>(lanes);
    const double of_channels = static_cast<double>(to.channels) /
                               static_cast<double>(ceil_div(to.channels, block) * block) *
                               (to.channels > block ? 1 : 0.85);
    return from.channels * static_cast<Index>(taps.size()) >= 64 * static_cast<Index>(phases.size()) &&
           of_channels > of_pixels;
  }
  /// Results of phases are put together in memory of their own first.
  [[nodiscard]] bool is_split() const noexcept { return line == 0 && phases.size() > 1; }
  /// Phases come in pairs that hold every second column of the same rows.
  [[nodiscard]] bool has_halves() const noexcept { return stride.width == 2 && is_split() && to.width > 1; }
};

/// Fills in what channels in the lanes need.
inline void put_channels_in_lanes(ConvolutionPass& pass) {
  for (Tap& tap : pass.taps) tap = {tap.b, tap.a * pass.line};
  for (ConvolutionPass::Phase& phase : pass.phases) {
    phase.first_place = pass.places.size();
    for (Index y = 0; y < phase.rows; ++y)
      for (Index x = 0; x < phase.cols; ++x)
        pass.places.push_back(
            {phase.source + y * pass.step.height * pass.padded.width + x * pass.step.width,
             (phase.dest + y * pass.stride.height * pass.to.width + x * pass.stride.width) * pass.line});
  }
}

/// to_pixels, for the given number M of channels of the pixels. `line`: see ConvolutionPass.
[[nodiscard]] inline ConvolutionPass to_pixels_pass(const ImageShape& image, const ImageShape& pixels, Size2d kernel,
                                                    Size2d stride, Size2d padding, Index line = 0) {
  const Index area = kernel.height * kernel.width;
  const Size2d split = line > 0 ? Size2d{1} : stride;
  const Size2d step = line > 0 ? stride : Size2d{1};
  const Size2d parts{std::min(split.height, kernel.height), std::min(split.width, kernel.width)};
  const Size2d padded{(pixels.height - 1) * step.height + (kernel.height - 1) / split.height + 1,
                      (pixels.width - 1) * step.width + (kernel.width - 1) / split.width + 1};
  ConvolutionPass pass{image, pixels, split, padding, parts, padded, Size2d{1}, step, image.channels * area,
                       area,  area,   line,  {},      {},    {}};
  for (Index i = 0; i < kernel.height; ++i)
    for (Index j = 0; j < kernel.width; ++j) {
      const Index part = i % split.height * parts.width + j % split.width;
      pass.taps.push_back(
          {i * kernel.width + j, (part * padded.height + i / split.height) * padded.width + j / split.width});
    }
  pass.phases.push_back({0, area, pixels.height, pixels.width, 0, 0, 0});
  if (line > 0) put_channels_in_lanes(pass);
  return pass;
}

/// to_image.
[[nodiscard]] inline ConvolutionPass to_image_pass(const ImageShape& image, const ImageShape& pixels, Size2d kernel,
                                                   Size2d stride, Size2d padding, Index line = 0) {
  const Index area = kernel.height * kernel.width;
  // Row y of the image, y + padding = a stride + part, sees pixels a, a - 1, ...: as many as the part has taps.
  const Size2d before{ceil_div(kernel.height, stride.height) - 1, ceil_div(kernel.width, stride.width) - 1};
  const Size2d padded{(image.height - 1 + padding.height) / stride.height + 1 + before.height,
                      (image.width - 1 + padding.width) / stride.width + 1 + before.width};
  ConvolutionPass pass{pixels, image,  Size2d{1}, before, Size2d{1},
                       padded, stride, Size2d{1}, area,   image.channels * area,
                       area,   line,   {},        {},     {}};
  for (Index down = 0; down < stride.height; ++down)
    for (Index right = 0; right < stride.width; ++right) {
      const Index top = std::max<Index>(0, ceil_div(padding.height - down, stride.height));
      const Index left = std::max<Index>(0, ceil_div(padding.width - right, stride.width));
      const Index y = top * stride.height + down - padding.height;
      const Index x = left * stride.width + right - padding.width;
      if (y >= image.height || x >= image.width) continue;
      const std::size_t first = pass.taps.size();
      for (Index i = down; i < kernel.height; i += stride.height)
        for (Index j = right; j < kernel.width; j += stride.width)
          pass.taps.push_back({i * kernel.width + j,
                               (before.height - i / stride.height) * padded.width + before.width - j / stride.width});
      pass.phases.push_back({first, static_cast<Index>(pass.taps.size() - first),
                             (image.height - 1 - y) / stride.height + 1, (image.width - 1 - x) / stride.width + 1,
                             top * padded.width + left, y * image.width + x, 0});
    }
  if (line > 0) put_channels_in_lanes(pass);
  return pass;
}

}  // namespace hourglass::detail
