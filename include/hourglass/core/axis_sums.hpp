// Sums down the columns of a batch, or along a row: fast, accurate, and the same bits on every instruction set.
//
// What is summed are products u v and, where the struct `Terms` says `two`, u w: `terms.get(row, col, n, u, v, w)`,
// written with HOURGLASS_SIMD, gives the factors for the n columns from col on. Sixteen terms are added in Scalar one
// after the other, before they reach a sum in double: few roundings of Scalar meet any term, whatever their number, and
// the order depends on the shape alone.
#pragma once

#include <algorithm>
#include <type_traits>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"

namespace hourglass::detail {

/// Columns that column_sums() takes at most.
inline constexpr Index column_tile = 128;
/// Terms that are added in Scalar.
inline constexpr Index terms_in_scalar = 16;

template <class Scalar, class Terms>
struct ColumnSums {
  Index rows;
  Index cols;
  const Terms& terms;
  double* first;
  double* second;
  HOURGLASS_SIMD(void operator()() const, {
    alignas(64) Scalar a[column_tile];
    alignas(64) Scalar b[column_tile];
    std::fill_n(first, cols, 0.0);
    if constexpr (Terms::two) std::fill_n(second, cols, 0.0);
    for (Index row = 0; row < rows; row += terms_in_scalar) {
      const Index end = std::min(row + terms_in_scalar, rows);
      for (Index col = 0; col < cols; col += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - col);
        V sum(0);
        V product(0);
        for (Index i = row; i < end; ++i) {
          V u, v, w;
          terms.get(i, col, n, u, v, w);
          sum = fma(u, v, sum);
          if constexpr (Terms::two) product = fma(u, w, product);
        }
        sum.store(a + col);
        if constexpr (Terms::two) product.store(b + col);
      }
      for (Index col = 0; col < cols; ++col) first[col] += double{a[col]};
      if constexpr (Terms::two)
        for (Index col = 0; col < cols; ++col) second[col] += double{b[col]};
    }
  })
};

/// first[j] and, of two sums, second[j] become those of column j over the rows [0, rows), for up to column_tile
/// columns.
template <class Scalar, class Terms>
void column_sums(Index rows, Index cols, const Terms& terms, double* first, double* second = nullptr) {
  simd::dispatch<Scalar>(ColumnSums<Scalar, Terms>{rows, cols, terms, first, second});
}

/// The sums of one row over the columns [0, cols). Thirty-two running sums, as many on every instruction set.
HOURGLASS_SIMD(void row_sums(Index row, Index cols, const auto& terms, double& first, double& second), {
  using Scalar = typename V::Scalar;
  constexpr bool two = std::remove_cvref_t<decltype(terms)>::two;
  constexpr Index width = block_size / 2;
  constexpr Index vectors = width / V::lanes;
  first = 0;
  second = 0;
  for (Index begin = 0; begin < cols; begin += width * terms_in_scalar) {
    const Index end = std::min(begin + width * terms_in_scalar, cols);
    V sums[vectors];
    V products[vectors];
    HOURGLASS_UNROLL
    for (Index i = 0; i < vectors; ++i) sums[i] = products[i] = V(0);
    Index col = begin;
    for (; col + width <= end; col += width) {
      HOURGLASS_UNROLL
      for (Index i = 0; i < vectors; ++i) {
        V u, v, w;
        terms.get(row, col + i * V::lanes, V::lanes, u, v, w);
        sums[i] = fma(u, v, sums[i]);
        if constexpr (two) products[i] = fma(u, w, products[i]);
      }
    }
    alignas(64) Scalar block[block_size];
    HOURGLASS_UNROLL
    for (Index i = 0; i < vectors; ++i) {
      const Index at = col + i * V::lanes;
      if (at >= end) break;
      V u, v, w;
      const Index n = std::min<Index>(V::lanes, end - at);
      terms.get(row, at, n, u, v, w);
      u.store(block);
      u = V::load(block, n);  // zeros behind the row
      sums[i] = fma(u, v, sums[i]);
      if constexpr (two) products[i] = fma(u, w, products[i]);
    }
    for (Index i = 0; i < vectors; ++i) sums[i].store(block + i * V::lanes);
    std::fill_n(block + width, width, Scalar(0));
    first += tree_sum(block);
    if constexpr (two) {
      for (Index i = 0; i < vectors; ++i) products[i].store(block + i * V::lanes);
      std::fill_n(block + width, width, Scalar(0));
      second += tree_sum(block);
    }
  }
})

}  // namespace hourglass::detail
