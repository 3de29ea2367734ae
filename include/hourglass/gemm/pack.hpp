// Packing: a panel of B copied into the order in which the micro-kernel reads it.
//
// Rows that lie contiguous in memory are copied vector by vector. Where the columns do (a transposed operand), square
// blocks are transposed in registers.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/operand.hpp"
#include "hourglass/gemm/transpose.hpp"

namespace hourglass::detail {

/// packed[p * width + j] = B(p, j) for p < depth, j < cols, and zero for cols <= j < width.
template <std::ptrdiff_t width>
struct Pack {
  // clang-format off
  HOURGLASS_SIMD_FUNCTION(static void run(const Operand<typename V::Scalar>& b, std::ptrdiff_t depth,
                                          std::ptrdiff_t cols, typename V::Scalar* packed), {
    using Scalar = typename V::Scalar;
    if (b.col_stride == 1 && cols == width) {
      for (std::ptrdiff_t p = 0; p < depth; ++p) {
        HOURGLASS_UNROLL for (std::ptrdiff_t j = 0; j < width; j += V::lanes)
            V::load(b.data + p * b.row_stride + j)
                .store(packed + p * width + j);
      }
      return;
    }
    if (b.col_stride == 1) {
      for (std::ptrdiff_t p = 0; p < depth; ++p) {
        HOURGLASS_UNROLL for (std::ptrdiff_t j = 0; j < width; j += V::lanes) {
          const std::ptrdiff_t count = std::clamp<std::ptrdiff_t>(cols - j, 0, V::lanes);
          V::load(b.data + p * b.row_stride + j, count).store(packed + p * width + j);
        }
      }
      return;
    }
    // Other orders, which read whole cache lines or write whole rows of the panel at a time, are slower: columns that lie
    // a power of two apart share too few sets of the first-level cache.
    constexpr std::ptrdiff_t side = transpose_side<Scalar>;
    const std::ptrdiff_t whole = b.row_stride == 1 ? depth / side * side : 0;
    for (std::ptrdiff_t j = 0; j < width; j += side) {
      const bool inside = j + side <= cols;
      for (std::ptrdiff_t p = 0; inside && p < whole; p += side) {
        const Scalar* from = b.data + j * b.col_stride + p;
        if constexpr (simd::Avx2Vector<V> || simd::Avx512Vector<V>)
          transpose_block(from, b.col_stride, packed + p * width + j, width);
        else
          transpose_block_by_element(from, b.col_stride, packed + p * width + j, width);
      }
      for (std::ptrdiff_t p = inside ? whole : 0; p < depth; ++p)
        for (std::ptrdiff_t jj = j; jj < std::min(j + side, width); ++jj)
          packed[p * width + jj] = jj < cols ? b(p, jj) : Scalar(0);
    }
  })
  // clang-format on
};

/// sums[j] = (first ? 0 : sums[j]) + sum over p of B(p, j), in ascending order of p, for j < cols. Rows are contiguous.
// clang-format off
HOURGLASS_SIMD_FUNCTION(inline void add_columns(const Operand<typename V::Scalar>& b, std::ptrdiff_t depth,
                                                std::ptrdiff_t cols, bool first, typename V::Scalar* sums), {
  using Scalar = typename V::Scalar;
  for (std::ptrdiff_t j = 0; j < cols; j += V::lanes) {
    const std::ptrdiff_t count = std::min<std::ptrdiff_t>(cols - j, V::lanes);
    V sum = first ? V(Scalar(0)) : V::load(sums + j, count);
    if (count == V::lanes)
      for (std::ptrdiff_t p = 0; p < depth; ++p)
        sum = sum + V::load(b.data + p * b.row_stride + j);
    else
      for (std::ptrdiff_t p = 0; p < depth; ++p)
        sum = sum + V::load(b.data + p * b.row_stride + j, count);
    sum.store(sums + j, count);
  }
})
// clang-format on

}  // namespace hourglass::detail
