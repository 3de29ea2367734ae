// Operands of a matrix product: a pointer and two strides, so that any layout and any transpose is the same type.
#pragma once

#include <cstddef>

namespace hourglass {

/// Read-only matrix: element (i, j) is `data[i * row_stride + j * col_stride]`.
template <class Scalar>
struct Operand {
  const Scalar* data = nullptr;
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t col_stride = 0;

  [[nodiscard]] const Scalar& operator()(std::ptrdiff_t i, std::ptrdiff_t j) const noexcept {
    return data[i * row_stride + j * col_stride];
  }
};

/// Rows are contiguous; `leading` elements lie between the starts of two rows (BLAS: N for row-major callers).
template <class Scalar>
[[nodiscard]] constexpr Operand<Scalar> row_major(const Scalar* data, std::ptrdiff_t leading) noexcept {
  return {data, leading, 1};
}

/// Columns are contiguous; `leading` elements lie between the starts of two columns.
template <class Scalar>
[[nodiscard]] constexpr Operand<Scalar> column_major(const Scalar* data, std::ptrdiff_t leading) noexcept {
  return {data, 1, leading};
}

/// The same memory read as the transposed matrix.
template <class Scalar>
[[nodiscard]] constexpr Operand<Scalar> transpose(const Operand<Scalar>& operand) noexcept {
  return {operand.data, operand.col_stride, operand.row_stride};
}

/// Result of a product: row-major, `leading` elements between the starts of two rows.
template <class Scalar>
struct Output {
  Scalar* data = nullptr;
  std::ptrdiff_t leading = 0;
};

}  // namespace hourglass
