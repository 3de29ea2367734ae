// Blocking: one thread's part of a product, panel by panel.
//
//   for each panel of columns that is as wide as a tile
//     for each slice of k that leaves the panel in the second-level cache
//       pack that part of B (or read it in place, where few rows use it)
//       for each tile of rows: micro-kernel, with the epilogue if this was the last slice
//
// A is never copied. Between two slices of k the unfinished sums rest in C. Where C ends inside the panel, or where the
// epilogue needs what C held before, they rest in a buffer, a chunk of rows at a time, and go to C at the end.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "hourglass/core/simd.hpp"
#include "hourglass/core/storage.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/micro_kernel.hpp"
#include "hourglass/gemm/operand.hpp"
#include "hourglass/gemm/pack.hpp"

namespace hourglass::detail {

/// Micro-kernels by height: `table[height - 1]` for 1 <= height <= sizeof...(index).
template <class V, int width, class Epilogue>
struct KernelTable {
  using Scalar = typename V::Scalar;
  using Kernel = void (*)(const Tile<Scalar>&, const Epilogue&);
  template <std::size_t... index>
  static constexpr std::array<Kernel, sizeof...(index)> make(std::index_sequence<index...>) {
    return {&MicroKernel<static_cast<int>(index) + 1, width>::template run<V, Epilogue>...};
  }
  template <int rows>
  static constexpr std::array<Kernel, rows> up_to = make(std::make_index_sequence<rows>{});
};

/// C = epilogue(sums) for rows [row, row + rows) and columns [col, col + cols); sums are `sums_row` apart.
// clang-format off
HOURGLASS_SIMD_FUNCTION(void finish(const typename V::Scalar* sums, std::ptrdiff_t sums_row, std::ptrdiff_t row,
                                    std::ptrdiff_t rows, std::ptrdiff_t col, std::ptrdiff_t cols,
                                    const Output<typename V::Scalar>& c, const auto& epilogue), {
  using Scalar = typename V::Scalar;
  for (std::ptrdiff_t i = 0; i < rows; ++i)
    for (std::ptrdiff_t j = 0; j < cols; j += V::lanes) {
      Scalar* out = c.data + (row + i) * c.leading + col + j;
      const V sum = V::load(sums + i * sums_row + j);
      const epilogue::Edge at{row + i, col + j, std::min<std::ptrdiff_t>(cols - j, V::lanes)};
      const V previous = epilogue.reads_output ? at.template load<V>(out) : V(Scalar(0));
      at.template store<V>(epilogue(sum, previous, at), out);
    }
})
// clang-format on

/// Rows [row, row + rows) and columns [col, col + cols) of C = epilogue(A B), where A is (m, k) and B (k, n).
template <class Scalar, class Epilogue>
struct Block {
  std::ptrdiff_t row;
  std::ptrdiff_t rows;
  std::ptrdiff_t col;
  std::ptrdiff_t cols;
  std::ptrdiff_t k;
  Operand<Scalar> a;
  Operand<Scalar> b;
  Output<Scalar> c;
  const Epilogue& epilogue;
  Scalar* column_sums;  // (n): receives the sums over k of B, for the columns of this block; null: not wanted
  bool large;           // worth copying both operands to memory of their own

  HOURGLASS_SIMD(void operator()() const, {
    using Shape = TileShape<V>;
    if (rows > Shape::flat_rows)
      run<V, Shape::tall_rows, Shape::tall_vectors>();
    else
      run<V, Shape::flat_rows, Shape::flat_vectors>();
  })

 private:
  // Packed panels take at most 256 KiB of the stack: half of the second-level cache of a server's core.
  static constexpr std::ptrdiff_t packed_elements = 262144 / static_cast<std::ptrdiff_t>(sizeof(Scalar));
  static constexpr std::ptrdiff_t unfinished_elements = packed_elements / 8;
  // A sum of at most so many terms is done in one go; longer ones in slices.
  static constexpr std::ptrdiff_t whole_depth = 1024;
  static constexpr std::ptrdiff_t slice_depth = 512;
  // Rows of A that are copied together for a large product: with slice_depth terms some 200 KiB of float.
  static constexpr std::ptrdiff_t large_rows = 98;
  // Fewer tiles than this do not pay for copying B into a panel.
  static constexpr std::ptrdiff_t tiles_to_pack = 3;
  // Rows of a copy of A lie this many elements apart beyond their length, so that they fall into different cache sets.
  static constexpr std::ptrdiff_t padding = 64 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

  /// How the loops are cut, and memory for the pieces that are copied.
  struct Plan {
    std::ptrdiff_t depth;  // terms of a slice
    std::ptrdiff_t group;  // columns whose panels of B are packed together and share one reading of A
    std::ptrdiff_t chunk;  // tiles of rows that are done before the next panel
    bool copies_a;
    Scalar* a;           // chunk * height rows of depth + padding
    Scalar* packed;      // group * depth
    Scalar* unfinished;  // sums that cannot rest in C
  };

  template <class V, int height, int width>
  void run() const {
    constexpr std::ptrdiff_t panel = width * V::lanes;
    alignas(alignment) Scalar packed[packed_elements];
    alignas(alignment) Scalar copy[height * (whole_depth + padding)];
    alignas(alignment) Scalar unfinished[unfinished_elements];
    AlignedVector<Scalar> heap;
    const bool sliced = k > whole_depth || large;
    Plan plan{};
    plan.depth = sliced ? slice_depth : std::max<std::ptrdiff_t>(k, 1);
    plan.group = std::max<std::ptrdiff_t>(1, packed_elements / (plan.depth * panel)) * panel;
    plan.chunk = 1;
    // Rows whose distance is a multiple of half a page fall into the same few sets of a first-level cache.
    plan.copies_a = a.col_stride == 1 && rows > height &&
                    (large || a.row_stride * static_cast<std::ptrdiff_t>(sizeof(Scalar)) % 2048 == 0);
    plan.a = copy;
    plan.packed = packed;
    plan.unfinished = unfinished;
    if (large) {
      plan.group = std::min<std::ptrdiff_t>((cols + panel - 1) / panel * panel, 8192 / panel * panel);
      plan.chunk = large_rows / height;
      const std::ptrdiff_t panels_size = plan.group * slice_depth;
      heap.resize(static_cast<std::size_t>(panels_size + large_rows * (slice_depth + padding)));
      plan.packed = heap.data();
      plan.a = heap.data() + panels_size;
    }

    // Panels whose unfinished sums can rest in C, and then the others.
    const std::ptrdiff_t direct = Epilogue::reads_output && sliced ? 0 : cols / panel * panel;
    for (std::ptrdiff_t j = 0; j < direct; j += plan.group)
      panels<V, height, width, true>(plan, j, std::min(plan.group, direct - j), 0, rows);
    constexpr std::ptrdiff_t most_rows = unfinished_elements / panel;
    for (std::ptrdiff_t j = direct; j < cols; j += panel)
      for (std::ptrdiff_t i = 0; i == 0 || i < rows; i += most_rows) {  // the first sums columns, also with no rows
        const std::ptrdiff_t count = std::min(panel, cols - j);
        if (count <= V::lanes)
          panels<V, height, 1, false>(plan, j, count, i, std::min(most_rows, rows - i));
        else
          panels<V, height, width, false>(plan, j, count, i, std::min(most_rows, rows - i));
      }
  }

  /// Columns [j, j + columns) and rows [i, i + count) of the block; at most one panel unless `direct`.
  template <class V, int height, int width, bool direct>
  void panels(const Plan& plan, std::ptrdiff_t j, std::ptrdiff_t columns, std::ptrdiff_t i,
              std::ptrdiff_t count) const {
    constexpr std::ptrdiff_t panel = width * V::lanes;
    const std::ptrdiff_t slices = std::max<std::ptrdiff_t>(1, (k + plan.depth - 1) / plan.depth);
    const std::ptrdiff_t tiles = (count + height - 1) / height;
    const bool by_rows = b.col_stride == 1;
    // B is packed by the first tile of rows, read in place where few tiles read it, or packed beforehand.
    const bool packs = direct && by_rows && tiles >= tiles_to_pack;
    const bool in_place = direct && by_rows && !packs;
    // Where tile t begins. All are equally high: 8 rows in tiles of at most 6 are 4 + 4, since 6 + 2 would leave most
    // of the machine idle on the two. A tile that packs is a full one.
    const auto top = [&](std::ptrdiff_t t) {
      return !packs ? count * t / tiles : t == 0 ? 0 : height + (count - height) * (t - 1) / (tiles - 1);
    };
    for (std::ptrdiff_t slice = 0; slice < slices; ++slice) {
      const std::ptrdiff_t begin = k * slice / slices;
      const std::ptrdiff_t depth = k * (slice + 1) / slices - begin;
      const auto source = [&](std::ptrdiff_t jj) {
        return Operand<Scalar>{b.data + begin * b.row_stride + (col + j + jj) * b.col_stride, b.row_stride,
                               b.col_stride};
      };
      for (std::ptrdiff_t jj = 0; jj < columns; jj += panel) {
        const std::ptrdiff_t present = std::min(panel, columns - jj);
        Operand<Scalar> from = source(jj);
        if (!in_place && !packs) {
          Pack<panel>::template run<V>(from, depth, present, plan.packed + jj * depth);
          from = {plan.packed + jj * depth, panel, 1};
        }
        if (column_sums != nullptr && i == 0)
          add_columns<V>(from, depth, present, slice == 0, column_sums + col + j + jj);
      }
      for (std::ptrdiff_t first = 0; first < tiles; first += plan.chunk) {
        const std::ptrdiff_t end = std::min(tiles, first + plan.chunk);
        Operand<Scalar> rows_of_a{a.data + (row + i + top(first)) * a.row_stride + begin * a.col_stride, a.row_stride,
                                  a.col_stride};
        if (plan.copies_a) {
          const std::ptrdiff_t apart = depth + padding;
          for (std::ptrdiff_t r = 0; r < top(end) - top(first); ++r)
            std::copy_n(rows_of_a.data + r * a.row_stride, depth, plan.a + r * apart);
          rows_of_a = {plan.a, apart, 1};
        }
        for (std::ptrdiff_t jj = 0; jj < columns; jj += panel)
          for (std::ptrdiff_t t = first; t < end; ++t) {
            const bool from_source = in_place || (packs && t == 0);
            Tile<Scalar> tile{};
            tile.depth = depth;
            tile.row = row + i + top(t);
            tile.col = col + j + jj;
            tile.a = rows_of_a.data + (top(t) - top(first)) * rows_of_a.row_stride;
            tile.a_row = rows_of_a.row_stride;
            tile.a_col = rows_of_a.col_stride;
            tile.packed = plan.packed + jj * depth;
            tile.b = from_source ? source(jj).data : tile.packed;
            tile.b_row = from_source ? b.row_stride : panel;
            tile.c = direct ? c.data + tile.row * c.leading + tile.col : plan.unfinished + top(t) * panel;
            tile.c_row = direct ? c.leading : panel;
            tile.partial = slice == 0 ? nullptr : tile.c;
            // Sums that another slice left in C will have gone far away since.
            if (large && direct && t + 1 < end)
              for (std::ptrdiff_t r = top(t + 1); r < top(t + 2); ++r)
                for (int v = 0; v < width; ++v)
                  HOURGLASS_PREFETCH(c.data + (row + i + r) * c.leading + tile.col + v * V::lanes);
            multiply<V, height, width, direct>(tile, top(t + 1) - top(t), packs && t == 0, slice + 1 == slices);
          }
      }
    }
    if constexpr (!direct) finish<V>(plan.unfinished, panel, row + i, count, col + j, columns, c, epilogue);
  }

  template <class V, int height, int width, bool direct>
  void multiply(const Tile<Scalar>& tile, std::ptrdiff_t tile_rows, bool packs, bool last) const {
    const auto index = static_cast<std::size_t>(tile_rows - 1);
    if constexpr (direct) {
      if (packs && last) return MicroKernel<height, width, true>::template run<V>(tile, epilogue);
      if (packs) return MicroKernel<height, width, true>::template run<V>(tile, epilogue::Store{});
      if (last) return KernelTable<V, width, Epilogue>::template up_to<height>[index](tile, epilogue);
    }
    KernelTable<V, width, epilogue::Store>::template up_to<height>[index](tile, epilogue::Store{});
  }
};

}  // namespace hourglass::detail
