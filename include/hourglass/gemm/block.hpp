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
//
// Few rows have loops and kernels of their own (few_rows.hpp).
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
    if (column_sums == nullptr && !transposed && rows > 0 && k > 0 && cols >= kernels.lanes) {
      if (rows == 1 && b.col_stride == 1) return run_row();
      if (rows <= kernels.few.columns_rows && a.col_stride == 1 && b.row_stride == 1) return run_columns();
    }
    const TileKernels<Scalar>& shape = flat_is_better() ? kernels.flat : kernels.tall;
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
  // Sums of at most so many terms are short, and more rows than this are many.
  static constexpr std::ptrdiff_t short_depth = 64;
  static constexpr std::ptrdiff_t short_rows = 32;
  // Height of the highest tile of all, and elements of the largest.
  static constexpr std::ptrdiff_t most_rows = 16;
  static constexpr std::ptrdiff_t most_tile = 512;
  // Rows of A that are copied together for a large product: with slice_depth terms some 200 KiB of float.
  static constexpr std::ptrdiff_t large_rows = 98;
  // Elements of a cache line.
  static constexpr std::ptrdiff_t line = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));
  // Columns whose panels a large product packs at a time.
  static constexpr std::ptrdiff_t large_columns = 8192;
  // Fewer tiles than this do not pay for copying B into a panel.
  static constexpr std::ptrdiff_t tiles_to_pack = 3;
  // Rows of a copy of A lie this many elements apart beyond their length, so that they fall into different cache sets.
  static constexpr std::ptrdiff_t padding = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

  // Sums of few rows that rest in a buffer before the epilogue.
  static constexpr std::ptrdiff_t few_elements = 8192 / static_cast<std::ptrdiff_t>(sizeof(Scalar));
  // Columns that are done in one go.
  static constexpr std::ptrdiff_t row_elements = few_elements / 2;
  // The widest vector, which is read from the last sums on.
  static constexpr std::ptrdiff_t slack = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));
  // Elements of either operand that are copied at a time for few rows: half of a first-level cache.
  static constexpr std::ptrdiff_t few_copied = 18432 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

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

  /// Few rows, or many of such short sums that storing them takes as long as the multiply-adds: the smaller a tile, the
  /// more of its neighbours the processor has under way together with it, and flat ones write longer pieces of C. But
  /// not where more columns remain beside the wider panels.
  [[nodiscard]] bool flat_is_better() const noexcept {
    if (rows <= kernels.flat.rows) return true;
    const std::ptrdiff_t beside = cols % kernels.flat.panel;
    return k <= short_depth && rows > short_rows && !transposed && kernels.is_plain &&
           (beside <= cols % kernels.tall.panel || 8 * beside <= cols);
  }

  /// Columns [j, j + part), at most `most`, chosen so that neither this part nor the rest is narrower than a vector.
  [[nodiscard]] std::ptrdiff_t part_of_columns(std::ptrdiff_t j, std::ptrdiff_t most) const noexcept {
    const std::ptrdiff_t left = cols - j;
    return left <= most ? left : left - most < kernels.lanes ? most - kernels.lanes : most;
  }

  /// One row, and rows of B contiguous: in one go, or in tiles that are as wide as possible, and equally wide.
  void run_row() const {
    alignas(alignment) Scalar sums[few_elements + slack];
    const std::ptrdiff_t lanes = kernels.lanes;
    const std::ptrdiff_t widest = kernels.few.row_vectors;
    Tile<Scalar> tile{};
    tile.depth = k;
    tile.a = a.data + row * a.row_stride;
    tile.a_col = a.col_stride;
    tile.b_row = b.row_stride;
    for (std::ptrdiff_t j = 0; j < cols;) {
      const std::ptrdiff_t part = part_of_columns(j, kernels.few.whole_row ? row_elements : few_elements);
      const std::ptrdiff_t vectors = (part + lanes - 1) / lanes;
      const std::ptrdiff_t tiles = kernels.few.whole_row ? 1 : (vectors + widest - 1) / widest;
      std::ptrdiff_t first = 0;
      for (std::ptrdiff_t t = 0; t < tiles; ++t) {
        const std::ptrdiff_t width = (vectors - first) / (tiles - t);
        tile.b = b_at(0, j + first * lanes);
        tile.c = sums + first * lanes;
        kernels.few.row[std::min(width, widest) - 1](tile, std::min(width * lanes, part - first * lanes) - lanes);
        first += width;
      }
      finish_few(sums, few_elements, j, part);
      j += part;
    }
  }

  /// Few rows of contiguous elements, and contiguous columns of B. Where rows or columns lie a multiple of half a page
  /// apart, they fall into the same few sets of a first-level cache, and are copied.
  void run_columns() const {
    alignas(alignment) Scalar sums[few_elements + slack];
    alignas(alignment) Scalar copy_of_a[few_copied];
    alignas(alignment) Scalar copy_of_b[few_copied];
    const FewRowsFunction<Scalar> run_tile = kernels.few.columns[rows - 1];
    const std::ptrdiff_t lanes = kernels.lanes;
    const std::ptrdiff_t width = kernels.few.columns_vectors[rows - 1] * lanes;
    const std::ptrdiff_t most = few_elements / rows / width * width;
    const bool copies_a = rows > 1 && a.row_stride * static_cast<std::ptrdiff_t>(sizeof(Scalar)) % 2048 == 0;
    const bool copies_b = width > 8 && b.col_stride * static_cast<std::ptrdiff_t>(sizeof(Scalar)) % 2048 == 0;
    const std::ptrdiff_t depth = copies_a || copies_b ? few_copied / std::max(width, rows) - padding : k;
    Tile<Scalar> tile{};
    tile.c_row = most;
    for (std::ptrdiff_t j = 0; j < cols;) {
      const std::ptrdiff_t part = part_of_columns(j, most);
      for (std::ptrdiff_t p = 0; p < k; p += depth) {
        tile.depth = std::min(depth, k - p);
        tile.a = a.data + row * a.row_stride + p;
        tile.a_row = a.row_stride;
        if (copies_a) copy(tile.a, tile.a_row, rows, tile.depth, copy_of_a);
        for (std::ptrdiff_t jj = 0; jj < part; jj += width) {
          const std::ptrdiff_t first = std::min(jj, part - lanes);
          const std::ptrdiff_t last = std::min(jj + width, part) - lanes - first;
          tile.b = b_at(p, j + first);
          tile.b_row = b.col_stride;
          if (copies_b) copy(tile.b, tile.b_row, last + lanes, tile.depth, copy_of_b);
          tile.c = sums + jj;
          tile.partial = p == 0 ? nullptr : tile.c;
          run_tile(tile, last);
        }
      }
      finish_few(sums, most, j, part);
      j += part;
    }
  }

  /// The sums of columns [j, j + part) go to C. Those that do not fill a vector are at the end of the one behind.
  void finish_few(const Scalar* sums, std::ptrdiff_t apart, std::ptrdiff_t j, std::ptrdiff_t part) const {
    const std::ptrdiff_t rest = part % kernels.lanes;
    const std::ptrdiff_t whole = part - rest;
    kernels.finish(sums, apart, row, rows, col + j, whole, c, epilogue);
    if (rest > 0)
      kernels.finish(sums + whole + kernels.lanes - rest, apart, row, rows, col + j + whole, rest, c, epilogue);
  }

  /// Copies `count` runs of `length` elements that lie `apart`, and makes both say where the copy is.
  static void copy(const Scalar*& from, std::ptrdiff_t& apart, std::ptrdiff_t count, std::ptrdiff_t length,
                   Scalar* to) {
    for (std::ptrdiff_t i = 0; i < count; ++i) std::copy_n(from + i * apart, length, to + i * (length + padding));
    from = to;
    apart = length + padding;
  }

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
    const std::ptrdiff_t full = packs ? 1 : 0;
    const std::ptrdiff_t lower = (part.rows - full * height) / std::max<std::ptrdiff_t>(tiles - full, 1);
    const std::ptrdiff_t higher = part.rows - full * height - lower * (tiles - full);  // these have a row more
    const auto top = [&](std::ptrdiff_t t) {
      const std::ptrdiff_t others = std::max<std::ptrdiff_t>(t - full, 0);
      return (t - others) * height + others * lower + std::min(others, higher);
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
        const std::ptrdiff_t first_top = top(first);
        for (std::ptrdiff_t jj = 0; jj < part.cols; jj += panel) {
          std::ptrdiff_t next = first_top;
          for (std::ptrdiff_t t = first; t < end; ++t) {
            const std::ptrdiff_t i = next;
            next = top(t + 1);
            const std::ptrdiff_t tile_rows = next - i;
            const bool packs_now = packs && t == 0;
            const bool from_source = in_place || packs_now;
            const std::ptrdiff_t tile_col = col + part.j + jj;
            Scalar* const tile_packed = plan.packed + jj * depth;
            Scalar* const tile_c =
                direct ? c.data + (row + part.i + i) * c.leading + tile_col : plan.unfinished + i * panel;
            const Tile<Scalar> tile{
                .depth = depth,
                .a = rows_of_a.data + (i - first_top) * rows_of_a.row_stride,
                .a_row = rows_of_a.row_stride,
                .a_col = rows_of_a.col_stride,
                .b = from_source ? b_at(begin, part.j + jj) : tile_packed,
                .b_row = from_source ? b.row_stride : panel,
                .partial = slice == 0 ? nullptr : tile_c,
                .packed = tile_packed,
                .c = tile_c,
                .c_row = direct ? c.leading : panel,
                .row = row + part.i + i,
                .col = tile_col,
                .ahead = large ? nullptr : next_panel(part.j + jj + panel, begin, depth, panel, t - full),
                .ahead_step = b.col_stride == 1 ? b.row_stride : line};
            if (large && direct && t + 1 < end) prefetch(tile, tile_rows, top(t + 2) - i, panel);
            const TileFunction<Scalar> plain =
                packs_now ? shape.store_packing : (narrow ? shape.narrow : shape.store)[tile_rows - 1];
            if (!direct || !last)
              plain(tile, &store);
            else if (!packs_now && tile_rows >= shape.lowest)
              shape.final[tile_rows - shape.lowest](tile, epilogue);
            else
              finish_tile(plain, tile, tile_rows, panel);
          }
        }
      }
    }
    if (transposed)
      finish_transposed(plan, part, panel);
    else if (!direct)
      kernels.finish(plan.unfinished, panel, row + part.i, part.rows, col + part.j, part.cols, c, epilogue);
  }

  /// A tile whose sums meet the epilogue in the first-level cache, or in C if unfinished sums are there.
  void finish_tile(TileFunction<Scalar> plain, Tile<Scalar> tile, std::ptrdiff_t tile_rows,
                   std::ptrdiff_t panel) const {
    if (kernels.is_plain) return plain(tile, &store);
    alignas(alignment) Scalar sums[most_tile];
    if (tile.partial == nullptr) {
      tile.c = sums;
      tile.c_row = panel;
    }
    plain(tile, &store);
    kernels.finish(tile.c, tile.c_row, tile.row, tile_rows, tile.col, panel, c, epilogue);
  }

  /// Term p of column j of the block. Nothing is read if there are no terms, and the pointer may be null.
  [[nodiscard]] const Scalar* b_at(std::ptrdiff_t p, std::ptrdiff_t j) const noexcept {
    return k == 0 ? b.data : b.data + p * b.row_stride + (col + j) * b.col_stride;
  }

  /// What tile `t` of a panel fetches of the next one, which begins with column j: of rows that are contiguous a line
  /// of each, of columns a line for each term, as long as there are any. Packing them would wait for the memory.
  [[nodiscard]] const Scalar* next_panel(std::ptrdiff_t j, std::ptrdiff_t begin, std::ptrdiff_t depth,
                                         std::ptrdiff_t panel, std::ptrdiff_t t) const noexcept {
    if (t < 0 || t * line >= panel + line || j + panel > cols || depth < line) return nullptr;
    if (b.col_stride == 1) return b_at(begin, j) + std::min(t * line, panel - 1);
    return b.row_stride == 1 && b.col_stride == depth && t * line < panel ? b_at(begin, j) + t * depth * line : nullptr;
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
