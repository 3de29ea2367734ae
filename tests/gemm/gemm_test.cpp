#include "hourglass/gemm/gemm.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/gemm/reference.hpp"

namespace hg = hourglass;

namespace {

// Row `i` of C alone: the same product with one row.
template <class Scalar>
std::vector<Scalar> row_alone(const Product<Scalar>& product, std::ptrdiff_t i) {
  std::vector<Scalar> row(static_cast<std::size_t>(product.n));
  hg::Operand<Scalar> a = product.a.operand();
  a.data += i * a.row_stride;
  hg::gemm(1, product.n, product.k, a, product.b.operand(), hg::Output<Scalar>{row.data(), product.n});
  return row;
}

template <class Scalar>
std::vector<Scalar> row_of(const Product<Scalar>& product, const std::vector<Scalar>& c, std::ptrdiff_t i) {
  const Scalar* begin = &product.at(c, i, 0);
  return {begin, begin + product.n};
}

}  // namespace

TEST_CASE_TEMPLATE("every size around the edges of tiles", Scalar, float, double) {
  hg::Rng rng{1};
  std::string failure;
  constexpr std::ptrdiff_t depths[]{0, 1, 2, 3, 7, 8, 9, 16, 17, 31};
  for (std::ptrdiff_t m = 0; m <= 70 && failure.empty(); ++m)
    for (std::ptrdiff_t n = 0; n <= 70 && failure.empty(); ++n) {
      const Product<Scalar> product(m, n, depths[rng.below(10)], rng);
      failure = mismatch(product, hg::epilogue::Store{}, {1});
    }
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("random shapes and layouts at any number of threads", Scalar, float, double) {
  hg::Rng rng{2};
  std::string failure;
  for (int round = 0; round < 200 && failure.empty(); ++round) {
    const auto product = random_product<Scalar>(rng);
    failure = mismatch(product, hg::epilogue::Store{}, {1, 2 + static_cast<int>(rng.below(7))});
  }
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("few rows times a matrix whose columns are contiguous", Scalar, SCALARS_OF_KERNELS) {
  hg::Rng rng{12};
  std::string failure;
  for (std::ptrdiff_t m = 1; m <= 66 && failure.empty(); ++m) {
    const std::ptrdiff_t n = m % 4 == 0 ? 100 + rng.below(200) : rng.below(60);
    const std::ptrdiff_t k = m % 5 == 0 ? 1030 + rng.below(600) : 127 + rng.below(20);
    const Product<Scalar> product(m, n, k, random_strides<Scalar>(m, k, rng), {1, k + rng.below(2)}, rng);
    failure = mismatch(product, hg::epilogue::Accumulate{}, {1, 3});
  }
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("one row and few rows of any width, rows or columns of B contiguous", Scalar, SCALARS_OF_KERNELS) {
  hg::Rng rng{13};
  std::string failure;
  for (std::ptrdiff_t n = 1; n <= 300 && failure.empty(); ++n) {
    failure = mismatch(few_rows<Scalar>(1, n, 1 + rng.below(20), rng), hg::epilogue::Accumulate{}, {1, 3});
    if (failure.empty())
      failure = mismatch(few_rows<Scalar>(1 + n % 9, n, 1 + rng.below(20), rng), hg::epilogue::Accumulate{}, {1});
  }
  for (const std::ptrdiff_t n : {783, 784, 2047, 2048, 2049, 2063, 2064, 2065, 4200})
    for (const std::ptrdiff_t m : {1, 2, 5, 8}) {
      if (!failure.empty()) break;
      failure =
          mismatch(few_rows<Scalar>(m, n, m == 1 ? 30 : 3 + rng.below(4), rng), hg::epilogue::Accumulate{}, {1, 4});
    }
  // Columns of B, and rows of A, that are copied in slices.
  for (std::ptrdiff_t m = 1; m <= 9 && failure.empty(); ++m)
    for (const std::ptrdiff_t k : {255, 256, 511, 1023, 1024}) {
      if (!failure.empty()) break;
      const Product<Scalar> product(m, 10 + rng.below(90), k, {1024, 1}, {1, 1024}, rng);
      failure = mismatch(product, hg::epilogue::Store{}, {1});
    }
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("short sums of many rows", Scalar, SCALARS_OF_KERNELS) {
  hg::Rng rng{14};
  std::string failure;
  for (const std::ptrdiff_t k : {1, 2, 8, 32, 63, 64, 65})
    for (const std::ptrdiff_t n : {16, 33, 64, 80, 100, 256, 300})
      for (const std::ptrdiff_t m : {7, 20, 111}) {
        if (!failure.empty()) break;
        failure = mismatch(Product<Scalar>(m, n, k, {1, m}, {n, 1}, rng), hg::epilogue::Accumulate{}, {1, 3});
      }
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("sums of more than 1024 terms go on where the last slice ended", Scalar, float, double) {
  hg::Rng rng{3};
  std::string failure;
  for (const auto& [m, n] : {std::pair<int, int>{1, 1}, {1, 130}, {3, 64}, {5, 37}, {20, 33}, {61, 7}, {2, 0}})
    for (const std::ptrdiff_t k : {1024, 1025, 1536, 1537, 2600}) {
      if (!failure.empty()) break;
      const Product<Scalar> product(m, n, k, rng);
      failure = mismatch(product, hg::epilogue::Store{}, {1, 3});
    }
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("many rows of few columns, and few rows of many columns", Scalar, SCALARS_OF_KERNELS) {
  // The sums of the last columns rest in a buffer for some hundred rows at a time; panels of B are packed in groups.
  hg::Rng rng{4};
  CHECK(mismatch(Product<Scalar>(2100, 5, 3, rng), hg::epilogue::Store{}, {1, 4}) == "");
  CHECK(mismatch(Product<Scalar>(1100, 37, 4, rng), hg::epilogue::Accumulate{}, {1, 3}) == "");
  CHECK(mismatch(Product<Scalar>(20, 9000, 3, rng), hg::epilogue::Store{}, {1, 4}) == "");
  CHECK(mismatch(Product<Scalar>(9, 500, 600, {600, 1}, {1, 600}, rng), hg::epilogue::Store{}, {1, 3}) == "");
  CHECK(mismatch(Product<Scalar>(9, 500, 600, {1, 9}, {500, 1}, rng), hg::epilogue::Store{}, {1, 3}) == "");
}

TEST_CASE_TEMPLATE("rows of A that lie half a page apart are copied", Scalar, float, double) {
  constexpr std::ptrdiff_t half_page = 2048 / sizeof(Scalar);
  hg::Rng rng{5};
  for (const std::ptrdiff_t m : {1, 6, 7, 14, 15, 29, 50})
    for (const std::ptrdiff_t k : {half_page, 1 + half_page / 2, std::ptrdiff_t{1030}}) {
      const std::ptrdiff_t leading = (k + half_page - 1) / half_page * half_page;
      CHECK(mismatch(Product<Scalar>(m, 41, k, {leading, 1}, {41, 1}, rng)) == "");
    }
}

TEST_CASE_TEMPLATE("results are within k eps sum |a| |b| of exact ones", Scalar, float, double) {
  hg::Rng rng{6};
  std::string failure;
  for (int round = 0; round < 30 && failure.empty(); ++round)
    failure = beyond_bound(Product<Scalar>(rng.below(60), rng.below(60), rng.below(round % 10 == 0 ? 1500 : 100), rng));
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("large products, whose operands are copied to memory of their own", Scalar, float, double) {
  constexpr std::ptrdiff_t sizes[][3]{{530, 517, 3700}, {3700, 530, 517}, {517, 3700, 530}};
  hg::Rng rng{7};
  for (const auto& size : sizes) {
    const std::ptrdiff_t m = size[0];
    const std::ptrdiff_t n = size[1];
    const std::ptrdiff_t k = size[2];
    CAPTURE(m);
    if (sizeof(Scalar) == 8 && k != 3700) continue;
    // Both operands transposed, and both as they are.
    const bool transposed = m == 3700;
    const Product<Scalar> product(m, n, k, transposed ? Strides{1, m} : Strides{k, 1},
                                  transposed ? Strides{1, k} : Strides{n, 1}, rng);
    const std::vector<Scalar> sums = product.column_sums();
    std::vector<std::vector<Scalar>> fused;
    for_each_isa([&] {
      CAPTURE(hg::isa_name(hg::isa()));
#ifndef __OPTIMIZE__
      if (!isa_fuses()) return;
#endif
      std::vector<Scalar> actual_sums(sums.size());
      const std::vector<Scalar> c =
          product.run(hg::epilogue::Store{}, {.threads = k == 3700 ? 1 : 2, .column_sums = actual_sums.data()});
      CHECK(difference_of_bits(actual_sums, sums) == "");
      for (const std::ptrdiff_t i : {std::ptrdiff_t{0}, std::ptrdiff_t{97}, std::ptrdiff_t{98}, m / 2, m - 1})
        CHECK(difference_of_bits(row_of(product, c, i), row_alone(product, i)) == "");
      if (isa_fuses()) {
        for (int sample = 0; sample < 20; ++sample) {
          const std::ptrdiff_t i = rng.below(m);
          const std::ptrdiff_t j = rng.below(n);
          Scalar expected = 0;
          for (std::ptrdiff_t p = 0; p < k; ++p)
            expected = std::fma(product.a.operand()(i, p), product.b.operand()(p, j), expected);
          CHECK(product.at(c, i, j) == expected);
        }
        fused.push_back(c);
      }
    });
    for (const auto& c : fused) CHECK(difference_of_bits(c, fused.front()) == "");
  }
}

TEST_CASE_TEMPLATE("a row has the same bits alone, in a small batch and in a large one", Scalar, SCALARS_OF_KERNELS) {
  hg::Rng rng{8};
  for (const std::ptrdiff_t k : {50, 1100})
    for (const Strides b_strides : {Strides{77, 1}, Strides{1, k}}) {
      const Product<Scalar> product(128, 77, k, {k, 1}, b_strides, rng);
      std::vector<Scalar> bias = random_numbers<Scalar>(77, rng);
      const hg::epilogue::BiasActivation<Scalar, Parabola> epilogue{bias.data(), {}};
      for_each_isa([&] {
        CAPTURE(hg::isa_name(hg::isa()));
        const std::vector<Scalar> all = product.run(epilogue);
        // Rows [first, first + count) as a batch of their own.
        const auto batch = [&](std::ptrdiff_t first, std::ptrdiff_t count) {
          hg::Operand<Scalar> a = product.a.operand();
          a.data += first * a.row_stride;
          std::vector<Scalar> c(static_cast<std::size_t>(count * 77));
          hg::gemm(count, 77, k, a, product.b.operand(), hg::Output<Scalar>{c.data(), 77}, epilogue);
          std::vector<Scalar> expected;
          for (std::ptrdiff_t i = first; i < first + count; ++i)
            for (std::ptrdiff_t j = 0; j < 77; ++j) expected.push_back(product.at(all, i, j));
          return difference_of_bits(c, expected);
        };
        std::string failure;
        for (std::ptrdiff_t i = 0; i < 128; ++i) failure += batch(i, 1);
        CHECK(failure == "");
        CHECK(batch(3, 38) == "");
        CHECK(batch(0, 64) == "");
        CHECK(batch(64, 64) == "");
        CHECK(batch(125, 3) == "");
      });
    }
}

TEST_CASE("columns of B are summed whatever the sizes, also where C has no rows and where there is nothing to sum") {
  hg::Rng rng{9};
  for (const std::ptrdiff_t m : {0, 1, 3, 40})
    for (const std::ptrdiff_t n : {0, 1, 16, 65, 200})
      for (const std::ptrdiff_t k : {0, 1, 30, 1100})
        for (const Strides strides :
             {Strides{std::max<std::ptrdiff_t>(n, 1), 1}, Strides{1, std::max<std::ptrdiff_t>(k, 1)}}) {
          const Product<float> product(m, n, k, {std::max<std::ptrdiff_t>(k, 1), 1}, strides, rng);
          CHECK(mismatch(product, hg::epilogue::Accumulate{}, {1, 3}) == "");
        }
}

TEST_CASE("k = 0 gives the epilogue of zero; m = 0 and n = 0 write nothing") {
  const std::vector<float> bias{1, 2, 3};
  const hg::Operand<float> none{nullptr, 1, 1};
  const hg::Operand<float> wide{nullptr, 4, 1};
  for_each_isa([&] {
    std::vector<float> c(6, 9.0f);
    hg::gemm(2, 3, 0, none, none, hg::Output<float>{c.data(), 3}, hg::epilogue::Bias<float>{bias.data()});
    CHECK(c == std::vector<float>{1, 2, 3, 1, 2, 3});
    hg::gemm(0, 3, 4, wide, hg::row_major(bias.data(), 3), hg::Output<float>{c.data(), 3});
    hg::gemm(2, 0, 4, hg::row_major(bias.data(), 4), wide, hg::Output<float>{c.data(), 3});
    hg::gemm(0, 0, 0, none, none, hg::Output<float>{nullptr, 0});
    CHECK(c == std::vector<float>{1, 2, 3, 1, 2, 3});
    hg::gemm(2, 3, 0, none, none, hg::Output<float>{c.data(), 3});
    CHECK(c == std::vector<float>(6, 0.0f));
  });
}

TEST_CASE("numbers worked by hand, through transposes of the same memory") {
  const std::vector<float> a{1, 2, 3, 4, 5, 6};     // (2, 3)
  const std::vector<float> b{7, 8, 9, 10, 11, 12};  // (3, 2)
  for_each_isa([&] {
    std::vector<float> c(4);
    hg::gemm(2, 2, 3, hg::row_major(a.data(), 3), hg::row_major(b.data(), 2), hg::Output<float>{c.data(), 2});
    CHECK(c == std::vector<float>{58, 64, 139, 154});
    std::vector<float> d(9);
    hg::gemm(3, 3, 2, hg::transpose(hg::row_major(a.data(), 3)), hg::transpose(hg::row_major(b.data(), 2)),
             hg::Output<float>{d.data(), 3});
    CHECK(d == std::vector<float>{39, 49, 59, 54, 68, 82, 69, 87, 105});
  });
}

TEST_CASE_TEMPLATE("NaN and infinities reach the elements that they belong to, and no others", Scalar, float, double) {
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  hg::Rng rng{10};
  for (const Strides strides : {Strides{45, 1}, Strides{1, 30}}) {
    Product<Scalar> product(20, 45, 30, {30, 1}, strides, rng);
    product.a.memory[7 * 30 + 11] = std::numeric_limits<Scalar>::quiet_NaN();
    product.b.memory[static_cast<std::size_t>(5 * strides.row + 44 * strides.col)] = infinity;
    for_each_isa([&] {
      const std::vector<Scalar> c = product.run();
      int wrong = 0;
      for (std::ptrdiff_t i = 0; i < 20; ++i)
        for (std::ptrdiff_t j = 0; j < 45; ++j) {
          const Scalar value = product.at(c, i, j);
          if (i == 7)
            wrong += !std::isnan(value);
          else if (j == 44)
            wrong += value != std::copysign(infinity, product.a.operand()(i, 5));
          else
            wrong += !std::isfinite(value);
        }
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("impossible arguments are refused with the sizes that are wrong") {
  std::vector<float> memory(100);
  std::vector<float> out(100);
  const auto a = hg::row_major(memory.data(), 4);
  const hg::Output<float> c{out.data(), 4};
  const auto refuses = [](const char* text, auto&&... arguments) {
    CHECK_THROWS_WITH_AS(hg::gemm(arguments...), doctest::Contains(text), hg::ShapeError);
  };
  refuses("m = -1, n = 4, k = 4", -1, 4, 4, a, a, c);
  refuses("m = 4, n = -2, k = 4", 4, -2, 4, a, a, c);
  refuses("m = 4, n = 4, k = -3", 4, 4, -3, a, a, c);
  refuses("A of shape (4, 5) with strides (4, 1) has a leading dimension that is too small", 4, 4, 5, a,
          hg::row_major(memory.data() + 50, 4), c);
  refuses("B of shape (4, 5) with strides (4, 1) has a leading dimension that is too small", 4, 5, 4, a, a,
          hg::Output<float>{out.data(), 5});
  refuses("A of shape (4, 4) with strides (1, 3) has a leading dimension that is too small", 4, 4, 4,
          hg::column_major(memory.data(), 3), a, c);
  refuses("C of shape (4, 4) with strides (3, 1) has a leading", 4, 4, 4, a, a, hg::Output<float>{out.data(), 3});
  refuses("A of shape (4, 4) with strides (0, 1) has a stride below 1", 4, 4, 4,
          hg::Operand<float>{memory.data(), 0, 1}, a, c);
  refuses("B of shape (4, 4) with strides (4, -1) has a stride below 1", 4, 4, 4, a,
          hg::Operand<float>{memory.data(), 4, -1}, c);
  refuses("C of shape (4, 4) with strides (-4, 1) has a stride below 1", 4, 4, 4, a, a,
          hg::Output<float>{out.data(), -4});
  constexpr std::ptrdiff_t huge = std::numeric_limits<std::ptrdiff_t>::max();
  for (const std::ptrdiff_t rows : {huge, huge / 4, huge / 16})
    refuses("exceeds the address space", rows, 4, 4, a, a, c);
  refuses("exceeds the address space", 4, 4, huge / 2, hg::row_major(memory.data(), huge), a, c);
  refuses("exceeds the address space", 4, 4, 4, a, a, hg::Output<float>{out.data(), huge / 2});
  CHECK(out == std::vector<float>(100));
}

TEST_CASE("C may not overlap A or B, but may touch them") {
  std::vector<float> memory(200, 1.0f);
  float* const begin = memory.data();
  const auto a = hg::row_major(begin + 40, 5);  // (4, 3): up to 40 + 18
  const auto b = hg::row_major(begin + 90, 2);  // (3, 2): up to 90 + 6
  for_each_isa([&] {
    for (std::ptrdiff_t offset = 20; offset < 120; ++offset) {
      CAPTURE(offset);
      const hg::Output<float> c{begin + offset, 4};  // (4, 2): 14 elements
      const bool overlaps = (offset + 14 > 40 && offset < 58) || (offset + 14 > 90 && offset < 96);
      if (overlaps) {
        CHECK_THROWS_WITH_AS(hg::gemm(4, 2, 3, a, b, c), doctest::Contains("overlaps"), hg::ShapeError);
      } else {
        CHECK_NOTHROW(hg::gemm(4, 2, 3, a, b, c));
        CHECK(c.data[13] == 3);
        std::fill(memory.begin(), memory.end(), 1.0f);
      }
    }
  });
  // Nothing is written where C is empty, or read where k = 0.
  std::vector<float> sums(2);
  CHECK_NOTHROW(hg::gemm(0, 2, 3, a, b, hg::Output<float>{begin + 92, 2}, {}, {.column_sums = sums.data()}));
  CHECK(sums == std::vector<float>{3, 3});
  CHECK_NOTHROW(hg::gemm(4, 2, 0, a, b, hg::Output<float>{begin + 42, 4}));
}
