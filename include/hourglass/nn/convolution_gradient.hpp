// Convolution gradients: those of weights and biases, summed over the images of a group, and over the groups of a
// batch.
//
//   dW(m, c, i, j) = sum over images, y and x of pixels(m, y, x) image(c, y s + i - p, x s + j - p)
//   db(o)          = sum over images, y and x of dy(o, y, x)
#pragma once

#include <algorithm>
#include <vector>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/shifted.hpp"
#include "hourglass/nn/convolution_pass.hpp"

namespace hourglass::detail {

/// Where sums of weight gradients find their terms: rows are channels and taps of the side that a pass starts from,
/// terms are pixels of its end, row after row.
struct WeightGradientTerms {
  std::vector<SumsRow> rows;
  std::vector<Tap> pixels;  // of one row

  WeightGradientTerms() = default;
  WeightGradientTerms(const ConvolutionPass& pass, Index line) {
    for (Index channel = 0; channel < pass.from.channels; ++channel)
      for (const Tap& tap : pass.taps)
        rows.push_back({channel * pass.padded_channel() + pass.phases[0].source + (pass.line > 0 ? tap.a : tap.b),
                        static_cast<Index>(rows.size()) * line});
    for (Index x = 0; x < pass.to.width; ++x) pixels.push_back({x * pass.step.width, x * line});
  }
  [[nodiscard]] Index height() const noexcept { return static_cast<Index>(rows.size()); }
};

/// Sums of weight gradients over images; columns are channels of the end.
template <class Scalar>
struct RunWeightGradient {
  const ConvolutionPass& pass;  // of one phase
  const WeightGradientTerms& terms;
  const Scalar* padded;  // its start
  const Scalar* end;     // its end
  Scalar* columns;       // (blocks, pixels, line): the end with its channels last
  Scalar* sums;          // (blocks, rows, line)
  bool add;

  HOURGLASS_SIMD(void operator()() const, {
    constexpr Index line = shifted_block<Scalar>;
    const ImageShape& to = pass.to;
    pack_blocks<V>(end, to.plane(), to.channels, columns);
    shifted_sums<V>({terms.height(), ceil_div(to.channels, line), terms.rows.data(), to.height, to.width,
                     terms.pixels.data(), padded, pass.step.height * pass.padded.width, columns, to.width * line,
                     to.plane() * line, sums, terms.height() * line, add});
  })
};

/// Sum of `count` elements: 64 sums of every 64th element each, and their tree.
HOURGLASS_SIMD(double plane_sum(const typename V::Scalar* values, Index count), {
  using Scalar = typename V::Scalar;
  constexpr Index vectors = block_size / V::lanes;
  V sums[vectors];
  HOURGLASS_UNROLL
  for (Index j = 0; j < vectors; ++j) sums[j] = V(Scalar(0));
  Index i = 0;
  for (; i + block_size <= count; i += block_size) {
    HOURGLASS_UNROLL
    for (Index j = 0; j < vectors; ++j) sums[j] = sums[j] + V::load(values + i + j * V::lanes);
  }
  for (Index j = 0; i < count; ++j, i += V::lanes)
    sums[j] = sums[j] + V::load(values + i, std::min(V::lanes, count - i));
  alignas(64) Scalar block[block_size];
  HOURGLASS_UNROLL
  for (Index j = 0; j < vectors; ++j) sums[j].store(block + j * V::lanes);
  return tree_sum(block);
})

/// sums[c] = (add ? sums[c] : 0) + sum of channel c of an image.
template <class Scalar>
struct AddPlanes {
  const ImageShape& shape;
  const Scalar* image;
  Scalar* sums;  // (channels)
  bool add;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index channel = 0; channel < shape.channels; ++channel) {
      const auto sum = static_cast<Scalar>(plane_sum<V>(image + channel * shape.plane(), shape.plane()));
      sums[channel] = add ? sums[channel] + sum : sum;
    }
  })
};

/// gradient(row channel, column channel, tap) = sum over groups, in ascending order, of their sums, for the columns
/// [first, last), of which the first begins a block.
template <class Scalar>
struct AddGroups {
  const Scalar* sums;  // (groups, blocks, height, line)
  Index group_size;
  Index groups;
  Index height;
  Index taps;
  Index first;
  Index last;
  Scalar* gradient;
  Index row_stride;  // of channels in the gradient
  Index column_stride;

  HOURGLASS_SIMD(void operator()() const, {
    constexpr Index line = shifted_block<Scalar>;
    for (Index column = first; column < last; column += V::lanes)
      for (Index i = 0; i < height; ++i) {
        const Scalar* from = sums + (column / line * height + i) * line + column % line;
        V total(Scalar(0));
        for (Index group = 0; group < groups; ++group) total = total + V::load(from + group * group_size);
        Scalar values[V::lanes];
        total.store(values);
        Scalar* to = gradient + i / taps * row_stride + column * column_stride + i % taps;
        for (Index lane = 0; lane < std::min<Index>(V::lanes, last - column); ++lane)
          to[lane * column_stride] = values[lane];
      }
  })
};

}  // namespace hourglass::detail
