// General matrix product C = epilogue(A B) for any shape, layout and stride.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "hourglass/core/error.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/gemm/block.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/operand.hpp"

namespace hourglass {

/// How to run a product.
template <class Scalar>
struct GemmOptions {
  int threads = 0;                ///< at most this many; 0: num_threads(). The result does not depend on it.
  Scalar* column_sums = nullptr;  ///< (n): receives the sums over k of B's columns, computed while B is read.
  int part = 0;                   ///< with parts > 1: only this part of C (0 <= part < parts), on the calling thread;
  int parts = 1;                  ///< whoever cuts a product into parts makes sure that each is computed.
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

// Columns are given out by whole cache lines, so that no two threads write to the same one.
template <class Scalar>
inline constexpr std::ptrdiff_t line = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

struct Range {
  std::ptrdiff_t begin;
  std::ptrdiff_t end;
};

/// Part `index` of `count` parts of [0, size) in whole units.
[[nodiscard]] inline Range share(std::ptrdiff_t size, std::ptrdiff_t unit, std::ptrdiff_t count,
                                 std::ptrdiff_t index) noexcept {
  const std::ptrdiff_t units = (size + unit - 1) / unit;
  return {std::min(size, units * index / count * unit), std::min(size, units * (index + 1) / count * unit)};
}

struct Grid {
  std::ptrdiff_t down = 1;
  std::ptrdiff_t right = 1;
};

/// How many parts C is cut into, down and to the right: the largest part should be small, and since every part packs
/// the columns of B that it needs (about as much work as four rows), columns are cut before rows.
[[nodiscard]] inline Grid choose_grid(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t threads) noexcept {
  Grid best;
  double best_cost = 0;
  for (std::ptrdiff_t right = threads; right >= 1; --right) {
    const Grid grid{std::min(threads / right, m), std::min(right, (n + 15) / 16)};
    const auto rows = static_cast<double>((m + grid.down - 1) / grid.down);
    const auto cols = static_cast<double>(((n + 15) / 16 + grid.right - 1) / grid.right * 16);
    const double cost = (rows + 4) * cols;
    if (right == threads || cost < best_cost) {
      best = grid;
      best_cost = cost;
    }
  }
  return best;
}

/// Part `index` of the grid: rows and columns of C.
template <class Scalar>
struct Part {
  Range rows;
  Range cols;
  Part(const Grid& grid, std::ptrdiff_t index, std::ptrdiff_t m, std::ptrdiff_t n) noexcept
      : rows{share(m, 1, grid.down, index / grid.right)},
        cols{share(n, line<Scalar>, grid.right, index % grid.right)} {}
};

/// Columns of C whose sums over B are written by part `part` of `parts`; empty where another part writes them.
template <class Scalar>
[[nodiscard]] Range column_sums_of_part(std::ptrdiff_t m, std::ptrdiff_t n, int part, int parts) noexcept {
  const Grid grid = choose_grid(std::max<std::ptrdiff_t>(m, 1), n, parts);
  if (part >= grid.right) return {0, 0};  // the first row of parts
  return Part<Scalar>(grid, part, m, n).cols;
}

/// Whether to compute C^T = B^T A^T. If the columns of B are contiguous, as in the gradient of a layer's input, B has
/// to be transposed to be packed. For few rows that takes as long as the product; B^T, however, can be read where it
/// lies, and only A and C are transposed. It pays where the rows of A nearly fill whole vectors, and are more than the
/// kernels for few rows take.
template <class Scalar>
[[nodiscard]] bool better_transposed(std::ptrdiff_t m, std::ptrdiff_t k, const Operand<Scalar>& b) noexcept {
  constexpr std::ptrdiff_t lanes = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));
  const std::ptrdiff_t filled = m <= lanes / 2 ? lanes / 2 : (m + lanes - 1) / lanes * lanes;
  return b.row_stride == 1 && b.col_stride != 1 && k >= 128 && m <= 4 * lanes && 8 * m >= 7 * filled;
}

}  // namespace detail

/// C = epilogue(A B): A is (m, k), B (k, n), C (m, n) row-major. Zero sizes are valid: k = 0 gives the epilogue of
/// zero. Every element is summed in ascending order of k in one accumulator, so the bits do not depend on the number
/// of threads or on the other rows of the batch, and are the same on every instruction set that fuses multiply and add
/// (see isa()). Sums of columns are computed even where C has no rows.
///
/// Throws ShapeError when a size is negative or overflows, a leading dimension is too small, the memory of C overlaps
/// that of A or B, or options name a part that does not exist.
template <class Scalar, class Epilogue = epilogue::Store>
void gemm(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const Operand<Scalar>& a, const Operand<Scalar>& b,
          const Output<Scalar>& c, const Epilogue& epilogue = {},
          const std::type_identity_t<GemmOptions<Scalar>>& options = {}) {
  if (m < 0 || n < 0 || k < 0)
    throw ShapeError(detail::message("gemm: negative size in m = ", m, ", n = ", n, ", k = ", k));
  if (options.parts < 1 || options.part < 0 || options.part >= options.parts)
    throw ShapeError(detail::message("gemm: there is no part ", options.part, " of ", options.parts));
  detail::gemm_check_strides("A", m, k, a.row_stride, a.col_stride);
  detail::gemm_check_strides("B", k, n, b.row_stride, b.col_stride);
  detail::gemm_check_strides("C", m, n, c.leading, 1);
  if (n == 0 || (m == 0 && options.column_sums == nullptr)) return;

  const auto overlaps = [&](const Operand<Scalar>& operand, std::ptrdiff_t extent) {
    const auto c_begin = reinterpret_cast<std::uintptr_t>(c.data);
    const auto c_end = reinterpret_cast<std::uintptr_t>(c.data + detail::gemm_extent(m, n, c.leading, 1));
    const auto begin = reinterpret_cast<std::uintptr_t>(operand.data);
    return extent > 0 && m > 0 && begin < c_end && c_begin < reinterpret_cast<std::uintptr_t>(operand.data + extent);
  };
  if (overlaps(a, detail::gemm_extent(m, k, a.row_stride, a.col_stride)) ||
      overlaps(b, detail::gemm_extent(k, n, b.row_stride, b.col_stride)))
    throw ShapeError("gemm: the memory of C overlaps an operand; write the product to memory of its own");

  // An operand without elements may be a null pointer, from which no offset may be taken.
  const Scalar nothing{};
  const Operand<Scalar> left = m == 0 || k == 0 ? Operand<Scalar>{&nothing, 0, 0} : a;
  const Operand<Scalar> right = k == 0 ? Operand<Scalar>{&nothing, 0, 0} : b;

  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  // Below some 50 microseconds of work a second thread costs more than it gives.
  const int threads = options.parts > 1     ? options.parts
                      : options.threads > 0 ? options.threads
                                            : (work < 4e6 ? 1 : num_threads());
  // Above some 10 milliseconds an allocation costs nothing.
  const bool large = work >= 1e9 && std::min({m, n, k}) >= 512;
  detail::Kernels<Scalar> kernels = detail::kernels<Scalar, Epilogue>();
  const bool few = left.col_stride == 1 && m <= kernels.few.columns_rows;
  const bool transposed = options.column_sums == nullptr && !few && detail::better_transposed(m, k, right);
  if (transposed && 2 * m <= detail::line<Scalar>) kernels = detail::kernels<Scalar, Epilogue>(true);
  const detail::Grid grid =
      threads == 1 ? detail::Grid{} : detail::choose_grid(std::max<std::ptrdiff_t>(m, 1), n, threads);
  const auto compute = [&](std::ptrdiff_t task) {
    const auto [rows, cols] = detail::Part<Scalar>(grid, task, m, n);
    const FlushDenormals guard;
    const std::ptrdiff_t m_part = rows.end - rows.begin;
    const std::ptrdiff_t n_part = cols.end - cols.begin;
    if (transposed)
      detail::Block<Scalar>{cols.begin, n_part,    rows.begin, m_part, k,   transpose(right), transpose(left), c,
                            kernels,    &epilogue, nullptr,    false,  true}
          .run();
    else
      detail::Block<Scalar>{rows.begin,
                            m_part,
                            cols.begin,
                            n_part,
                            k,
                            left,
                            right,
                            c,
                            kernels,
                            &epilogue,
                            rows.begin == 0 ? options.column_sums : nullptr,
                            large,
                            false}
          .run();
  };
  if (options.parts == 1)
    parallel_for(grid.down * grid.right, threads, compute);
  else if (options.part < grid.down * grid.right)
    compute(options.part);
}

}  // namespace hourglass

#ifdef HOURGLASS_EXTERN_KERNELS
#include "hourglass/gemm/instances.hpp"
#endif
