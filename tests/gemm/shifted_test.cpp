#include "hourglass/gemm/shifted.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/storage.hpp"

namespace hg = hourglass;
using hg::detail::ShiftedProduct;
using hg::detail::ShiftedSums;
using std::ptrdiff_t;

namespace {

template <class Scalar>
struct Product {
  ShiftedProduct<Scalar> product;
  HOURGLASS_SIMD(void operator()() const, { hg::detail::shifted_product<V>(product); })
};
template <class Scalar>
struct Sums {
  ShiftedSums<Scalar> sums;
  const Scalar* from;
  ptrdiff_t cols;
  Scalar* packed;
  HOURGLASS_SIMD(void operator()() const, {
    hg::detail::pack_blocks<V>(from, sums.steps * sums.taps, cols, packed);
    hg::detail::shifted_sums<V>(sums);
  })
};

template <class Scalar>
hg::AlignedVector<Scalar> random(ptrdiff_t size) {
  hg::Rng rng{static_cast<unsigned>(size)};
  hg::AlignedVector<Scalar> values(static_cast<std::size_t>(size));
  rng.fill_normal(std::span<Scalar>(values));
  return values;
}

/// A kernel of 2 by 3 on an image with `pitch` columns.
const std::vector<hg::detail::Tap> taps{{0, 0}, {1, 1}, {2, 2}, {3, 9}, {4, 10}, {5, 11}};

template <class Scalar>
void check_product(ptrdiff_t rows, ptrdiff_t cols, ptrdiff_t channels) {
  CAPTURE(rows);
  CAPTURE(cols);
  const ptrdiff_t plane = cols + 11;
  const auto a = random<Scalar>(rows * channels * 6);
  const auto b = random<Scalar>(channels * plane + hg::detail::shifted_slack<Scalar>);
  const ptrdiff_t c_row = hg::detail::shifted_row<Scalar>(cols);
  hg::AlignedVector<Scalar> c(static_cast<std::size_t>(rows * c_row));
  hg::simd::dispatch<Scalar>(Product<Scalar>{
      {rows, cols, channels, 6, taps.data(), a.data(), channels * 6, 6, b.data(), plane, c.data(), c_row}});
  for (ptrdiff_t i = 0; i < rows; ++i)
    for (ptrdiff_t j = 0; j < cols; ++j) {
      Scalar sum = 0;
      for (ptrdiff_t q = 0; q < channels; ++q)
        for (const auto& tap : taps)
          sum = std::fma(a[static_cast<std::size_t>((i * channels + q) * 6 + tap.a)],
                         b[static_cast<std::size_t>(q * plane + tap.b + j)], sum);
      const Scalar actual = c[static_cast<std::size_t>(i * c_row + j)];
      if (isa_fuses())
        REQUIRE(actual == sum);
      else
        REQUIRE(actual == doctest::Approx(sum).epsilon(1e-4));
    }
}

template <class Scalar>
void check_sums(ptrdiff_t height, ptrdiff_t columns) {
  CAPTURE(height);
  CAPTURE(columns);
  constexpr ptrdiff_t line = hg::detail::shifted_block<Scalar>;
  constexpr ptrdiff_t rows = 3;
  constexpr ptrdiff_t cols = 5;
  const ptrdiff_t blocks = (columns + line - 1) / line;
  std::vector<hg::detail::SumsRow> row;  // of C from the last to the first
  for (ptrdiff_t i = 0; i < height; ++i) row.push_back({i * 7 % 40, (height - 1 - i) * line});
  std::vector<hg::detail::Tap> tap;  // the second operand backwards too
  for (ptrdiff_t x = 0; x < cols; ++x) tap.push_back({cols - 1 - x, (cols - 1 - x) * line});
  const auto a = random<Scalar>(40 + rows * 9);
  const auto b = random<Scalar>(columns * rows * cols);
  hg::AlignedVector<Scalar> packed(static_cast<std::size_t>(blocks * line * rows * cols));
  hg::AlignedVector<Scalar> c(static_cast<std::size_t>(blocks * line * height));
  for (const bool add : {false, true})
    hg::simd::dispatch<Scalar>(
        Sums<Scalar>{{height, blocks, row.data(), rows, cols, tap.data(), a.data(), 9, packed.data(), cols * line,
                      rows * cols * line, c.data(), height * line, add},
                     b.data(),
                     columns,
                     packed.data()});
  for (ptrdiff_t i = 0; i < height; ++i)
    for (ptrdiff_t j = 0; j < columns; ++j) {
      Scalar sum = 0;
      for (int twice = 0; twice < 2; ++twice)
        for (ptrdiff_t y = 0; y < rows; ++y)
          for (ptrdiff_t x = cols - 1; x >= 0; --x)
            sum = std::fma(a[static_cast<std::size_t>(i * 7 % 40 + y * 9 + x)],
                           b[static_cast<std::size_t>((j * rows + y) * cols + x)], sum);
      const Scalar actual = c[static_cast<std::size_t>((j / line * height + height - 1 - i) * line + j % line)];
      if (isa_fuses())
        REQUIRE(actual == sum);
      else
        REQUIRE(actual == doctest::Approx(sum).epsilon(1e-4));
    }
}

}  // namespace

TEST_CASE("products equal sums one by one, for tiles of all heights") {
  for_each_isa([] {
    for (ptrdiff_t rows = 1; rows <= 15; ++rows) check_product<float>(rows, 37, 2);
    check_product<float>(64, 130, 3);
    check_product<float>(1, 1, 1);
    for (const ptrdiff_t rows : {1, 7, 33}) check_product<double>(rows, 37, 2);
  });
}

TEST_CASE("no taps give zeros") {
  hg::AlignedVector<float> c(hg::detail::shifted_row<float>(3), 1.0f);
  hg::simd::dispatch<float>(Product<float>{{1, 3, 2, 0, nullptr, c.data(), 1, 1, c.data(), 0, c.data(), 64}});
  CHECK(c[2] == 0.0f);
}

TEST_CASE("sums equal sums one by one, for tiles of all heights") {
  for_each_isa([] {
    for (ptrdiff_t height = 1; height <= 15; ++height) check_sums<float>(height, 1 + height * 3);
    check_sums<float>(64, 64);
    for (const ptrdiff_t height : {1, 9, 30}) check_sums<double>(height, 2 * height);
  });
}
