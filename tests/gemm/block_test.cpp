#include "hourglass/gemm/block.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;

namespace {

enum class Way { plain, large, transposed };

// Part of a product, in one of these ways: only that part of C and of the column sums is written.
template <class Scalar, class Epilogue>
std::string check_block(const Product<Scalar>& product, hg::detail::Range rows, hg::detail::Range cols, Way way,
                        const Epilogue& epilogue) {
  const std::vector<Scalar> all_sums = product.column_sums();
  std::string report;
  for_each_isa([&] {
    const std::vector<Scalar> all = isa_fuses() ? product.template reference<hg::Rounding::fused>(epilogue)
                                                : product.template reference<hg::Rounding::separate>(epilogue);
    std::vector<Scalar> expected = product.start;
    for (std::ptrdiff_t i = rows.begin; i < rows.end; ++i)
      for (std::ptrdiff_t j = cols.begin; j < cols.end; ++j) product.at(expected, i, j) = product.at(all, i, j);
    std::vector<Scalar> expected_sums(all_sums.size(), untouched<Scalar>());
    for (std::ptrdiff_t j = cols.begin; j < cols.end && way != Way::transposed; ++j)
      expected_sums[static_cast<std::size_t>(j)] = all_sums[static_cast<std::size_t>(j)];

    std::vector<Scalar> actual = product.start;
    std::vector<Scalar> actual_sums(all_sums.size(), untouched<Scalar>());
    const hg::Output<Scalar> c = product.output(actual);
    const std::ptrdiff_t m = rows.end - rows.begin;
    const std::ptrdiff_t n = cols.end - cols.begin;
    const hg::Operand<Scalar> a = product.a.operand();
    const hg::Operand<Scalar> b = product.b.operand();
    const auto& kernels = hg::detail::kernels<Scalar, Epilogue>();
    {
      using Block = hg::detail::Block<Scalar>;
      const hg::FlushDenormals guard;
      if (way == Way::transposed)
        Block{cols.begin, n,       rows.begin, m,       product.k, transpose(b), transpose(a),
              c,          kernels, &epilogue,  nullptr, false,     true}
            .run();
      else
        Block{rows.begin,        m,    cols.begin, n, product.k, a, b, c, kernels, &epilogue, actual_sums.data(),
              way == Way::large, false}
            .run();
    }
    const auto terms = static_cast<double>(product.k + 4);
    const bool close = portable_may_fuse && !isa_fuses();
    const double near = 8 * terms * terms * double{std::numeric_limits<Scalar>::epsilon()};
    const std::string failure =
        difference_of_bits(actual, expected, close ? near : -1) + difference_of_bits(actual_sums, expected_sums);
    if (!failure.empty() && report.empty())
      report =
          hg::detail::message(hg::isa_name(hg::isa()), ", way ", static_cast<int>(way), ", ", product.text(), ", rows ",
                              rows.begin, " to ", rows.end, ", columns ", cols.begin, " to ", cols.end, ": ", failure);
  });
  return report;
}

}  // namespace

TEST_CASE_TEMPLATE("a block writes its part of C, whichever way its loops are cut", Scalar, float, double) {
  hg::Rng rng{1};
  std::string failure;
  for (int round = 0; round < 100 && failure.empty(); ++round) {
    const std::ptrdiff_t m = rng.below(round % 6 == 0 ? 250 : 60);
    const std::ptrdiff_t n = rng.below(round % 6 == 1 ? 250 : 100);
    const std::ptrdiff_t k = rng.below(round % 6 == 2 ? 1600 : 60);
    const Product<Scalar> product(m, n, k, rng);
    const std::ptrdiff_t row = rng.below(m + 1);
    const std::ptrdiff_t col = rng.below(n + 1);
    const hg::detail::Range rows{row, row + rng.below(m - row + 1)};
    const hg::detail::Range cols{col, col + rng.below(n - col + 1)};
    for (const Way way : {Way::plain, Way::large, Way::transposed}) {
      failure += check_block(product, rows, cols, way, hg::epilogue::Accumulate{});
      failure += check_block(product, {0, m}, {0, n}, way, hg::epilogue::Store{});
    }
  }
  CHECK(failure == "");
}

TEST_CASE_TEMPLATE("large blocks of many panels and of many chunks", Scalar, float, double) {
  hg::Rng rng{2};
  using hg::epilogue::Accumulate;
  using hg::epilogue::Store;
  const Product<Scalar> wide(20, 8250, 5, rng);
  CHECK(check_block(wide, {0, 20}, {0, 8250}, Way::large, Store{}) == "");
  CHECK(check_block(wide, {3, 4}, {8, 8250}, Way::large, Accumulate{}) == "");
  const Product<Scalar> high(500, 33, 530, {530, 1}, {33, 1}, rng);
  CHECK(check_block(high, {0, 500}, {0, 33}, Way::large, Store{}) == "");
  CHECK(check_block(high, {0, 500}, {0, 33}, Way::large, Accumulate{}) == "");
}
