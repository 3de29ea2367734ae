// Micro-kernel: a small tile of C whose sums stay in registers from the first term to the last.
//
//        b_row                      one step of the sum, for a tile of 3 rows and 2 vectors:
//   A   B 0   B 1
//   a0  s00   s01                   load B 0 and B 1; for each row broadcast a, then s = a * B + s twice
//   a1  s10   s11
//   a2  s20   s21
//
// A is read in place, one element at a time, whatever its strides. B is read by whole vectors, rows `b_row` apart. The
// terms of a sum are added in ascending order of k, each with one fused multiply-add, so the result depends on neither
// the tile's shape nor the instruction set.
#pragma once

#include <cstddef>

#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/epilogue.hpp"

namespace hourglass::detail {

/// The largest tiles, in rows and vectors. Tall ones for many rows: as many sums as registers allow, beside the row of
/// B and the broadcast, and few columns, so that a panel of B stays in a near cache. Flat ones for few rows: the wider
/// they are, the more independent sums hide the latency of the multiply-add. Narrow ones, one vector wide, for edges.
template <class V>
struct TileShape {  // 16 registers: SSE2, and other machines of unknown size
  static constexpr int tall_rows = 4;
  static constexpr int narrow_rows = 8;
  static constexpr int tall_vectors = 2;
  static constexpr int flat_rows = 2;
  static constexpr int flat_vectors = 4;
};
template <class Scalar>
struct TileShape<simd::Vector<Scalar, simd::Avx2>> {  // 16 registers
  static constexpr int tall_rows = 6;
  static constexpr int narrow_rows = 12;
  static constexpr int tall_vectors = 2;
  static constexpr int flat_rows = 3;
  static constexpr int flat_vectors = 4;
};
template <class Scalar>
struct TileShape<simd::Vector<Scalar, simd::Neon>> {  // 32 registers
  static constexpr int tall_rows = 8;
  static constexpr int narrow_rows = 16;
  static constexpr int tall_vectors = 3;
  static constexpr int flat_rows = 4;
  static constexpr int flat_vectors = 5;
};
template <class Scalar>
struct TileShape<simd::Vector<Scalar, simd::Avx512>> {  // 32 registers
  static constexpr int tall_rows = 14;
  static constexpr int narrow_rows = 14;
  static constexpr int tall_vectors = 2;
  static constexpr int flat_rows = 6;
  static constexpr int flat_vectors = 4;
};

/// What a micro-kernel works on.
template <class Scalar>
struct Tile {
  std::ptrdiff_t depth;  // terms of the sums
  const Scalar* a;       // element (i, p) at a[i * a_row + p * a_col]
  std::ptrdiff_t a_row;
  std::ptrdiff_t a_col;
  const Scalar* b;  // element (p, j) at b[p * b_row + j]
  std::ptrdiff_t b_row;
  const Scalar* partial;  // sums of the terms before these, element (i, j) at partial[i * c_row + j]; null: zero
  Scalar* packed;         // where a packing kernel leaves a copy of B, rows width * lanes apart
  Scalar* c;              // element (i, j) at c[i * c_row + j]
  std::ptrdiff_t c_row;
  std::ptrdiff_t row;  // place of the tile in the whole product, for the epilogue
  std::ptrdiff_t col;
  const Scalar* ahead = nullptr;  // what to fetch for later, an address a term; null: nothing
  std::ptrdiff_t ahead_step = 0;
};

/// c = epilogue(partial + a b) for `height` rows and `width` whole vectors. With `packs`, B is copied to `packed` while
/// it is read, for the tiles below: the copy costs no time of its own, and its cache misses hide behind the arithmetic.
template <int height, int width, bool packs = false>
struct MicroKernel {
  HOURGLASS_SIMD_FUNCTION(static void run(const Tile<typename V::Scalar>& tile, const auto& epilogue), {
    using Scalar = typename V::Scalar;
    V sums[height][width];
    if (tile.partial == nullptr) {
      HOURGLASS_UNROLL
      for (int i = 0; i < height; ++i) {
        HOURGLASS_UNROLL
        for (int j = 0; j < width; ++j) sums[i][j] = V(Scalar(0));
      }
    } else {
      HOURGLASS_UNROLL
      for (int i = 0; i < height; ++i) {
        HOURGLASS_UNROLL
        for (int j = 0; j < width; ++j) sums[i][j] = V::load(tile.partial + i * tile.c_row + j * V::lanes);
      }
    }
    const Scalar* a = tile.a;
    const Scalar* b = tile.b;
    [[maybe_unused]] Scalar* packed = tile.packed;
    const std::ptrdiff_t a_row = tile.a_row;
    const std::ptrdiff_t a_col = tile.a_col;
    const std::ptrdiff_t b_row = tile.b_row;
    // What the epilogue needs arrives while the sums are made, a cache line at a time, evenly: a burst of them would
    // wait for itself.
    constexpr bool prefetches = requires { epilogue.prefetch(tile.row, tile.col); };
    constexpr int line = static_cast<int>(64 / sizeof(Scalar));
    constexpr int lines = (width * static_cast<int>(V::lanes) + line - 1) / line;
    // Where rows do not start on a line, a tile touches a line more of each.
    [[maybe_unused]] const int touched = tile.c_row % line == 0 ? lines : lines + 1;
    [[maybe_unused]] const std::ptrdiff_t every = std::max<std::ptrdiff_t>(1, tile.depth / (height * touched));
    [[maybe_unused]] std::ptrdiff_t wait = 1;
    [[maybe_unused]] int ahead_row = 0;
    [[maybe_unused]] int ahead_line = 0;
    [[maybe_unused]] const Scalar* ahead = tile.ahead == nullptr ? tile.a : tile.ahead;
    [[maybe_unused]] const std::ptrdiff_t ahead_step = tile.ahead_step;
    for (std::ptrdiff_t p = tile.depth; p > 0; --p) {
      if constexpr (!packs && !prefetches) {
        HOURGLASS_PREFETCH_L2(ahead);
        ahead += ahead_step;
      }
      if constexpr (prefetches) {
        if (--wait == 0 && ahead_row < height) {
          wait = every;
          const std::ptrdiff_t j = std::min<std::ptrdiff_t>(ahead_line * line, width * V::lanes - 1);
          HOURGLASS_PREFETCH(tile.c + ahead_row * tile.c_row + j);
          epilogue.prefetch(tile.row + ahead_row, tile.col + j);
          if (++ahead_line == touched) {
            ahead_line = 0;
            ++ahead_row;
          }
        }
      }
      V row[width];
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) row[j] = V::load(b + j * V::lanes);
      if constexpr (packs) {
        HOURGLASS_UNROLL
        for (int j = 0; j < width; ++j) row[j].store(packed + j * V::lanes);
        // Every line that a row of the panel touches: where rows do not start on a line, that is one more.
        HOURGLASS_UNROLL
        for (int j = 0; j < lines; ++j) HOURGLASS_PREFETCH(b + 12 * b_row + j * line);
        HOURGLASS_PREFETCH(b + 12 * b_row + width * V::lanes - 1);
        packed += width * V::lanes;
      }
      HOURGLASS_UNROLL
      for (int i = 0; i < height; ++i) {
        const V factor(a[i * a_row]);
        HOURGLASS_UNROLL
        for (int j = 0; j < width; ++j) sums[i][j] = fma(factor, row[j], sums[i][j]);
      }
      a += a_col;
      b += b_row;
    }
    HOURGLASS_UNROLL
    for (int i = 0; i < height; ++i) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) {
        Scalar* out = tile.c + i * tile.c_row + j * V::lanes;
        V previous(Scalar(0));
        if (epilogue.reads_output) previous = V::load(out);
        const epilogue::Whole at{tile.row + i, tile.col + j * V::lanes};
        epilogue(sums[i][j], previous, at).store(out);
      }
    }
  })
};

}  // namespace hourglass::detail
