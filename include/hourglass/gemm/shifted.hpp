// Shifted products: products whose second operand is one array, read from a different place on for each term.
//
//   products  C(i, j)  = sum over channels q and taps t of a[i * a_row + q * a_channel + t.a] *
//                                                          b[q * b_channel + t.b + j]
//   sums      C(i, j) += sum over steps q and taps t of a[row[i].a + q * a_step + t.a] * b[q * b_step + t.b, j]
//
// Products have pixels in the lanes of a vector, sums have channels there.
//
// Convolutions are such products: an image with a border of zeros, of which each tap of the kernel sees every pixel at
// a constant distance. So the matrix of all windows ("im2col"), which is as many times larger as the kernel has taps,
// never exists. Every element is summed in one order with one fused multiply-add a term, whatever the tile and the
// instruction set.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/micro_kernel.hpp"
#include "hourglass/gemm/operand.hpp"
#include "hourglass/gemm/pack.hpp"

namespace hourglass::detail {

/// Where one tap of a kernel finds its weight and its pixel.
struct Tap {
  std::ptrdiff_t a;
  std::ptrdiff_t b;
};

/// A product: rows of A are `a_row` apart, of C `c_row`. Whole vectors are read and written: up to shifted_slack
/// elements beyond the last column of both b and C, and C's rows are as far apart as shifted_row(cols) at least.
template <class Scalar>
struct ShiftedProduct {
  std::ptrdiff_t rows;
  std::ptrdiff_t cols;
  std::ptrdiff_t channels;
  std::ptrdiff_t taps;
  const Tap* tap;
  const Scalar* a;
  std::ptrdiff_t a_row;
  std::ptrdiff_t a_channel;
  const Scalar* b;
  std::ptrdiff_t b_channel;
  Scalar* c;
  std::ptrdiff_t c_row;
};

/// Elements of the widest tile.
template <class Scalar>
inline constexpr std::ptrdiff_t shifted_slack = 256 / static_cast<std::ptrdiff_t>(sizeof(Scalar));
template <class Scalar>
[[nodiscard]] constexpr std::ptrdiff_t shifted_row(std::ptrdiff_t cols) noexcept {
  return (cols + shifted_slack<Scalar> - 1) / shifted_slack<Scalar> * shifted_slack<Scalar>;
}

/// A tile of `height` rows and `width` vectors of a product.
template <int height, int width>
struct ShiftedKernel {
  HOURGLASS_SIMD_FUNCTION(static void run(const ShiftedProduct<typename V::Scalar>& tile), {
    using Scalar = typename V::Scalar;
    V sums[height][width];
    HOURGLASS_UNROLL
    for (int i = 0; i < height; ++i) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) sums[i][j] = V(Scalar(0));
    }
    const Tap* const end = tile.tap + tile.taps;
    const Scalar* a_channel = tile.a;
    const Scalar* b_channel = tile.b;
    const std::ptrdiff_t a_row = tile.a_row;
    for (std::ptrdiff_t q = tile.channels; q > 0; --q) {
      for (const Tap* tap = tile.tap; tap != end; ++tap) {
        const Scalar* a = a_channel + tap->a;
        const Scalar* b = b_channel + tap->b;
        V row[width];
        HOURGLASS_UNROLL
        for (int j = 0; j < width; ++j) row[j] = V::load(b + j * V::lanes);
        HOURGLASS_UNROLL
        for (int i = 0; i < height; ++i) {
          const V factor(a[i * a_row]);
          HOURGLASS_UNROLL
          for (int j = 0; j < width; ++j) sums[i][j] = fma(factor, row[j], sums[i][j]);
        }
      }
      a_channel += tile.a_channel;
      b_channel += tile.b_channel;
    }
    HOURGLASS_UNROLL
    for (int i = 0; i < height; ++i) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) sums[i][j].store(tile.c + i * tile.c_row + j * V::lanes);
    }
  })
};

/// Where one row of a matrix of sums reads its terms from, and where its first block begins.
struct SumsRow {
  std::ptrdiff_t a;
  std::ptrdiff_t c;
};

/// Sums: columns of b and C come in blocks of one cache line, `b_block` and `c_block` elements apart. `add`: to what C
/// holds.
template <class Scalar>
struct ShiftedSums {
  std::ptrdiff_t height;
  std::ptrdiff_t blocks;
  const SumsRow* row;  // (height)
  std::ptrdiff_t steps;
  std::ptrdiff_t taps;
  const Tap* tap;  // (taps)
  const Scalar* a;
  std::ptrdiff_t a_step;
  const Scalar* b;
  std::ptrdiff_t b_step;
  std::ptrdiff_t b_block;
  Scalar* c;
  std::ptrdiff_t c_block;
  bool add;
};

/// Columns of one block.
template <class Scalar>
inline constexpr std::ptrdiff_t shifted_block = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

/// A tile of `height` rows and `blocks` blocks of such sums.
template <int height, int blocks>
struct ShiftedSumsKernel {
  HOURGLASS_SIMD_FUNCTION(static void run(const ShiftedSums<typename V::Scalar>& tile), {
    using Scalar = typename V::Scalar;
    constexpr std::ptrdiff_t line = shifted_block<Scalar>;
    constexpr int in_block = static_cast<int>(line / V::lanes);
    constexpr int width = blocks * in_block;
    const SumsRow* const at = tile.row;
    V sums[height][width];
    HOURGLASS_UNROLL
    for (int i = 0; i < height; ++i) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) {
        const Scalar* from = tile.c + at[i].c + j / in_block * tile.c_block + j % in_block * V::lanes;
        sums[i][j] = tile.add ? V::load(from) : V(Scalar(0));
      }
    }
    const Tap* const end = tile.tap + tile.taps;
    const std::ptrdiff_t b_block = tile.b_block;
    const Scalar* a_step = tile.a;
    const Scalar* b_step = tile.b;
    for (std::ptrdiff_t q = tile.steps; q > 0; --q) {
      for (const Tap* tap = tile.tap; tap != end; ++tap) {
        const Scalar* a = a_step + tap->a;
        const Scalar* b = b_step + tap->b;
        V row[width];
        HOURGLASS_UNROLL
        for (int j = 0; j < width; ++j) row[j] = V::load(b + j / in_block * b_block + j % in_block * V::lanes);
        HOURGLASS_UNROLL
        for (int i = 0; i < height; ++i) {
          const V factor(a[at[i].a]);
          HOURGLASS_UNROLL
          for (int j = 0; j < width; ++j) sums[i][j] = fma(factor, row[j], sums[i][j]);
        }
      }
      a_step += tile.a_step;
      b_step += tile.b_step;
    }
    HOURGLASS_UNROLL
    for (int i = 0; i < height; ++i) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j)
        sums[i][j].store(tile.c + at[i].c + j / in_block * tile.c_block + j % in_block * V::lanes);
    }
  })
};

/// The kernels of one instruction set, by height - 1.
template <class V>
struct ShiftedKernels {
  using Scalar = typename V::Scalar;
  using Shape = TileShape<V>;
  template <int width, std::size_t... index>
  static constexpr auto products(std::index_sequence<index...>) {
    return std::array{&ShiftedKernel<static_cast<int>(index) + 1, width>::template run<V>...};
  }
  template <int blocks, std::size_t... index>
  static constexpr auto sums(std::index_sequence<index...>) {
    return std::array{&ShiftedSumsKernel<static_cast<int>(index) + 1, blocks>::template run<V>...};
  }
  static constexpr auto tall = products<Shape::tall_vectors>(std::make_index_sequence<Shape::tall_rows>{});
  static constexpr auto flat = products<Shape::flat_vectors>(std::make_index_sequence<Shape::flat_rows>{});
  static constexpr std::ptrdiff_t in_block = shifted_block<Scalar> / V::lanes;
  static constexpr bool pairs = in_block == 1;  // two blocks at a time
  static constexpr int sums_rows = in_block <= 2 ? Shape::tall_rows : Shape::flat_rows;
  static constexpr auto one_block = sums<1>(std::make_index_sequence<sums_rows>{});
  static constexpr auto two_blocks = sums < pairs ? 2 : 1 > (std::make_index_sequence<sums_rows>{});
};

/// The whole of a product.
HOURGLASS_SIMD(void shifted_product(const ShiftedProduct<typename V::Scalar>& product), {
  using Kernels = ShiftedKernels<V>;
  ShiftedProduct<typename V::Scalar> tile = product;
  const bool flat = product.rows <= TileShape<V>::flat_rows;
  const std::ptrdiff_t most = flat ? TileShape<V>::flat_rows : TileShape<V>::tall_rows;
  const std::ptrdiff_t panel = (flat ? TileShape<V>::flat_vectors : TileShape<V>::tall_vectors) * V::lanes;
  const std::ptrdiff_t tiles = (product.rows + most - 1) / most;
  for (std::ptrdiff_t j = 0; j < product.cols; j += panel)
    for (std::ptrdiff_t t = 0; t < tiles; ++t) {
      const std::ptrdiff_t top = product.rows * t / tiles;
      const std::ptrdiff_t height = product.rows * (t + 1) / tiles - top;
      tile.a = product.a + top * product.a_row;
      tile.b = product.b + j;
      tile.c = product.c + top * product.c_row + j;
      const auto kernel = static_cast<std::size_t>(height - 1);
      (flat ? Kernels::flat[kernel] : Kernels::tall[kernel])(tile);
    }
})

/// The whole of such sums.
HOURGLASS_SIMD(void shifted_sums(const ShiftedSums<typename V::Scalar>& sums), {
  using Kernels = ShiftedKernels<V>;
  ShiftedSums<typename V::Scalar> tile = sums;
  const std::ptrdiff_t tiles = (sums.height + Kernels::sums_rows - 1) / Kernels::sums_rows;
  for (std::ptrdiff_t block = 0; block < sums.blocks;) {
    const bool two = Kernels::pairs && block + 2 <= sums.blocks;
    for (std::ptrdiff_t t = 0; t < tiles; ++t) {
      const std::ptrdiff_t top = sums.height * t / tiles;
      const auto kernel = static_cast<std::size_t>(sums.height * (t + 1) / tiles - top - 1);
      tile.row = sums.row + top;
      tile.b = sums.b + block * sums.b_block;
      tile.c = sums.c + block * sums.c_block;
      (two ? Kernels::two_blocks[kernel] : Kernels::one_block[kernel])(tile);
    }
    block += two ? 2 : 1;
  }
})

/// to[block][p][j] = from[(block * line + j) * col_stride + p] for p < depth: columns in blocks for shifted_sums, with
/// zeros behind the last one.
HOURGLASS_SIMD(
    void pack_blocks(const typename V::Scalar* from, std::ptrdiff_t depth, std::ptrdiff_t cols, typename V::Scalar* to),
    {
      constexpr std::ptrdiff_t line = shifted_block<typename V::Scalar>;
      for (std::ptrdiff_t j = 0; j < cols; j += line)
        Pack<line>::template run<V>({from + j * depth, 1, depth}, depth, std::min(line, cols - j), to + j * depth);
    })

}  // namespace hourglass::detail
