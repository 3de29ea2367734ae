// Products of few rows, where every element of B is used so seldom that reading it is what takes the time. B is read
// where it lies, once, and sums go to a buffer: these kernels do not depend on the epilogue, which is applied
// afterwards to the few numbers there are.
//
//   RowKernel      one row of C, rows of B contiguous: long pieces of them, or all, are read in the order of memory
//   ColumnsKernel  few rows of C, columns of B contiguous: B is transposed in registers on the way to the sums
//
// Where the columns do not fill whole vectors, the last vector begins where it ends with the last column, and some
// columns are computed twice. In the buffer vectors lie side by side.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/micro_kernel.hpp"
#include "hourglass/gemm/transpose.hpp"

namespace hourglass::detail {

/// The largest kernels for few rows; and whether one row of C is done in one go, however wide it is, or in tiles of
/// that size. In one go B is read entirely in order, but sums beyond the registers are in memory: that pays where
/// reading B takes longer than the instructions do.
template <class V>
struct FewRowsShape {  // 16 registers: SSE2, and other machines of unknown size
  static constexpr int row_vectors = 8;
  static constexpr bool whole_row = false;
  static constexpr int columns_rows = 2;
};
template <class Scalar>
struct FewRowsShape<simd::Vector<Scalar, simd::Avx2>> {  // 16 registers
  static constexpr int row_vectors = 12;
  static constexpr bool whole_row = false;
  static constexpr int columns_rows = 6;
};
template <class Scalar>
struct FewRowsShape<simd::Vector<Scalar, simd::Neon>> {  // 32 registers
  static constexpr int row_vectors = 16;
  static constexpr bool whole_row = false;
  static constexpr int columns_rows = 8;
};
template <class Scalar>
struct FewRowsShape<simd::Vector<Scalar, simd::Avx512>> {  // 32 registers
  static constexpr int row_vectors = 16;
  static constexpr bool whole_row = true;
  static constexpr int columns_rows = 8;
};

/// Vectors of columns that a ColumnsKernel of so many rows works on: two where one would leave too few sums under way.
[[nodiscard]] constexpr int columns_vectors(int rows) noexcept { return rows <= 5 ? 2 : 1; }

/// c[j] = sum over p of a[p * a_col] b[p * b_row + j] for `width` vectors of columns, or, with `and_more`, at least so
/// many. The last vector is read from b[p * b_row + last] on. The sums of what is more than `width` are in memory all
/// the time: the first-level cache holds them, and reading B in its order is worth more than that costs.
template <int width, bool and_more = false>
struct RowKernel {
  HOURGLASS_SIMD_FUNCTION(static void run(const Tile<typename V::Scalar>& tile, std::ptrdiff_t last), {
    using Scalar = typename V::Scalar;
    constexpr std::ptrdiff_t inside = width * V::lanes;
    const std::ptrdiff_t last_inside = and_more ? std::min(last, inside - V::lanes) : last;
    V sums[width];
    HOURGLASS_UNROLL
    for (int j = 0; j < width; ++j) sums[j] = V(Scalar(0));
    Scalar* const c = tile.c;
    if constexpr (and_more)
      for (std::ptrdiff_t j = inside; j < last + V::lanes; j += V::lanes) V(Scalar(0)).store(c + j);
    const Scalar* a = tile.a;
    const Scalar* b = tile.b;
    const std::ptrdiff_t a_col = tile.a_col;
    const std::ptrdiff_t b_row = tile.b_row;
    for (std::ptrdiff_t p = tile.depth; p > 0; --p) {
      const V factor(*a);
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j)
        sums[j] = fma(factor, V::load(b + (j + 1 < width ? j * V::lanes : last_inside)), sums[j]);
      if constexpr (and_more) {
        std::ptrdiff_t j = inside;
        for (; j < last; j += V::lanes) fma(factor, V::load(b + j), V::load(c + j)).store(c + j);
        if (j < last + V::lanes) fma(factor, V::load(b + last), V::load(c + j)).store(c + j);
      }
      a += a_col;
      b += b_row;
    }
    HOURGLASS_UNROLL
    for (int j = 0; j < width; ++j) sums[j].store(c + j * V::lanes);
  })
};

/// c[i * c_row + j] = partial[...] + sum over p of a[i * a_row + p] b[p + j * b_row] for `height` rows and
/// `width` vectors of columns, the last of which are read from column `last` on. Here b_row lies between columns.
template <int height, int width>
struct ColumnsKernel {
  HOURGLASS_SIMD_FUNCTION(static void run(const Tile<typename V::Scalar>& tile, std::ptrdiff_t last), {
    using Scalar = typename V::Scalar;
    V sums[height][width];
    HOURGLASS_UNROLL
    for (int i = 0; i < height; ++i) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) sums[i][j] = V(Scalar(0));
    }
    if (tile.partial != nullptr) {
      HOURGLASS_UNROLL
      for (int i = 0; i < height; ++i) {
        HOURGLASS_UNROLL
        for (int j = 0; j < width; ++j) sums[i][j] = V::load(tile.partial + i * tile.c_row + j * V::lanes);
      }
    }
    constexpr std::ptrdiff_t step = across_terms<Scalar>;
    constexpr std::ptrdiff_t pieces = across_pieces<V>;
    const std::ptrdiff_t a_row = tile.a_row;
    const std::ptrdiff_t b_row = tile.b_row;
    const Scalar* a[(height + 3) / 4];  // every fourth row: the others lie one, two or three times a_row behind
    HOURGLASS_UNROLL
    for (int i = 0; i < height; i += 4) a[i / 4] = tile.a + i * a_row;
    const Scalar* b[width][pieces];
    HOURGLASS_UNROLL
    for (int j = 0; j < width; ++j) {
      HOURGLASS_UNROLL
      for (std::ptrdiff_t piece = 0; piece < pieces; ++piece)
        b[j][piece] = tile.b + ((j + 1 < width ? j * V::lanes : last) + piece * step) * b_row;
    }
    std::ptrdiff_t p = tile.depth;
    for (; p >= step; p -= step) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) {
        V terms[step];
        load_across(b[j], b_row, terms);
        const Scalar* row[(height + 3) / 4];
        HOURGLASS_UNROLL
        for (int i = 0; i < height; i += 4) row[i / 4] = a[i / 4];
        HOURGLASS_UNROLL
        for (std::ptrdiff_t q = 0; q < step; ++q) {
          HOURGLASS_UNROLL
          for (int i = 0; i < height; ++i) sums[i][j] = fma(V(row[i / 4][i % 4 * a_row]), terms[q], sums[i][j]);
          HOURGLASS_UNROLL
          for (int i = 0; i < height; i += 4) ++row[i / 4];
        }
        HOURGLASS_UNROLL
        for (std::ptrdiff_t piece = 0; piece < pieces; ++piece) b[j][piece] += step;
      }
      HOURGLASS_UNROLL
      for (int i = 0; i < height; i += 4) a[i / 4] += step;
    }
    for (; p > 0; --p) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) {
        Scalar lane[V::lanes];
        for (std::ptrdiff_t jj = 0; jj < V::lanes; ++jj) lane[jj] = b[j][0][jj * b_row];
        ++b[j][0];
        const V term = V::load(lane);
        HOURGLASS_UNROLL
        for (int i = 0; i < height; ++i) sums[i][j] = fma(V(a[i / 4][i % 4 * a_row]), term, sums[i][j]);
      }
      HOURGLASS_UNROLL
      for (int i = 0; i < height; i += 4) ++a[i / 4];
    }
    HOURGLASS_UNROLL
    for (int i = 0; i < height; ++i) {
      HOURGLASS_UNROLL
      for (int j = 0; j < width; ++j) sums[i][j].store(tile.c + i * tile.c_row + j * V::lanes);
    }
  })
};

}  // namespace hourglass::detail
