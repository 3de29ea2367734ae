// The product on x86-64 kernels: chunks of C, one panel of columns at a time.
//
// A task is a chunk of C of at most (chunk_rows, one panel of kernel columns). A is read in place, whatever its
// strides: the micro-kernel broadcasts one element at a time. B is read in place where its rows are contiguous, and
// copied into a panel on the stack where they are not (the transposed weight of an input gradient). Sums longer than
// `depth` go on from the values in the tile, so every element is one chain of fused multiply-adds in ascending k, on
// every kernel.
#pragma once

#include "hourglass/gemm/isa.hpp"

#ifdef HOURGLASS_X86_KERNELS

#include <algorithm>
#include <cstddef>

#include "hourglass/core/storage.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/gemm/operand.hpp"

namespace hourglass::detail {

/// packed[p * width + j] = b(p, j) for j < cols, zero beyond.
template <std::ptrdiff_t width, class Scalar>
void pack_panel(const Operand<Scalar>& b, std::ptrdiff_t depth, std::ptrdiff_t cols, Scalar* packed) {
  constexpr std::ptrdiff_t block = 8;  // a block of rows and columns stays in the first-level cache
  for (std::ptrdiff_t first = 0; first < depth; first += block) {
    const std::ptrdiff_t end = std::min(first + block, depth);
    for (std::ptrdiff_t j = 0; j < cols; ++j)
      for (std::ptrdiff_t p = first; p < end; ++p) packed[p * width + j] = b(p, j);
    for (std::ptrdiff_t p = first; p < end; ++p)
      for (std::ptrdiff_t j = cols; j < width; ++j) packed[p * width + j] = Scalar(0);
  }
}

template <class Tile, class Scalar>
struct TiledProduct {
  static constexpr std::ptrdiff_t lanes = Tile::template lanes<Scalar>;
  static constexpr std::ptrdiff_t panel_cols = lanes * Tile::vectors;
  static constexpr std::ptrdiff_t chunk_rows = Tile::rows * 16;
  static constexpr std::ptrdiff_t depth = 512;

  using Kernel = void (*)(std::ptrdiff_t, const Scalar*, std::ptrdiff_t, std::ptrdiff_t, const Scalar*, std::ptrdiff_t,
                          std::ptrdiff_t, Scalar*, std::ptrdiff_t, bool);

  template <int height>
  static Kernel kernel_of_height(std::ptrdiff_t vectors) noexcept {
    if constexpr (Tile::vectors > 2) {
      if (vectors == 4) return &Tile::template multiply<height, 4, Scalar>;
      if (vectors == 3) return &Tile::template multiply<height, 3, Scalar>;
    }
    return vectors == 2 ? &Tile::template multiply<height, 2, Scalar> : &Tile::template multiply<height, 1, Scalar>;
  }
  static Kernel kernel(std::ptrdiff_t rows, std::ptrdiff_t vectors) noexcept {
    switch (rows) {
      case 1:
        return kernel_of_height<1>(vectors);
      case 2:
        return kernel_of_height<2>(vectors);
      case 3:
        return kernel_of_height<3>(vectors);
      case 4:
        return kernel_of_height<4>(vectors);
      case 5:
        return kernel_of_height<5>(vectors);
      default:
        return kernel_of_height<6>(vectors);
    }
  }

  /// Products of `rows` rows of A from `row` with the panel of `cols` columns of B from `col`, through the epilogue to
  /// C.
  template <class Epilogue>
  static void chunk(std::ptrdiff_t row, std::ptrdiff_t rows, std::ptrdiff_t col, std::ptrdiff_t cols, std::ptrdiff_t k,
                    const Operand<Scalar>& a, const Operand<Scalar>& b, const Output<Scalar>& c,
                    const Epilogue& epilogue) {
    alignas(alignment) Scalar tile[chunk_rows * panel_cols];
    alignas(alignment) Scalar packed[depth * panel_cols];
    const std::ptrdiff_t vectors = (cols + lanes - 1) / lanes;
    const std::ptrdiff_t last = cols - (vectors - 1) * lanes;
    if (k == 0) std::fill_n(tile, rows * panel_cols, Scalar(0));
    for (std::ptrdiff_t start = 0; start < k; start += depth) {
      const std::ptrdiff_t terms = std::min(depth, k - start);
      const Operand<Scalar> slice{b.data + start * b.row_stride + col * b.col_stride, b.row_stride, b.col_stride};
      const bool in_place = b.col_stride == 1;
      if (!in_place) pack_panel<panel_cols>(slice, terms, cols, packed);
      for (std::ptrdiff_t i = 0; i < rows;) {
        // Equal heights: 8 rows are 4 + 4, not 6 + 2, which would leave most of the machine idle on the two.
        const std::ptrdiff_t left = rows - i;
        const std::ptrdiff_t steps = (left + Tile::rows - 1) / Tile::rows;
        const std::ptrdiff_t height = (left + steps - 1) / steps;
        kernel(height, vectors)(terms, a.data + (row + i) * a.row_stride + start * a.col_stride, a.row_stride,
                                a.col_stride, in_place ? slice.data : packed, in_place ? b.row_stride : panel_cols,
                                last, tile + i * panel_cols, panel_cols, start == 0);
        i += height;
      }
    }
    for (std::ptrdiff_t i = 0; i < rows; ++i) {
      Scalar* out = c.data + (row + i) * c.leading + col;
      const Scalar* sums = tile + i * panel_cols;
      for (std::ptrdiff_t j = 0; j < cols; ++j)
        out[j] = epilogue(sums[j], Epilogue::reads_output ? out[j] : Scalar(0), row + i, col + j);
    }
  }

  template <class Epilogue>
  static void run(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const Operand<Scalar>& a,
                  const Operand<Scalar>& b, const Output<Scalar>& c, const Epilogue& epilogue, int threads) {
    const std::ptrdiff_t down = (m + chunk_rows - 1) / chunk_rows;
    const std::ptrdiff_t right = (n + panel_cols - 1) / panel_cols;
    const std::ptrdiff_t step = (m + down - 1) / down;
    parallel_for(down * right, threads, [&](std::ptrdiff_t task) {
      const std::ptrdiff_t row = task % down * step;
      const std::ptrdiff_t col = task / down * panel_cols;
      if (row < m) chunk(row, std::min(step, m - row), col, std::min(panel_cols, n - col), k, a, b, c, epilogue);
    });
  }
};

}  // namespace hourglass::detail

#endif
