// Sums down the columns of a batch: fast, accurate, and the same bits on every instruction set.
//
// Sixteen rows at a time are added in Scalar, one after the other, and these partial sums in double. So at most sixteen
// roundings of Scalar meet any term, whatever the number of rows, and a column's sum depends on nothing but its terms.
#pragma once

#include <algorithm>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"

namespace hourglass::detail {

/// Columns that column_sums() takes at most.
inline constexpr Index column_tile = 128;

/// Sums of both terms for the columns [0, cols), cols <= column_tile, over the rows [0, rows).
template <class Scalar, class Terms>
struct ColumnSums {
  Index rows;
  Index cols;
  const Terms& terms;
  double* first;
  double* second;
  HOURGLASS_SIMD(void operator()() const, {
    constexpr Index step = 16;
    alignas(64) Scalar a[column_tile];
    alignas(64) Scalar b[column_tile];
    std::fill_n(first, cols, 0.0);
    if constexpr (Terms::two) std::fill_n(second, cols, 0.0);
    for (Index row = 0; row < rows; row += step) {
      const Index end = std::min(row + step, rows);
      for (Index col = 0; col < cols; col += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - col);
        V sum(0);
        V other(0);
        for (Index i = row; i < end; ++i) terms.add(i, col, n, sum, other);
        sum.store(a + col);
        if constexpr (Terms::two) other.store(b + col);
      }
      for (Index col = 0; col < cols; ++col) first[col] += double{a[col]};
      if constexpr (Terms::two)
        for (Index col = 0; col < cols; ++col) second[col] += double{b[col]};
    }
  })
};

/// first[j] and, if Terms::two, second[j] become the sums over the rows [0, rows) of the terms of column j, for up to
/// column_tile columns. `terms.add(row, col, n, a, b)`, written with HOURGLASS_SIMD, adds those of the n columns from
/// col on to the vectors a and b, with fma where they are products; b is for the second sum.
template <class Scalar, class Terms>
void column_sums(Index rows, Index cols, const Terms& terms, double* first, double* second = nullptr) {
  simd::dispatch<Scalar>(ColumnSums<Scalar, Terms>{rows, cols, terms, first, second});
}

}  // namespace hourglass::detail
