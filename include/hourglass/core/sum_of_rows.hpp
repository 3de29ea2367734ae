// Sums over the rows of a matrix, a vector of columns at a time, in an order that depends on the number of rows alone.
#pragma once

#include <algorithm>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"

namespace hourglass {

namespace detail {

/// Sum over rows of one vector of columns: `terms(row, sum)` adds a row to `sum`. In an order that depends on the
/// number of rows alone, 32 at a time, so that no term meets many roundings.
HOURGLASS_SIMD(V sum_of_rows(Index rows, const auto& terms), {
  V total(0);
  for (Index first = 0; first < rows; first += 32) {
    V sum(0);
    for (Index row = first; row < std::min<Index>(first + 32, rows); ++row) sum = terms(row, sum);
    total = total + sum;
  }
  return total;
})

/// Adds up the terms x (rows, apart by `stride`), for sum_of_rows.
template <class Scalar>
struct RowTerms {
  const Scalar* x;
  Index stride;
  Index count;  // columns there are
  HOURGLASS_SIMD(V operator()(Index row, V sum) const, { return sum + V::load(x + row * stride, count); })
};

/// Adds up the terms x^2.
template <class Scalar>
struct SquareTerms {
  const Scalar* x;
  Index stride;
  Index count;
  HOURGLASS_SIMD(V operator()(Index row, V sum) const, {
    const V value = V::load(x + row * stride, count);
    return fma(value, value, sum);
  })
};

}  // namespace detail
}  // namespace hourglass
