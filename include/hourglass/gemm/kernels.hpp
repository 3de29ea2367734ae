// Kernels: what an instruction set offers to the loops around it, as a table of functions.
//
// The loops (block.hpp) are the same for all instruction sets and epilogues, and are compiled once; what differs is
// behind these pointers, and compiled for each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/few_rows.hpp"
#include "hourglass/gemm/micro_kernel.hpp"
#include "hourglass/gemm/operand.hpp"
#include "hourglass/gemm/pack.hpp"

namespace hourglass::detail {

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

template <class Scalar>
using TileFunction = void (*)(const Tile<Scalar>&, const void* epilogue);
template <class Scalar>
using PackFunction = void (*)(const Operand<Scalar>& b, std::ptrdiff_t depth, std::ptrdiff_t cols, Scalar* packed);

/// Functions for one shape of tile.
template <class Scalar>
struct TileKernels {
  std::ptrdiff_t rows;                 // of a full tile
  std::ptrdiff_t panel;                // columns of a tile
  std::ptrdiff_t narrow_rows;          // of a full tile that is one vector wide
  std::ptrdiff_t lowest;               // least height for which there is a `final` kernel; above `rows`: for none
  const TileFunction<Scalar>* final;   // by height - lowest: with the epilogue
  const TileFunction<Scalar>* store;   // by height - 1: the sums as they are
  const TileFunction<Scalar>* narrow;  // the same for one vector
  TileFunction<Scalar> store_packing;  // a full tile that packs B on the way
  PackFunction<Scalar> pack;
  PackFunction<Scalar> pack_narrow;
};

template <class Scalar>
using FewRowsFunction = void (*)(const Tile<Scalar>&, std::ptrdiff_t last);

/// Functions for few rows, which leave plain sums.
template <class Scalar>
struct FewRowsKernels {
  std::ptrdiff_t row_vectors;              // of the widest
  bool whole_row;                          // it takes any number of vectors more
  const FewRowsFunction<Scalar>* row;      // by vectors - 1: for one row
  std::ptrdiff_t columns_rows;             // of the highest
  const FewRowsFunction<Scalar>* columns;  // by rows - 1: for contiguous columns of B
  const std::ptrdiff_t* columns_vectors;   // by rows - 1
};

/// What the loops need to know of an instruction set, whatever the epilogue.
template <class Scalar>
struct PlainKernels {
  std::ptrdiff_t lanes;
  TileKernels<Scalar> tall;  // for more than flat.rows rows
  TileKernels<Scalar> flat;
  FewRowsKernels<Scalar> few;
  void (*add_columns)(const Operand<Scalar>& b, std::ptrdiff_t depth, std::ptrdiff_t cols, bool first, Scalar* sums);
};

/// All of it, for one epilogue.
template <class Scalar>
struct Kernels : PlainKernels<Scalar> {
  bool reads_output;
  bool is_plain;  // the epilogue stores the sums as they are
  void (*finish)(const Scalar* sums, std::ptrdiff_t sums_row, std::ptrdiff_t row, std::ptrdiff_t rows,
                 std::ptrdiff_t col, std::ptrdiff_t cols, const Output<Scalar>& c, const void* epilogue);
};

template <class V, class Epilogue, int height, int width, bool packs = false>
void run_tile(const Tile<typename V::Scalar>& tile, const void* epilogue) {
  MicroKernel<height, width, packs>::template run<V>(tile, *static_cast<const Epilogue*>(epilogue));
}

template <class V, class Epilogue>
void run_finish(const typename V::Scalar* sums, std::ptrdiff_t sums_row, std::ptrdiff_t row, std::ptrdiff_t rows,
                std::ptrdiff_t col, std::ptrdiff_t cols, const Output<typename V::Scalar>& c, const void* epilogue) {
  finish<V>(sums, sums_row, row, rows, col, cols, c, *static_cast<const Epilogue*>(epilogue));
}

/// Kernels of the heights lowest ... highest.
template <class V, class Epilogue, int width, int lowest, int highest>
struct KernelsByHeight {
  template <std::size_t... index>
  static constexpr std::array<TileFunction<typename V::Scalar>, sizeof...(index)> make(std::index_sequence<index...>) {
    return {&run_tile<V, Epilogue, lowest + static_cast<int>(index), width>...};
  }
  static constexpr auto table = make(std::make_index_sequence<static_cast<std::size_t>(highest - lowest + 1)>{});
};

/// Plain sums have a kernel for every height.
template <class V, int rows, int vectors>
constexpr TileKernels<typename V::Scalar> tile_kernels() {
  return {rows,
          vectors * V::lanes,
          TileShape<V>::narrow_rows,
          1,
          KernelsByHeight<V, epilogue::Store, vectors, 1, rows>::table.data(),
          KernelsByHeight<V, epilogue::Store, vectors, 1, rows>::table.data(),
          KernelsByHeight<V, epilogue::Store, 1, 1, TileShape<V>::narrow_rows>::table.data(),
          &run_tile<V, epilogue::Store, rows, vectors, true>,
          &Pack<vectors * V::lanes>::template run<V>,
          &Pack<V::lanes>::template run<V>};
}

template <class V>
struct FewRowsKernelsFor {
  using Shape = FewRowsShape<V>;
  using Function = FewRowsFunction<typename V::Scalar>;
  template <std::size_t... index>
  static constexpr std::array<Function, sizeof...(index)> make_row(std::index_sequence<index...>) {
    return {&RowKernel < static_cast<int>(index) + 1,
            (static_cast<int>(index) + 1 == Shape::row_vectors) && Shape::whole_row > ::template run<V>...};
  }
  template <std::size_t... index>
  static constexpr std::array<Function, sizeof...(index)> make_columns(std::index_sequence<index...>) {
    return {
        &ColumnsKernel<static_cast<int>(index) + 1, columns_vectors(static_cast<int>(index) + 1)>::template run<V>...};
  }
  template <std::size_t... index>
  static constexpr std::array<std::ptrdiff_t, sizeof...(index)> make_vectors(std::index_sequence<index...>) {
    return {columns_vectors(static_cast<int>(index) + 1)...};
  }
  static constexpr auto row = make_row(std::make_index_sequence<Shape::row_vectors>{});
  static constexpr auto columns = make_columns(std::make_index_sequence<Shape::columns_rows>{});
  static constexpr auto vectors = make_vectors(std::make_index_sequence<Shape::columns_rows>{});
  static constexpr FewRowsKernels<typename V::Scalar> value{Shape::row_vectors,  Shape::whole_row, row.data(),
                                                            Shape::columns_rows, columns.data(),   vectors.data()};
};

template <class V>
struct PlainKernelsFor {
  using Shape = TileShape<V>;
  static constexpr PlainKernels<typename V::Scalar> value{
      V::lanes, tile_kernels<V, Shape::tall_rows, Shape::tall_vectors>(),
      tile_kernels<V, Shape::flat_rows, Shape::flat_vectors>(), FewRowsKernelsFor<V>::value, &add_columns<V>};
};

/// A function, so that a program of many translation units can have these kernels in one of them: see instances.hpp.
template <class V>
[[nodiscard]] HOURGLASS_NOINLINE const PlainKernels<typename V::Scalar>& plain_kernels() noexcept {
  return PlainKernelsFor<V>::value;
}

/// Every epilogue has to be compiled into every kernel that has it in registers, which takes a compiler a while, so
/// there are few: for the heights that many rows are cut into. Tiles are cut evenly: from ten of them on, their heights
/// are among these. Other tiles leave their sums in the first-level cache, from where finish() takes them. Without wide
/// vectors an epilogue in registers gains nothing.
template <class V, class Epilogue>
[[nodiscard]] Kernels<typename V::Scalar> kernels_for() noexcept {
  using Shape = TileShape<V>;
  constexpr bool is_plain = std::is_same_v<Epilogue, epilogue::Store>;
#ifdef HOURGLASS_FEWER_KERNELS  // for builds that instrument all code: compiled in a half of the time
  constexpr int finals = 0;
#else
  constexpr int finals = V::lanes * sizeof(typename V::Scalar) <= 16 ? 0 : Shape::tall_rows > 10 ? 3 : 2;
#endif
  Kernels<typename V::Scalar> all{plain_kernels<V>(), Epilogue::reads_output, is_plain, &run_finish<V, Epilogue>};
  if constexpr (!is_plain) {
    constexpr int lowest = Shape::tall_rows - finals + 1;
    all.tall.lowest = lowest;
    all.flat.lowest = Shape::flat_rows + 1;
    if constexpr (finals > 0)
      all.tall.final = KernelsByHeight<V, Epilogue, Shape::tall_vectors, lowest, Shape::tall_rows>::table.data();
  }
  return all;
}

/// The kernels of isa(); or, with `half`, those with shorter vectors if they give the same bits.
template <class Scalar, class Epilogue>
[[nodiscard]] Kernels<Scalar> kernels([[maybe_unused]] bool half = false) noexcept {
  switch (isa()) {
#ifdef HOURGLASS_X86
    case Isa::avx512:
      if (half) return kernels_for<simd::Vector<Scalar, simd::Avx2>, Epilogue>();
      return kernels_for<simd::Vector<Scalar, simd::Avx512>, Epilogue>();
    case Isa::avx2:
      return kernels_for<simd::Vector<Scalar, simd::Avx2>, Epilogue>();
#endif
#ifdef HOURGLASS_ARM64
    case Isa::neon:
      return kernels_for<simd::Vector<Scalar, simd::Neon>, Epilogue>();
#endif
    default:
      return kernels_for<simd::Vector<Scalar, simd::Baseline>, Epilogue>();
  }
}

}  // namespace hourglass::detail
