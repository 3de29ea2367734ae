// The arithmetic of batch normalisation: statistics of channels over a batch, and passes that use them.
//
// x is (rows, channels * pixels); channel c of every row is the columns [c pixels, (c + 1) pixels). All sums go down
// the columns (core/axis_sums.hpp) and then over the pixels of a channel in order, so a channel's numbers depend on
// nothing but its values: neither on threads nor on the instruction set. Channels are worked on in groups of up to
// column_tile columns, whose rows stay in the cache from pass to pass.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "hourglass/core/axis_sums.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/nn/moments.hpp"

namespace hourglass::detail {

// Terms of the sums, see core/axis_sums.hpp: x alone; d = x - centre and d^2; dy and dy (x - centre).
template <class Scalar>
struct ValueTerms {
  static constexpr bool two = false;
  const Scalar* x;
  Index stride;
  HOURGLASS_SIMD(void get(Index row, Index col, Index n, V& u, V& v, V&) const, {
    u = V::load(x + row * stride + col, n);
    v = V(1);
  })
};
template <class Scalar>
struct DeviationTerms {
  static constexpr bool two = true;
  const Scalar* x;
  Index stride;
  const Scalar* centre;  // of each column
  HOURGLASS_SIMD(void get(Index row, Index col, Index n, V& u, V& v, V& w) const, {
    u = w = V::load(x + row * stride + col, n) - V::load(centre + col, n);
    v = V(1);
  })
};
template <class Scalar>
struct GradientTerms {
  static constexpr bool two = true;
  const Scalar* x;
  const Scalar* dy;
  Index stride;
  const Scalar* centre;  // of each column
  HOURGLASS_SIMD(void get(Index row, Index col, Index n, V& u, V& v, V& w) const, {
    u = V::load(dy + row * stride + col, n);
    v = V(1);
    w = V::load(x + row * stride + col, n) - V::load(centre + col, n);
  })
};

/// y = (x - centre) scale + shift, with one centre, scale and shift for each column.
template <class Scalar>
struct NormalizeColumns {
  Index rows;
  Index cols;
  Index stride;
  const Scalar* x;
  const Scalar* centre;
  const Scalar* scale;
  const Scalar* shift;
  Scalar* y;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index row = 0; row < rows; ++row)
      for (Index col = 0; col < cols; col += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - col);
        const V d = V::load(x + row * stride + col, n) - V::load(centre + col, n);
        fma(d, V::load(scale + col, n), V::load(shift + col, n)).store(y + row * stride + col, n);
      }
  })
};

/// dx = scale (dy - along (x - centre) - shift), with one of each for each column.
template <class Scalar>
struct NormalizeColumnsBackward {
  Index rows;
  Index cols;
  Index stride;
  const Scalar* x;
  const Scalar* dy;
  const Scalar* centre;
  const Scalar* scale;
  const Scalar* along;
  const Scalar* shift;
  Scalar* dx;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index row = 0; row < rows; ++row)
      for (Index col = 0; col < cols; col += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - col);
        const Index at = row * stride + col;
        const V back = V::load(centre + col, n) - V::load(x + at, n);
        const V rest = fma(back, V::load(along + col, n), V::load(dy + at, n) - V::load(shift + col, n));
        (V::load(scale + col, n) * rest).store(dx + at, n);
      }
  })
};

/// running = (1 - momentum) running + momentum batch.
template <class Scalar>
struct MoveAverage {
  Index count;
  Scalar momentum;
  const Scalar* batch;
  Scalar* running;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      const V kept = V(1 - momentum) * V::load(running + i, n);
      fma(V(momentum), V::load(batch + i, n), kept).store(running + i, n);
    }
  })
};

/// Channels [first, first + count) of a batch: several of them in at most column_tile columns, or one in any number.
struct ChannelGroup {
  Index rows;
  Index channels;  // of the batch
  Index pixels;
  Index first;
  Index count;

  [[nodiscard]] Index stride() const noexcept { return channels * pixels; }
  [[nodiscard]] double values_per_channel() const noexcept { return static_cast<double>(rows * pixels); }

  /// Calls `body(offset, cols)` for tiles of columns; x + offset is where one starts.
  template <class Body>
  void for_each_tile(const Body& body) const {
    const Index end = (first + count) * pixels;
    for (Index col = first * pixels; col < end; col += column_tile) body(col, std::min(column_tile, end - col));
  }
  /// Numbers of the channels, given to each column of any tile.
  template <class Scalar>
  void spread(const Scalar* of_channel, Scalar* of_column) const {
    if (pixels == 1)
      std::copy_n(of_channel, count, of_column);
    else
      for (Index i = 0; i < count; ++i)
        std::fill_n(of_column + i * pixels, std::min(pixels, column_tile), of_channel[i]);
  }
  /// Sums over each channel of the terms that `terms(offset)` gives for the tile there; see column_sums.
  template <class Scalar, class Terms>
  void sums(const Terms& terms, double* one, double* two) const {
    if (pixels == 1) {
      column_sums<Scalar>(rows, count, terms(first), one, two);
      return;
    }
    std::fill_n(one, count, 0.0);
    std::fill_n(two, count, 0.0);
    for_each_tile([&](Index offset, Index cols) {
      std::array<double, column_tile> a{};
      std::array<double, column_tile> b{};
      column_sums<Scalar>(rows, cols, terms(offset), a.data(), b.data());
      Index col = 0;
      for (Index i = 0; i < count; ++i)
        for (const Index end = std::min(cols, col + pixels); col < end; ++col) {
          one[i] += a[static_cast<std::size_t>(col)];
          two[i] += b[static_cast<std::size_t>(col)];
        }
    });
  }
};

/// Calls `body(group)` for groups that make up all channels, in parallel where that pays.
template <class Body>
void for_each_group(Index rows, Index channels, Index pixels, const Body& body) {
  const Index most = std::max<Index>(1, column_tile / pixels);
  const int threads = rows * channels * pixels < 2 * parallel_grain ? 1 : num_threads();
  parallel_for((channels + most - 1) / most, threads, [&](Index i) {
    body(ChannelGroup{rows, channels, pixels, i * most, std::min(most, channels - i * most)});
  });
}

/// One number for each channel of a group, or for each column of a tile.
template <class Scalar>
struct alignas(64) TileValues {
  Scalar values[column_tile];
  [[nodiscard]] Scalar& operator[](Index i) noexcept { return values[i]; }
  [[nodiscard]] Scalar* data() noexcept { return values; }
};

/// Mean and variance of each channel of a group: body(channel, moments).
template <class Scalar, class Body>
void measure(const ChannelGroup& group, const Scalar* x, double eps, const Body& body) {
  TileValues<double> sum;
  TileValues<double> squares;
  TileValues<Scalar> mean;
  TileValues<Scalar> centre;
  const double n = group.values_per_channel();
  group.sums<Scalar>(
      [&](Index offset) {
        return ValueTerms<Scalar>{x + offset, group.stride()};
      },
      sum.data(), squares.data());
  for (Index i = 0; i < group.count; ++i) mean[i] = static_cast<Scalar>(sum[i] / n);
  group.spread(mean.data(), centre.data());
  group.sums<Scalar>(
      [&](Index offset) {
        return DeviationTerms<Scalar>{x + offset, group.stride(), centre.data()};
      },
      sum.data(), squares.data());
  for (Index i = 0; i < group.count; ++i) body(group.first + i, moments_around(mean[i], sum[i], squares[i], n, eps));
}

}  // namespace hourglass::detail
