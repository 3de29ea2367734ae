#include "hourglass/core/column_sums.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;

namespace {

/// x and x^2.
template <class Scalar>
struct Powers {
  static constexpr bool two = true;
  const Scalar* x;
  hg::Index stride;
  HOURGLASS_SIMD(void add(hg::Index row, hg::Index col, hg::Index n, V& sum, V& squares) const, {
    const V value = V::load(x + row * stride + col, n);
    sum = sum + value;
    squares = fma(value, value, squares);
  })
};

}  // namespace

TEST_CASE_TEMPLATE("every column is summed over every row, and memory beside them is left alone", Scalar, float,
                   double) {
  for_each_isa([] {
    for (const hg::Index rows : {1, 15, 16, 17, 40})
      for (const hg::Index cols : {1, 3, 16, 127, 128}) {
        CAPTURE(rows);
        CAPTURE(cols);
        hg::Matrix<Scalar> x(rows, cols + 2);
        for (hg::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(i % 97 - 40);
        std::vector<double> one(129, -1.0), two(129, -1.0);
        hg::detail::column_sums<Scalar>(rows, cols, Powers<Scalar>{x.data(), cols + 2}, one.data(), two.data());
        for (hg::Index j = 0; j < cols; ++j) {
          REQUIRE(one[static_cast<std::size_t>(j)] == static_cast<double>(x.col(j).sum()));
          REQUIRE(two[static_cast<std::size_t>(j)] == static_cast<double>(x.col(j).squaredNorm()));
        }
        CHECK(one[static_cast<std::size_t>(cols)] == -1);
        CHECK(two[static_cast<std::size_t>(cols)] == -1);
      }
  });
}

TEST_CASE("long sums are accurate, with the same bits on every instruction set") {
  hg::Matrix<float> x(100'000, 3);
  hg::Rng{1}.fill_uniform(std::span<float>(x.data(), 300'000));
  std::vector<double> expected;
  for_each_isa([&] {
    std::vector<double> sums(6);
    hg::detail::column_sums<float>(x.rows(), 3, Powers<float>{x.data(), 3}, sums.data(), sums.data() + 3);
    for (hg::Index j = 0; j < 3; ++j) {
      const auto column = x.col(j).cast<double>();
      CHECK(sums[static_cast<std::size_t>(j)] == doctest::Approx(column.sum()).epsilon(1e-8));
      CHECK(sums[static_cast<std::size_t>(j) + 3] == doctest::Approx(column.squaredNorm()).epsilon(1e-8));
    }
    if (!isa_fuses()) return;
    if (expected.empty()) expected = sums;
    CHECK(sums == expected);
  });
}
