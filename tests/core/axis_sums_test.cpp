#include "hourglass/core/axis_sums.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;

namespace {

/// 2 (x + 1) and (x + 1)^2: other than zero where a row has ended.
template <class Scalar>
struct Powers {
  static constexpr bool two = true;
  const Scalar* x;
  hg::Index stride;
  HOURGLASS_SIMD(void get(hg::Index row, hg::Index col, hg::Index n, V& u, V& v, V& w) const, {
    u = w = V::load(x + row * stride + col, n) + V(1);
    v = V(2);
  })
};

template <class Terms>
struct RowSums {
  hg::Index row;
  hg::Index cols;
  const Terms& terms;
  double& one;
  double& two;
  HOURGLASS_SIMD(void operator()() const, { hg::detail::row_sums<V>(row, cols, terms, one, two); })
};
template <class Scalar>
void row_sums(hg::Index row, hg::Index cols, const Powers<Scalar>& terms, double& one, double& two) {
  hg::simd::dispatch<Scalar>(RowSums<Powers<Scalar>>{row, cols, terms, one, two});
}

}  // namespace

TEST_CASE_TEMPLATE("a row is summed over every column and no other", Scalar, float, double) {
  for_each_isa([] {
    for (const hg::Index cols : {1, 3, 16, 31, 32, 33, 511, 512, 513, 1500}) {
      CAPTURE(cols);
      hg::Matrix<Scalar> x(2, cols + 2);
      for (hg::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(i % 97 - 40);
      double one = -1;
      double two = -1;
      row_sums(1, cols, Powers<Scalar>{x.data(), cols + 2}, one, two);
      const auto row = x.row(1).leftCols(cols).array() + 1;
      CHECK(one == static_cast<double>(2 * row.sum()));
      CHECK(two == static_cast<double>(row.square().sum()));
    }
  });
}

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
          const auto column = x.col(j).array() + 1;
          REQUIRE(one[static_cast<std::size_t>(j)] == static_cast<double>(2 * column.sum()));
          REQUIRE(two[static_cast<std::size_t>(j)] == static_cast<double>(column.square().sum()));
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
    std::vector<double> sums(8);
    hg::detail::column_sums<float>(x.rows(), 3, Powers<float>{x.data(), 3}, sums.data(), sums.data() + 3);
    for (hg::Index j = 0; j < 3; ++j) {
      const auto column = x.col(j).cast<double>().array() + 1;
      CHECK(sums[static_cast<std::size_t>(j)] == doctest::Approx(2 * column.sum()).epsilon(1e-8));
      CHECK(sums[static_cast<std::size_t>(j) + 3] == doctest::Approx(column.square().sum()).epsilon(1e-8));
    }
    row_sums(0, x.size(), Powers<float>{x.data(), x.size()}, sums[6], sums[7]);
    CHECK(sums[6] == doctest::Approx(sums[0] + sums[1] + sums[2]).epsilon(1e-8));
    CHECK(sums[7] == doctest::Approx(sums[3] + sums[4] + sums[5]).epsilon(1e-8));
    if (!isa_fuses()) return;
    if (expected.empty()) expected = sums;
    CHECK(sums == expected);
  });
}
