// Blocking: one thread's part of a product, panel by panel.
//
//   for each group of panels, a panel being as wide as a tile
//     for each slice of k
//       for each tile of rows
//         for each panel of the group
//           micro-kernel, with the epilogue if this was the last slice
//
// A panel's part of B is packed before its first use, or read in place where few rows use it. Between two slices of k
// the unfinished sums rest in C. Where C ends inside a panel, or where the epilogue needs what C held before, they rest
// in a buffer, some rows at a time, and go to C at the end.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hourglass/core/simd_target.hpp"
#include "hourglass/core/storage.hpp"
#include "hourglass/gemm/kernels.hpp"
#include "hourglass/gemm/micro_kernel.hpp"
#include "hourglass/gemm/operand.hpp"

namespace hourglass::detail {

/// Rows [row, row + rows) and columns [col, col + cols) of C = epilogue(A B), where A is (m, k) and B (k, n).
template <class Scalar>
class Block {
 public:
  std::ptrdiff_t row;
  std::ptrdiff_t rows;
  std::ptrdiff_t col;
  std::ptrdiff_t cols;
  std::ptrdiff_t k;
  Operand<Scalar> a;
  Operand<Scalar> b;
  Output<Scalar> c;
  const Kernels<Scalar>& kernels;
  const void* epilogue;     // the one that the kernels were made for
  Scalar* column_sums;      // (n): receives the sums over k of B, for the columns of this block; null: not wanted
  bool large;               // worth copying both operands to memory of their own
  bool transposed = false;  // all of the above is that of C^T = B^T A^T, but c and epilogue are those of C

  void run() const {
    const TileKernels<Scalar>& shape = rows > kernels.flat.rows ? kernels.tall : kernels.flat;
    const std::ptrdiff_t panel = shape.panel;
    alignas(alignment) Scalar packed[packed_elements];
    alignas(alignment) Scalar copy[most_rows * (whole_depth + padding)];
    alignas(alignment) Scalar unfinished[unfinished_elements];
    AlignedVector<Scalar> heap;
    const bool sliced = k > whole_depth || large;
    Plan plan{shape};
    plan.depth = sliced ? slice_depth : std::max<std::ptrdiff_t>(k, 1);
    plan.group = std::max<std::ptrdiff_t>(1, packed_elements / (plan.depth * panel)) * panel;
    // Rows whose distance is a multiple of half a page fall into the same few sets of a first-level cache.
    plan.copies_a = a.col_stride == 1 && rows > shape.rows &&
                    (large || a.row_stride * static_cast<std::ptrdiff_t>(sizeof(Scalar)) % 2048 == 0);
    plan.a = copy;
    plan.packed = packed;
    plan.unfinished = unfinished;
    if (large) {
      plan.group = std::min((cols + panel - 1) / panel * panel, large_columns / panel * panel);
      plan.chunk = std::max<std::ptrdiff_t>(1, large_rows / shape.rows);
      const std::ptrdiff_t panels_size = plan.group * slice_depth;
      const std::ptrdiff_t copy_size = plan.chunk * std::max(shape.rows, shape.narrow_rows) * (slice_depth + padding);
      heap.resize(static_cast<std::size_t>(panels_size + copy_size));
      plan.packed = heap.data();
      plan.a = heap.data() + panels_size;
    }

    // Panels whose unfinished sums can rest in C, and then the others.
    const std::ptrdiff_t direct = transposed || (kernels.reads_output && sliced) ? 0 : cols / panel * panel;
    for (std::ptrdiff_t j = 0; j < direct; j += plan.group)
      run(plan, true, {0, rows, j, std::min(plan.group, direct - j)});
    const std::ptrdiff_t chunk = unfinished_elements / panel;
    for (std::ptrdiff_t j = direct; j < cols; j += panel)
      for (std::ptrdiff_t i = 0; i == 0 || i < rows; i += chunk)  // the first sums columns, also with no rows
        run(plan, false, {i, std::min(chunk, rows - i), j, std::min(panel, cols - j)});
  }

 private:
  // Packed panels take at most 256 KiB of the stack: a quarter to half of the second-level cache of a server's core.
  static constexpr std::ptrdiff_t packed_elements = 262144 / static_cast<std::ptrdiff_t>(sizeof(Scalar));
  static constexpr std::ptrdiff_t unfinished_elements = packed_elements / 8;
  // A sum of at most so many terms is done in one go; longer ones in slices.
  static constexpr std::ptrdiff_t whole_depth = 1024;
  static constexpr std::ptrdiff_t slice_depth = 512;
  // Height of the highest tile of all.
  static constexpr std::ptrdiff_t most_rows = 16;
  // Rows of A that are copied together for a large product: with slice_depth terms some 200 KiB of float.
  static constexpr std::ptrdiff_t large_rows = 98;
  // Columns whose panels a large product packs at a time.
  static constexpr std::ptrdiff_t large_columns = 8192;
  // Fewer tiles than this do not pay for copying B into a panel.
  static constexpr std::ptrdiff_t tiles_to_pack = 3;
  // Rows of a copy of A lie this many elements apart beyond their length, so that they fall into different cache sets.
  static constexpr std::ptrdiff_t padding = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

  /// How the loops are cut, and memory for what is copied.
  struct Plan {
    const TileKernels<Scalar>& shape;
    std::ptrdiff_t depth = 0;  // terms of a slice
    std::ptrdiff_t group = 0;  // columns whose panels of B are packed together and share one reading of A
    std::ptrdiff_t chunk = 1;  // tiles of rows that are done before the next panel
    bool copies_a = false;
    Scalar* a = nullptr;           // chunk tiles of rows, each of depth + padding
    Scalar* packed = nullptr;      // group * depth
    Scalar* unfinished = nullptr;  // sums that cannot rest in C
  };

  /// Rows [i, i + rows) and columns [j, j + cols) of the block.
  struct Part {
    std::ptrdiff_t i;
    std::ptrdiff_t rows;
    std::ptrdiff_t j;
    std::ptrdiff_t cols;
  };

  /// With `direct`, unfinished sums rest in C, and the part consists of whole panels; otherwise of at most one.
  void run(const Plan& plan, bool direct, const Part& part) const {
    const TileKernels<Scalar>& shape = plan.shape;
    const bool narrow = !direct && part.cols <= kernels.lanes;
    const std::ptrdiff_t height = narrow ? shape.narrow_rows : shape.rows;
    const std::ptrdiff_t panel = narrow ? kernels.lanes : shape.panel;
    const std::ptrdiff_t slices = std::max<std::ptrdiff_t>(1, (k + plan.depth - 1) / plan.depth);
    const std::ptrdiff_t tiles = (part.rows + height - 1) / height;
    // B is packed by the first tile of rows, read in place where few tiles read it, or packed beforehand.
    const bool packs = direct && b.col_stride == 1 && tiles >= tiles_to_pack;
    const bool in_place = direct && b.col_stride == 1 && !packs;
    // Where tile t begins. All are equally high: 8 rows in tiles of at most 6 are 4 + 4, since 6 + 2 would leave most
    // of the machine idle on the two. A tile that packs is a full one.
    const auto top = [&](std::ptrdiff_t t) {
      return !packs ? part.rows * t / tiles : t == 0 ? 0 : height + (part.rows - height) * (t - 1) / (tiles - 1);
    };
    for (std::ptrdiff_t slice = 0; slice < slices; ++slice) {
      const std::ptrdiff_t begin = k * slice / slices;
      const std::ptrdiff_t depth = k * (slice + 1) / slices - begin;
      const bool last = slice + 1 == slices;
      for (std::ptrdiff_t jj = 0; jj < part.cols; jj += panel) {
        const std::ptrdiff_t present = std::min(panel, part.cols - jj);
        Operand<Scalar> from{b_at(begin, part.j + jj), b.row_stride, b.col_stride};
        if (!in_place && !packs) {
          (narrow ? shape.pack_narrow : shape.pack)(from, depth, present, plan.packed + jj * depth);
          from = {plan.packed + jj * depth, panel, 1};
        }
        if (column_sums != nullptr && part.i == 0)
          kernels.add_columns(from, depth, present, slice == 0, column_sums + col + part.j + jj);
      }
      for (std::ptrdiff_t first = 0; first < tiles; first += plan.chunk) {
        const std::ptrdiff_t end = std::min(tiles, first + plan.chunk);
        const Operand<Scalar> rows_of_a = copy_rows(plan, part.i + top(first), part.i + top(end), begin, depth);
        for (std::ptrdiff_t jj = 0; jj < part.cols; jj += panel)
          for (std::ptrdiff_t t = first; t < end; ++t) {
            const bool packs_now = packs && t == 0;
            const bool from_source = in_place || packs_now;
            Tile<Scalar> tile{};
            tile.depth = depth;
            tile.row = row + part.i + top(t);
            tile.col = col + part.j + jj;
            tile.a = rows_of_a.data + (top(t) - top(first)) * rows_of_a.row_stride;
            tile.a_row = rows_of_a.row_stride;
            tile.a_col = rows_of_a.col_stride;
            tile.packed = plan.packed + jj * depth;
            tile.b = from_source ? b_at(begin, part.j + jj) : tile.packed;
            tile.b_row = from_source ? b.row_stride : panel;
            tile.c = direct ? c.data + tile.row * c.leading + tile.col : plan.unfinished + top(t) * panel;
            tile.c_row = direct ? c.leading : panel;
            tile.partial = slice == 0 ? nullptr : tile.c;
            if (large && direct && t + 1 < end) prefetch(tile, top(t + 1) - top(t), top(t + 2) - top(t), panel);
            const std::ptrdiff_t tile_rows = top(t + 1) - top(t);
            if (direct && last)
              (packs_now ? shape.final_packing : shape.final[tile_rows - shape.lowest])(tile, epilogue);
            else
              (packs_now ? shape.store_packing : (narrow ? shape.narrow : shape.store)[tile_rows - 1])(tile, &store);
          }
      }
    }
    if (transposed)
      finish_transposed(plan, part, panel);
    else if (!direct)
      kernels.finish(plan.unfinished, panel, row + part.i, part.rows, col + part.j, part.cols, c, epilogue);
  }

  /// Term p of column j of the block. Nothing is read if there are no terms, and the pointer may be null.
  [[nodiscard]] const Scalar* b_at(std::ptrdiff_t p, std::ptrdiff_t j) const noexcept {
    return k == 0 ? b.data : b.data + p * b.row_stride + (col + j) * b.col_stride;
  }

  /// Rows [first, end) of the block's A, terms [begin, begin + depth): where they lie, or a copy.
  [[nodiscard]] Operand<Scalar> copy_rows(const Plan& plan, std::ptrdiff_t first, std::ptrdiff_t end,
                                          std::ptrdiff_t begin, std::ptrdiff_t depth) const {
    if (k == 0) return {a.data, 0, 0};
    const Scalar* from = a.data + (row + first) * a.row_stride + begin * a.col_stride;
    if (!plan.copies_a) return {from, a.row_stride, a.col_stride};
    const std::ptrdiff_t apart = depth + padding;
    for (std::ptrdiff_t i = 0; i < end - first; ++i) std::copy_n(from + i * a.row_stride, depth, plan.a + i * apart);
    return {plan.a, apart, 1};
  }

  /// The sums in the buffer are those of columns part.i ... and rows part.j ... of C.
  void finish_transposed(const Plan& plan, const Part& part, std::ptrdiff_t panel) const {
    const std::ptrdiff_t width = plan.shape.panel;
    for (std::ptrdiff_t i = 0; i < part.rows; i += width) {
      const std::ptrdiff_t count = std::min(width, part.rows - i);
      plan.shape.pack({plan.unfinished + i * panel, 1, panel}, part.cols, count, plan.packed);
      kernels.finish(plan.packed, width, col + part.j, part.cols, row + part.i + i, count, c, epilogue);
    }
  }

  /// Rows [first, end) of C below a tile: what another slice left there will have gone far away since.
  void prefetch(const Tile<Scalar>& tile, std::ptrdiff_t first, std::ptrdiff_t end, std::ptrdiff_t panel) const {
    for (std::ptrdiff_t i = first; i < end; ++i)
      for (std::ptrdiff_t j = 0; j < panel; j += padding) HOURGLASS_PREFETCH(tile.c + i * tile.c_row + j);
  }

  static constexpr epilogue::Store store{};
};

}  // namespace hourglass::detail
