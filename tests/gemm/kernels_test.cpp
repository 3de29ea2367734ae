#include "hourglass/gemm/kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/denormals.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;

namespace {

// One function of a table on a tile of so many rows and columns: every sum is there, and nothing else is written.
template <class Scalar>
std::string check_tile(hg::detail::TileFunction<Scalar> run, std::ptrdiff_t rows, std::ptrdiff_t cols, bool accumulates,
                       bool packs) {
  hg::Rng rng{1};
  constexpr std::ptrdiff_t k = 9;
  const Product<Scalar> product(rows, cols, k, {k, 1}, {cols, 1}, rng);
  constexpr hg::epilogue::Accumulate accumulate{};
  constexpr hg::epilogue::Store store{};
  std::vector<Scalar> c = product.start;
  std::vector<Scalar> packed(static_cast<std::size_t>(k * cols), untouched<Scalar>());
  hg::detail::Tile<Scalar> tile{};
  tile.depth = k;
  tile.a = product.a.operand().data;
  tile.a_row = k;
  tile.a_col = 1;
  tile.b = product.b.operand().data;
  tile.b_row = cols;
  tile.packed = packed.data();
  tile.c = product.output(c).data;
  tile.c_row = product.leading;
  const void* epilogue = &store;
  if (accumulates) epilogue = &accumulate;
  run(tile, epilogue);
  const auto expected = [&](const auto& function) {
    return isa_fuses() ? product.template reference<hg::Rounding::fused>(function)
                       : product.template reference<hg::Rounding::separate>(function);
  };
  const double near = portable_may_fuse && !isa_fuses() ? 100 * double{std::numeric_limits<Scalar>::epsilon()} : -1;
  std::string failure = difference_of_bits(c, accumulates ? expected(accumulate) : expected(store), near);
  if (packs && failure.empty()) failure = difference_of_bits(packed, product.b.memory);
  return failure.empty() ? "" : hg::detail::message(rows, " rows, ", cols, " columns: ", failure);
}

// One function for few rows, the last vector anywhere from behind the one before it to where it does not overlap. Where
// columns of B are contiguous, in two slices of k.
template <class Scalar>
std::string check_few_rows(hg::detail::FewRowsFunction<Scalar> run, std::ptrdiff_t rows, std::ptrdiff_t vectors,
                           std::ptrdiff_t lanes, bool contiguous_rows) {
  hg::Rng rng{3};
  const std::ptrdiff_t n = vectors * lanes;
  std::vector<std::ptrdiff_t> places{0};
  if (vectors > 1) places = {n - lanes, n - lanes - 1, n - 2 * lanes + 1};
  if (vectors == 2 && !contiguous_rows) places.push_back(0);
  for (std::ptrdiff_t k = 1; k <= 13; ++k)  // without terms the operands may be null, and the kernels are not called
    for (const std::ptrdiff_t last : places) {
      // Memory of B ends where the columns that are read do.
      const std::ptrdiff_t present = std::max(n - lanes, last + lanes);
      const std::ptrdiff_t apart = contiguous_rows ? present + rng.below(3) : std::max<std::ptrdiff_t>(k, 1);
      const Strides b_strides = contiguous_rows ? Strides{apart, 1} : Strides{1, apart};
      const Product<Scalar> product(rows, present, k, {std::max<std::ptrdiff_t>(k, 1), 1}, b_strides, rng);
      const std::vector<Scalar> expected = isa_fuses() ? product.template reference<hg::Rounding::fused>()
                                                       : product.template reference<hg::Rounding::separate>();
      std::vector<Scalar> sums(static_cast<std::size_t>(rows * (n + 5)), untouched<Scalar>());
      std::vector<Scalar> expected_sums = sums;
      for (std::ptrdiff_t i = 0; i < rows; ++i)
        for (std::ptrdiff_t j = 0; j < n; ++j)
          expected_sums[static_cast<std::size_t>(i * (n + 5) + j)] =
              product.at(expected, i, j < n - lanes ? j : j - (n - lanes) + last);
      hg::detail::Tile<Scalar> tile{};
      tile.depth = contiguous_rows ? k : k / 2;
      tile.a = product.a.operand().data;
      tile.a_row = product.a.strides.row;
      tile.a_col = 1;
      tile.b = product.b.operand().data;
      tile.b_row = apart;
      tile.c = sums.data();
      tile.c_row = n + 5;
      run(tile, last);
      if (!contiguous_rows) {
        tile.a += tile.depth;
        tile.b += tile.depth;
        tile.depth = k - k / 2;
        tile.partial = tile.c;
        run(tile, last);
      }
      const double near = portable_may_fuse && !isa_fuses() ? 400 * double{std::numeric_limits<Scalar>::epsilon()} : -1;
      const std::string failure = difference_of_bits(sums, expected_sums, near);
      if (!failure.empty())
        return hg::detail::message(rows, " rows, ", vectors, " vectors, the last from ", last, ", k = ", k, ": ",
                                   failure);
    }
  return "";
}

}  // namespace

TEST_CASE_TEMPLATE("tables hold a kernel for every height, and it computes so many rows", Scalar, float, double) {
  for_each_isa([] {
    CAPTURE(hg::isa_name(hg::isa()));
    const hg::FlushDenormals guard;
    const auto& kernels = hg::detail::kernels<Scalar, hg::epilogue::Accumulate>();
    CHECK(kernels.reads_output);
    CHECK_FALSE(hg::detail::kernels<Scalar, hg::epilogue::Store>().reads_output);
    CHECK(kernels.flat.rows < kernels.tall.rows);
    const auto& plain = hg::detail::kernels<Scalar, hg::epilogue::Store>();
    CHECK((plain.is_plain && plain.flat.lowest == 1 && plain.tall.lowest == 1));
    // With vectors of more than 16 bytes.
    CHECK((kernels.tall.lowest < kernels.tall.rows) ==
          (kernels.lanes * static_cast<std::ptrdiff_t>(sizeof(Scalar)) > 16));
    for (const hg::detail::TileKernels<Scalar>* shape : {&kernels.tall, &kernels.flat}) {
      CHECK(shape->panel % kernels.lanes == 0);
      std::string failure;
      for (std::ptrdiff_t rows = 1; rows <= shape->rows; ++rows) {
        if (rows >= shape->lowest)
          failure += check_tile<Scalar>(shape->final[rows - shape->lowest], rows, shape->panel, true, false);
        failure += check_tile<Scalar>(shape->store[rows - 1], rows, shape->panel, false, false);
      }
      for (std::ptrdiff_t rows = 1; rows <= shape->narrow_rows; ++rows)
        failure += check_tile<Scalar>(shape->narrow[rows - 1], rows, kernels.lanes, false, false);
      failure += check_tile<Scalar>(shape->store_packing, shape->rows, shape->panel, false, true);
      CHECK(failure == "");
    }
  });
}

TEST_CASE_TEMPLATE("tables hold a kernel for every number of few rows and of vectors", Scalar, float, double) {
  for_each_isa([] {
    CAPTURE(hg::isa_name(hg::isa()));
    const hg::FlushDenormals guard;
    const auto& kernels = hg::detail::kernels<Scalar, hg::epilogue::Store>();
    const std::ptrdiff_t lanes = kernels.lanes;
    std::string failure;
    const std::ptrdiff_t widest = kernels.few.row_vectors;
    for (std::ptrdiff_t vectors = 1; vectors <= widest + (kernels.few.whole_row ? 5 : 0); ++vectors)
      failure += check_few_rows<Scalar>(kernels.few.row[std::min(vectors, widest) - 1], 1, vectors, lanes, true);
    for (std::ptrdiff_t rows = 1; rows <= kernels.few.columns_rows; ++rows)
      failure += check_few_rows<Scalar>(kernels.few.columns[rows - 1], rows, kernels.few.columns_vectors[rows - 1],
                                        lanes, false);
    CHECK(failure == "");
  });
}

TEST_CASE_TEMPLATE("kernels on shorter vectors give the same bits", Scalar, float, double) {
  for_each_isa([] {
    CAPTURE(hg::isa_name(hg::isa()));
    const hg::FlushDenormals guard;
    const auto& kernels = hg::detail::kernels<Scalar, hg::epilogue::Store>(true);
    CHECK(kernels.lanes <= hg::detail::kernels<Scalar, hg::epilogue::Store>().lanes);
    CHECK(check_tile<Scalar>(kernels.tall.store[3], 4, kernels.tall.panel, false, false) == "");
  });
}

TEST_CASE_TEMPLATE("finishing writes the columns that there are", Scalar, float, double) {
  hg::Rng rng{2};
  for_each_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    const auto& kernels = hg::detail::kernels<Scalar, hg::epilogue::Accumulate>();
    constexpr hg::epilogue::Accumulate epilogue{};
    for (std::ptrdiff_t cols = 0; cols <= 20; ++cols) {
      CAPTURE(cols);
      // Sums of 5 rows, 32 apart, for rows 2 to 6 of C and its columns from the third on.
      const std::vector<Scalar> sums = random_numbers<Scalar>(5 * 32, rng);
      std::vector<Scalar> c(9 * 30, Scalar(1));
      std::vector<Scalar> expected = c;
      for (std::ptrdiff_t i = 0; i < 5; ++i)
        for (std::ptrdiff_t j = 0; j < cols; ++j)
          expected[static_cast<std::size_t>((2 + i) * 30 + 3 + j)] += sums[static_cast<std::size_t>(i * 32 + j)];
      kernels.finish(sums.data(), 32, 2, 5, 3, cols, hg::Output<Scalar>{c.data(), 30}, &epilogue);
      CHECK(difference_of_bits(c, expected) == "");
    }
  });
}
