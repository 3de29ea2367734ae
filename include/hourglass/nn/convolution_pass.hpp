// Convolution passes: from an image to its pixels and back, by shifted products.
//
// A window of kernel (kh, kw) moves over an image (C, H, W) with a border of `padding` zeros in steps of `stride`; its
// places make pixels (M, h, w), and the weight W is (M, C, kh, kw).
//
//   to_pixels  pixels(m, y, x) = sum over c, i, j of W(m, c, i, j) image(c, y s + i - p, x s + j - p)
//   to_image   image(c, y, x) = sum over m, i, j of W(m, c, i, j) pixels(m, (y + p - i) / s, (x + p - j) / s),
//              over those i and j for which the quotients are whole
//
// With stride s an image is first split into s * s ones, of which each takes every s-th row and column; to_image makes
// such parts, one after another, each with its own taps.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_pairs.hpp"
#include "hourglass/gemm/epilogue.hpp"
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
    Index source;  // the first result's place in a padded channel
    Index dest;    // and in a channel of the result
  };

  ImageShape from;
  ImageShape to;
  Size2d split;    // every split-th row and column of `from` lie together
  Size2d padding;  // zeros before the first row and column of `from`
  Size2d parts;    // of the split that some tap sees
  Size2d padded;   // size of each part
  Size2d stride;   // of a phase in the result
  Index a_row;
  Index a_channel;
  std::vector<Tap> taps;
  std::vector<Phase> phases;

  [[nodiscard]] Index padded_channel() const noexcept {
    return parts.height * parts.width * padded.height * padded.width;
  }
  [[nodiscard]] Index padded_size() const noexcept { return from.channels * padded_channel(); }
  /// Columns of the largest product.
  [[nodiscard]] Index most_cols() const noexcept {
    Index most = 0;
    for (const Phase& phase : phases) most = std::max(most, cols_of(phase));
    return most;
  }
  [[nodiscard]] Index cols_of(const Phase& phase) const noexcept {
    return (phase.rows - 1) * padded.width + phase.cols;
  }
  /// Results of phases are put together in memory of their own first.
  [[nodiscard]] bool is_split() const noexcept { return phases.size() > 1; }
  /// Phases come in pairs that hold every second column of the same rows.
  [[nodiscard]] bool has_halves() const noexcept { return stride.width == 2 && is_split() && to.width > 1; }
};

/// to_pixels, for the given number M of channels of the pixels.
[[nodiscard]] inline ConvolutionPass to_pixels_pass(const ImageShape& image, const ImageShape& pixels, Size2d kernel,
                                                    Size2d stride, Size2d padding) {
  const Index area = kernel.height * kernel.width;
  const Size2d parts{std::min(stride.height, kernel.height), std::min(stride.width, kernel.width)};
  const Size2d padded{pixels.height + (kernel.height - 1) / stride.height,
                      pixels.width + (kernel.width - 1) / stride.width};
  ConvolutionPass pass{image, pixels, stride, padding, parts, padded, Size2d{1}, image.channels * area, area, {}, {}};
  for (Index i = 0; i < kernel.height; ++i)
    for (Index j = 0; j < kernel.width; ++j) {
      const Index part = i % stride.height * parts.width + j % stride.width;
      pass.taps.push_back(
          {i * kernel.width + j, (part * padded.height + i / stride.height) * padded.width + j / stride.width});
    }
  pass.phases.push_back({0, area, pixels.height, pixels.width, 0, 0});
  return pass;
}

/// to_image.
[[nodiscard]] inline ConvolutionPass to_image_pass(const ImageShape& image, const ImageShape& pixels, Size2d kernel,
                                                   Size2d stride, Size2d padding) {
  const Index area = kernel.height * kernel.width;
  // Row y of the image, y + padding = a stride + part, sees pixels a, a - 1, ...: as many as the part has taps.
  const Size2d before{ceil_div(kernel.height, stride.height) - 1, ceil_div(kernel.width, stride.width) - 1};
  const Size2d padded{(image.height - 1 + padding.height) / stride.height + 1 + before.height,
                      (image.width - 1 + padding.width) / stride.width + 1 + before.width};
  ConvolutionPass pass{pixels, image, Size2d{1}, before, Size2d{1}, padded, stride, area, image.channels * area,
                       {},     {}};
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
                             top * padded.width + left, y * image.width + x});
    }
  return pass;
}

/// Every second pixel of a row to one place and the others to another, as many as there is room for.
// clang-format off
HOURGLASS_SIMD(void split_row(const typename V::Scalar* row, Index width, typename V::Scalar* first, Index first_room,
                              typename V::Scalar* second, Index second_room), {
  const Index pairs = width / 2;
  for (Index k = 0; k < pairs; k += V::lanes) {
    const Index n = std::min<Index>(V::lanes, pairs - k);
    V left;
    V right;
    simd::load_pairs(row + 2 * k, n, left, right);
    if (first_room > k) left.store(first + k, std::min(n, first_room - k));
    if (second_room > k) right.store(second + k, std::min(n, second_room - k));
  }
  if (width % 2 != 0 && first_room > pairs) first[pairs] = row[width - 1];
})
/// The inverse: a row from its two halves.
HOURGLASS_SIMD(void join_row(const typename V::Scalar* first, const typename V::Scalar* second, Index width,
                             typename V::Scalar* row), {
  const Index pairs = width / 2;
  for (Index k = 0; k < pairs; k += V::lanes) {
    const Index n = std::min<Index>(V::lanes, pairs - k);
    simd::store_pairs(V::load(first + k, n), V::load(second + k, n), row + 2 * k, n);
  }
  if (width % 2 != 0) row[width - 1] = first[pairs];
})
// clang-format on

/// pad_image for parts of every second column.
// clang-format off
HOURGLASS_SIMD(void pad_halves(const ConvolutionPass& pass, const typename V::Scalar* image,
                               typename V::Scalar* padded), {
  const Index part = pass.padded.height * pass.padded.width;
  const Index border = pass.padding.width;
  for (Index channel = 0; channel < pass.from.channels; ++channel)
    for (Index y = 0; y < pass.from.height; ++y, image += pass.from.width) {
      const Index a = (y + pass.padding.height) / pass.split.height;
      const Index down = (y + pass.padding.height) % pass.split.height;
      if (down >= pass.parts.height || a >= pass.padded.height) continue;
      typename V::Scalar* row = padded + (channel * pass.parts.height + down) * 2 * part + a * pass.padded.width;
      split_row<V>(image, pass.from.width, row + border % 2 * part + border / 2, pass.padded.width - border / 2,
                   row + (border + 1) % 2 * part + (border + 1) / 2, pass.padded.width - (border + 1) / 2);
    }
})
// clang-format on

/// Copies an image to the middle of the zeros of its padded, split form.
// clang-format off
HOURGLASS_SIMD(void pad_image(const ConvolutionPass& pass, const typename V::Scalar* image,
                              typename V::Scalar* padded), {
  if (pass.split.width == 2 && pass.parts.width == 2) return pad_halves<V>(pass, image, padded);
  using Scalar = typename V::Scalar;
  const ImageShape from = pass.from;
  const Size2d split = pass.split;
  for (Index channel = 0; channel < from.channels; ++channel)
    for (Index down = 0; down < pass.parts.height; ++down)
      for (Index right = 0; right < pass.parts.width; ++right) {
        const Index top = std::max<Index>(0, ceil_div(pass.padding.height - down, split.height));
        const Index left = std::max<Index>(0, ceil_div(pass.padding.width - right, split.width));
        const Index x = left * split.width + right - pass.padding.width;
        const Index count = std::min(pass.padded.width - left, ceil_div(from.width - x, split.width));
        for (Index a = top; a < pass.padded.height; ++a) {
          const Index y = a * split.height + down - pass.padding.height;
          if (y >= from.height) break;
          const Scalar* row = image + (channel * from.height + y) * from.width + x;
          Scalar* out = padded + a * pass.padded.width + left;
          if (split.width == 1)
            for (Index b = 0; b < count; b += V::lanes) {
              const Index n = std::min<Index>(V::lanes, count - b);
              V::load(row + b, n).store(out + b, n);
            }
          else
            for (Index b = 0; b < count; ++b) out[b] = row[b * split.width];
        }
        padded += pass.padded.height * pass.padded.width;
      }
})
// clang-format on

/// to = epilogue(sums + bias) for one image, whose first element is (row, 0) of the epilogue's matrix.
// clang-format off
HOURGLASS_SIMD(void finish_image(const ConvolutionPass& pass, const typename V::Scalar* sums, Index channel_size,
                                 Index pitch, const typename V::Scalar* bias, Index row, typename V::Scalar* to,
                                 const auto& epilogue), {
  using Scalar = typename V::Scalar;
  const bool whole = pitch == pass.to.width;
  const Index rows = whole ? 1 : pass.to.height;
  const Index cols = whole ? pass.to.plane() : pass.to.width;
  Index place = 0;
  for (Index channel = 0; channel < pass.to.channels; ++channel) {
    const V offset(bias == nullptr ? Scalar(0) : bias[channel]);
    for (Index y = 0; y < rows; ++y) {
      const Scalar* from = sums + channel * channel_size + y * pitch;
      for (Index x = 0; x < cols; x += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - x);
        const epilogue::Edge at{row, place + x, n};
        V sum = V::load(from + x, n);
        if (bias != nullptr) sum = sum + offset;
        epilogue(sum, V(Scalar(0)), at).store(to + place + x, n);
      }
      place += cols;
    }
  }
})
// clang-format on

/// Scratch memory of one pass.
template <class Scalar>
struct PassScratch {
  Scalar* padded;   // padded_size(), zero at the border
  Scalar* sums;     // (to.channels, shifted_row(most_cols())), twice where phases come in pairs
  Scalar* results;  // to.size(), where phases are put together
};

/// One pass over one image, on this thread.
template <class Scalar, class Epilogue>
struct RunPass {
  const ConvolutionPass& pass;
  const Scalar* weight;
  const Scalar* bias;  // (to.channels), or null
  const Scalar* image;
  PassScratch<Scalar> scratch;
  Scalar* to;
  Index row;
  const Epilogue& epilogue;

  HOURGLASS_SIMD(void operator()() const, {
    pad_image<V>(pass, image, scratch.padded);
    const Index c_row = shifted_row<Scalar>(pass.most_cols());
    Index half = 0;
    for (const ConvolutionPass::Phase& phase : pass.phases) {
      Scalar* const sums = scratch.sums + half * pass.to.channels * c_row;
      shifted_product<V>({pass.to.channels, pass.cols_of(phase), pass.from.channels, phase.taps,
                          pass.taps.data() + phase.first_tap, weight, pass.a_row, pass.a_channel,
                          scratch.padded + phase.source, pass.padded_channel(), sums, c_row});
      if (!pass.is_split()) continue;
      if (pass.has_halves()) {
        half = 1 - half;
        if (half == 0) join_halves<V>(*(&phase - 1), phase, c_row);
        continue;
      }
      for (Index channel = 0; channel < pass.to.channels; ++channel)
        for (Index y = 0; y < phase.rows; ++y) {
          const Scalar* from = sums + channel * c_row + y * pass.padded.width;
          Scalar* out =
              scratch.results + channel * pass.to.plane() + phase.dest + y * pass.stride.height * pass.to.width;
          for (Index x = 0; x < phase.cols; ++x) out[x * pass.stride.width] = from[x];
        }
    }
    if (pass.is_split())
      finish_image<V>(pass, scratch.results, pass.to.plane(), pass.to.width, bias, row, to, epilogue);
    else
      finish_image<V>(pass, scratch.sums, c_row, pass.padded.width, bias, row, to, epilogue);
  })

 private:
  // clang-format off
  HOURGLASS_SIMD(void join_halves(const ConvolutionPass::Phase& one, const ConvolutionPass::Phase& other,
                                  Index c_row) const, {
    const bool in_order = one.dest < other.dest;
    const Scalar* const first = scratch.sums + (in_order ? 0 : pass.to.channels * c_row);
    const Scalar* const second = scratch.sums + (in_order ? pass.to.channels * c_row : 0);
    const Index dest = std::min(one.dest, other.dest);
    for (Index channel = 0; channel < pass.to.channels; ++channel)
      for (Index y = 0; y < one.rows; ++y) {
        const Index from = channel * c_row + y * pass.padded.width;
        join_row<V>(first + from, second + from, pass.to.width,
                    scratch.results + channel * pass.to.plane() + dest + y * pass.stride.height * pass.to.width);
      }
  })
  // clang-format on
};

/// The padded form alone.
template <class Scalar>
struct PadImage {
  const ConvolutionPass& pass;
  const Scalar* image;
  Scalar* padded;
  HOURGLASS_SIMD(void operator()() const, { pad_image<V>(pass, image, padded); })
};

}  // namespace hourglass::detail
