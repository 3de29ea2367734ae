// Portable blocked kernel: one tile of C at a time, its operands packed into panels on the stack.
//
// A tile of C is (tile_rows, tile_cols). For each slice of at most `depth` terms of the sum, the slice of A is packed
// into panels of `kernel_rows` rows and the slice of B into panels of `kernel_cols` columns, both in the order in
// which the micro-kernel reads them. The micro-kernel keeps kernel_rows x kernel_cols sums in registers. Every element
// is summed in ascending order of k, whatever the blocking, so the result equals the reference bit for bit (as long
// as the compiler fuses multiply and add in both or in neither).
#pragma once

#include <algorithm>
#include <cstddef>

#include "hourglass/core/storage.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/gemm/operand.hpp"

namespace hourglass::detail {

/// Two 16-byte vectors a row: with four rows, the 8 sums, 2 columns and 1 factor fit the 16 registers of SSE2 and NEON.
template <class Scalar>
struct PortableBlocking {
  using Vector [[gnu::vector_size(16)]] = Scalar;
  static constexpr std::ptrdiff_t lanes = 16 / sizeof(Scalar);
  static constexpr std::ptrdiff_t kernel_rows = 4;
  static constexpr std::ptrdiff_t kernel_cols = 2 * lanes;
  static constexpr std::ptrdiff_t tile_rows = 64;
  static constexpr std::ptrdiff_t tile_cols = 64;
  static constexpr std::ptrdiff_t depth = 256;
};

/// Copies `count` vectors of a strided operand into panels of `width`, zero-filled to whole panels:
/// packed[(panel * depth + p) * width + lane] = source(panel * width + lane, p).
template <std::ptrdiff_t width, class Scalar>
void pack_panels(const Operand<Scalar>& source, std::ptrdiff_t count, std::ptrdiff_t depth, Scalar* packed) {
  for (std::ptrdiff_t first = 0; first < count; first += width, packed += width * depth) {
    const std::ptrdiff_t present = std::min(width, count - first);
    const Scalar* from = source.data + first * source.row_stride;
    if (present == width && source.row_stride == 1) {
      for (std::ptrdiff_t p = 0; p < depth; ++p)
        for (std::ptrdiff_t lane = 0; lane < width; ++lane)
          packed[p * width + lane] = from[p * source.col_stride + lane];
    } else {
      for (std::ptrdiff_t lane = 0; lane < width; ++lane)
        for (std::ptrdiff_t p = 0; p < depth; ++p)
          packed[p * width + lane] =
              lane < present ? from[lane * source.row_stride + p * source.col_stride] : Scalar(0);
    }
  }
}

/// tile += A panel x B panel: `a` is (depth, kernel_rows), `b` (depth, kernel_cols), both packed.
template <class Scalar>
void portable_kernel(std::ptrdiff_t depth, const Scalar* a, const Scalar* b, Scalar* tile,
                     std::ptrdiff_t tile_leading) {
  using Blocking = PortableBlocking<Scalar>;
  using Vector = typename Blocking::Vector;
  // Named sums, not an array: gcc keeps arrays of vectors in memory.
  const auto at = [&](std::ptrdiff_t row, std::ptrdiff_t half) -> Vector& {
    return *reinterpret_cast<Vector*>(tile + row * tile_leading + half * Blocking::lanes);
  };
  Vector s00 = at(0, 0), s01 = at(0, 1), s10 = at(1, 0), s11 = at(1, 1);
  Vector s20 = at(2, 0), s21 = at(2, 1), s30 = at(3, 0), s31 = at(3, 1);
  for (std::ptrdiff_t p = 0; p < depth; ++p) {
    const Vector b0 = *reinterpret_cast<const Vector*>(b);
    const Vector b1 = *reinterpret_cast<const Vector*>(b + Blocking::lanes);
    const Vector zero{};
    const Vector a0 = zero + a[0];
    s00 += a0 * b0;
    s01 += a0 * b1;
    const Vector a1 = zero + a[1];
    s10 += a1 * b0;
    s11 += a1 * b1;
    const Vector a2 = zero + a[2];
    s20 += a2 * b0;
    s21 += a2 * b1;
    const Vector a3 = zero + a[3];
    s30 += a3 * b0;
    s31 += a3 * b1;
    a += Blocking::kernel_rows;
    b += Blocking::kernel_cols;
  }
  at(0, 0) = s00, at(0, 1) = s01, at(1, 0) = s10, at(1, 1) = s11;
  at(2, 0) = s20, at(2, 1) = s21, at(3, 0) = s30, at(3, 1) = s31;
}

/// The tile of C that starts at (row, col); `rows` and `cols` are at most tile_rows and tile_cols.
template <class Scalar, class Epilogue>
void portable_tile(std::ptrdiff_t row, std::ptrdiff_t col, std::ptrdiff_t rows, std::ptrdiff_t cols, std::ptrdiff_t k,
                   const Operand<Scalar>& a, const Operand<Scalar>& b, const Output<Scalar>& c,
                   const Epilogue& epilogue) {
  using Blocking = PortableBlocking<Scalar>;
  alignas(alignment) Scalar packed_a[Blocking::tile_rows * Blocking::depth];
  alignas(alignment) Scalar packed_b[Blocking::tile_cols * Blocking::depth];
  alignas(alignment) Scalar tile[Blocking::tile_rows * Blocking::tile_cols] = {};

  for (std::ptrdiff_t first = 0; first < k; first += Blocking::depth) {
    const std::ptrdiff_t depth = std::min(Blocking::depth, k - first);
    const Operand<Scalar> a_slice{&a(row, first), a.row_stride, a.col_stride};
    const Operand<Scalar> b_slice{&b(first, col), b.row_stride, b.col_stride};
    pack_panels<Blocking::kernel_rows>(a_slice, rows, depth, packed_a);
    pack_panels<Blocking::kernel_cols>(transpose(b_slice), cols, depth, packed_b);
    for (std::ptrdiff_t j = 0; j < cols; j += Blocking::kernel_cols)
      for (std::ptrdiff_t i = 0; i < rows; i += Blocking::kernel_rows)
        portable_kernel(depth, packed_a + i * depth, packed_b + j * depth, tile + i * Blocking::tile_cols + j,
                        Blocking::tile_cols);
  }
  for (std::ptrdiff_t i = 0; i < rows; ++i) {
    Scalar* out = c.data + (row + i) * c.leading + col;
    const Scalar* sums = tile + i * Blocking::tile_cols;
    for (std::ptrdiff_t j = 0; j < cols; ++j)
      out[j] = epilogue(sums[j], Epilogue::reads_output ? out[j] : Scalar(0), row + i, col + j);
  }
}

template <class Scalar, class Epilogue>
void portable_product(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const Operand<Scalar>& a,
                      const Operand<Scalar>& b, const Output<Scalar>& c, const Epilogue& epilogue, int threads) {
  using Blocking = PortableBlocking<Scalar>;
  const std::ptrdiff_t down = (m + Blocking::tile_rows - 1) / Blocking::tile_rows;
  const std::ptrdiff_t right = (n + Blocking::tile_cols - 1) / Blocking::tile_cols;
  parallel_for(down * right, threads, [&](std::ptrdiff_t tile) {
    const std::ptrdiff_t row = tile / right * Blocking::tile_rows;
    const std::ptrdiff_t col = tile % right * Blocking::tile_cols;
    portable_tile(row, col, std::min(Blocking::tile_rows, m - row), std::min(Blocking::tile_cols, n - col), k, a, b, c,
                  epilogue);
  });
}

}  // namespace hourglass::detail
