// Convolution run: one pass of a convolution over one image, on this thread; see nn/convolution_pass.hpp.
//
// The image goes to the middle of a padded one, the product or the sums are made from that, and bias and epilogue are
// applied to what they give, in the order of the result.
#pragma once

#include <algorithm>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_pairs.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/pack.hpp"
#include "hourglass/gemm/shifted.hpp"
#include "hourglass/nn/convolution_pass.hpp"

namespace hourglass::detail {

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
  Scalar* padded;  // padded_size(), zero at the border
  Scalar* sums;  // (to.channels, shifted_row(most_cols())), twice where phases come in pairs; or (blocks, pixels, line)
  Scalar* results;  // to.size(), where phases are put together; or (line, pixels) in blocks
  Scalar* weight;   // (blocks, from.channels, area, line), for channels in the lanes

  [[nodiscard]] static Index rounded(Index size) noexcept { return shifted_row<Scalar>(size); }
  [[nodiscard]] static Index padded_size(const ConvolutionPass& pass) noexcept {
    return rounded(pass.padded_size() + shifted_slack<Scalar>);
  }
  [[nodiscard]] static Index sums_size(const ConvolutionPass& pass) noexcept {
    if (pass.line > 0) return rounded(pass.blocks() * pass.line * pass.to.plane());
    return (pass.has_halves() ? 2 : 1) * pass.to.channels * rounded(pass.most_cols());
  }
  [[nodiscard]] static Index results_size(const ConvolutionPass& pass) noexcept {
    if (pass.line > 0) return rounded(ceil_div(pass.to.plane(), pass.line) * pass.line * pass.line);
    return pass.is_split() ? rounded(pass.to.size()) : 0;
  }
  [[nodiscard]] static Index weight_size(const ConvolutionPass& pass) noexcept {
    return pass.line > 0 ? rounded(pass.blocks() * pass.line * pass.from.channels * pass.area) : 0;
  }
  [[nodiscard]] static Index size(const ConvolutionPass& pass) noexcept {
    return padded_size(pass) + sums_size(pass) + results_size(pass) + weight_size(pass);
  }
  PassScratch(const ConvolutionPass& pass, Scalar* memory) noexcept
      : padded{memory},
        sums{padded + padded_size(pass)},
        results{sums + sums_size(pass)},
        weight{results + results_size(pass)} {}
};

/// weight(block, q, tap, channel) from the weight of a layer, for channels in the lanes.
template <class Scalar>
struct PackWeight {
  const ConvolutionPass& pass;
  const Scalar* from;
  Scalar* to;
  HOURGLASS_SIMD(void operator()() const, {
    constexpr Index line = shifted_block<Scalar>;
    for (Index first = 0; first < pass.to.channels; first += line)
      for (Index q = 0; q < pass.from.channels; ++q)
        Pack<line>::template run<V>({from + first * pass.a_row + q * pass.a_channel, 1, pass.a_row}, pass.area,
                                    std::min(line, pass.to.channels - first),
                                    to + (first * pass.from.channels + q * line) * pass.area);
  })
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
    if (pass.line > 0) return by_channels<V>();
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
  HOURGLASS_SIMD(void by_channels() const, {
    constexpr Index line = shifted_block<Scalar>;
    const Index plane = pass.to.plane();
    for (const ConvolutionPass::Phase& phase : pass.phases)
      shifted_sums<V>({phase.rows * phase.cols, pass.blocks(), pass.places.data() + phase.first_place,
                       pass.from.channels, phase.taps, pass.taps.data() + phase.first_tap, scratch.padded,
                       pass.padded_channel(), scratch.weight, pass.area * line, pass.from.channels * pass.area * line,
                       scratch.sums, plane * line, false});
    for (Index first = 0; first < pass.to.channels; first += line) {
      pack_blocks<V>(scratch.sums + first * plane, line, plane, scratch.results);
      finish_block<V>(first);
    }
  })
  // clang-format off
  HOURGLASS_SIMD(void finish_block(Index first) const, {
    constexpr Index line = shifted_block<Scalar>;
    const Index plane = pass.to.plane();
    for (Index channel = first; channel < std::min(first + line, pass.to.channels); ++channel) {
      const V offset(bias == nullptr ? Scalar(0) : bias[channel]);
      for (Index x = 0; x < plane; x += V::lanes) {
        const Index n = std::min<Index>(V::lanes, plane - x);
        const epilogue::Edge at{row, channel * plane + x, n};
        V sum = V::load(scratch.results + (x / line * line + channel - first) * line + x % line, n);
        if (bias != nullptr) sum = sum + offset;
        epilogue(sum, V(Scalar(0)), at).store(to + channel * plane + x, n);
      }
    }
  })
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
