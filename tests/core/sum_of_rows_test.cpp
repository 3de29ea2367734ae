#include "hourglass/core/sum_of_rows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/simd.hpp"

namespace hg = hourglass;

namespace {

template <class Terms>
struct Sums {
  hg::Index rows;
  hg::Index cols;
  const float* x;
  float* sums;
  HOURGLASS_SIMD(void operator()() const, {
    for (hg::Index j = 0; j < cols; j += V::lanes) {
      const hg::Index n = std::min<hg::Index>(V::lanes, cols - j);
      hg::detail::sum_of_rows<V>(rows, Terms{x + j, cols, n}).store(sums + j, n);
    }
  })
};

template <class Terms>
std::vector<float> sums_of(const std::vector<float>& x, hg::Index cols) {
  std::vector<float> sums(static_cast<std::size_t>(cols));
  hg::simd::dispatch<float>(Sums<Terms>{static_cast<hg::Index>(x.size()) / cols, cols, x.data(), sums.data()});
  return sums;
}

}  // namespace

TEST_CASE("sums of rows and of their squares, on every instruction set") {
  constexpr hg::Index cols = 19;
  std::vector<float> x(cols * 1000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.1f + 0.01f * static_cast<float>(i % 7);
  std::vector<double> plain(cols);
  std::vector<double> squares(cols);
  for (std::size_t i = 0; i < x.size(); ++i) {
    plain[i % cols] += x[i];
    squares[i % cols] += static_cast<double>(x[i]) * x[i];
  }
  const auto expected = sums_of<hg::detail::RowTerms<float>>(x, cols);
  const auto expected_squares = sums_of<hg::detail::SquareTerms<float>>(x, cols);
  for (std::size_t j = 0; j < cols; ++j) {
    CHECK(std::abs(expected[j] - plain[j]) < 4e-6 * plain[j]);
    CHECK(std::abs(expected_squares[j] - squares[j]) < 4e-6 * squares[j]);
  }
  for_each_isa([&] {
    CHECK(sums_of<hg::detail::RowTerms<float>>(x, cols) == expected);
    if (isa_fuses()) CHECK(sums_of<hg::detail::SquareTerms<float>>(x, cols) == expected_squares);
  });
  CHECK(sums_of<hg::detail::RowTerms<float>>({}, 3) == std::vector<float>{0, 0, 0});
}
