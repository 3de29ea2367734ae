// General matrix product C = epilogue(A B) for any shape, layout and stride.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "hourglass/core/error.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/gemm/avx2.hpp"
#include "hourglass/gemm/avx512.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/isa.hpp"
#include "hourglass/gemm/operand.hpp"
#include "hourglass/gemm/portable.hpp"
#include "hourglass/gemm/tiled.hpp"

namespace hourglass {

/// How to run a product.
struct GemmOptions {
  int threads = 0;  ///< at most this many; 0: num_threads(). The result does not depend on it.
};

namespace detail {

// Elements from the first to one past the last, or -1 when that overflows.
inline std::ptrdiff_t gemm_extent(std::ptrdiff_t rows, std::ptrdiff_t cols, std::ptrdiff_t row_stride,
                                  std::ptrdiff_t col_stride) noexcept {
  if (rows == 0 || cols == 0) return 0;
  std::ptrdiff_t down = 0;
  std::ptrdiff_t right = 0;
  std::ptrdiff_t last = 0;
  std::ptrdiff_t bytes = 0;
  if (__builtin_mul_overflow(rows - 1, row_stride, &down) || __builtin_mul_overflow(cols - 1, col_stride, &right) ||
      __builtin_add_overflow(down, right, &last) || __builtin_mul_overflow(last, 16, &bytes))
    return -1;
  return last + 1;
}

inline std::string gemm_shape(std::ptrdiff_t rows, std::ptrdiff_t cols) { return message("(", rows, ", ", cols, ")"); }

inline void gemm_check_strides(const char* name, std::ptrdiff_t rows, std::ptrdiff_t cols, std::ptrdiff_t row_stride,
                               std::ptrdiff_t col_stride) {
  const auto fail = [&](const std::string& what) {
    throw ShapeError(message("gemm: ", name, " of shape ", gemm_shape(rows, cols), " with strides ",
                             gemm_shape(row_stride, col_stride), " ", what));
  };
  if (rows == 0 || cols == 0) return;
  if (row_stride < 1 || col_stride < 1) fail("has a stride below 1");
  const std::ptrdiff_t extent = gemm_extent(rows, cols, row_stride, col_stride);
  if (extent < 0) fail("exceeds the address space");
  // Rows may not run into each other, nor columns: the larger stride must clear the other direction.
  const bool by_rows = rows == 1 || (cols - 1) * col_stride < row_stride;
  const bool by_cols = cols == 1 || (rows - 1) * row_stride < col_stride;
  if (!by_rows && !by_cols) fail("has a leading dimension that is too small");
}

}  // namespace detail

/// C = epilogue(A B): A is (m, k), B (k, n), C (m, n) row-major. Zero sizes are valid: k = 0 gives the epilogue of
/// zero. Every element is summed in ascending order of k in one accumulator, so the bits do not depend on the number
/// of threads or on the other rows of the batch, and are the same on every instruction set that fuses multiply and add
/// (see isa()).
///
/// Throws ShapeError when a size is negative or overflows, a leading dimension is too small, or the memory of C
/// overlaps that of A or B.
template <class Scalar, class Epilogue = epilogue::Store>
void gemm(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const Operand<Scalar>& a, const Operand<Scalar>& b,
          const Output<Scalar>& c, const Epilogue& epilogue = {}, const GemmOptions& options = {}) {
  if (m < 0 || n < 0 || k < 0)
    throw ShapeError(detail::message("gemm: negative size in m = ", m, ", n = ", n, ", k = ", k));
  detail::gemm_check_strides("A", m, k, a.row_stride, a.col_stride);
  detail::gemm_check_strides("B", k, n, b.row_stride, b.col_stride);
  detail::gemm_check_strides("C", m, n, c.leading, 1);
  if (m == 0 || n == 0) return;

  const auto overlaps = [&](const Operand<Scalar>& operand, std::ptrdiff_t extent) {
    const auto c_begin = reinterpret_cast<std::uintptr_t>(c.data);
    const auto c_end = reinterpret_cast<std::uintptr_t>(c.data + detail::gemm_extent(m, n, c.leading, 1));
    const auto begin = reinterpret_cast<std::uintptr_t>(operand.data);
    return extent > 0 && begin < c_end && c_begin < reinterpret_cast<std::uintptr_t>(operand.data + extent);
  };
  if (overlaps(a, detail::gemm_extent(m, k, a.row_stride, a.col_stride)) ||
      overlaps(b, detail::gemm_extent(k, n, b.row_stride, b.col_stride)))
    throw ShapeError("gemm: the memory of C overlaps an operand; write the product to memory of its own");

  // Below some 50 microseconds of work a second thread costs more than it gives.
  const bool small = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) < 4e6;
  const int threads = options.threads > 0 ? options.threads : (small ? 1 : num_threads());
#ifdef HOURGLASS_X86_KERNELS
  if (isa() == Isa::avx512) {
    detail::TiledProduct<detail::Avx512Tile, Scalar>::run(m, n, k, a, b, c, epilogue, threads);
    return;
  }
  if (isa() == Isa::avx2) {
    detail::TiledProduct<detail::Avx2Tile, Scalar>::run(m, n, k, a, b, c, epilogue, threads);
    return;
  }
#endif
  detail::portable_product(m, n, k, a, b, c, epilogue, threads);
}

}  // namespace hourglass
