#include "hourglass/gemm/pack.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar, int vectors>
struct PackPanel {
  const hg::Operand<Scalar>& b;
  std::ptrdiff_t depth;
  std::ptrdiff_t cols;
  Scalar* packed;
  HOURGLASS_SIMD(void operator()() const,
                 { hg::detail::Pack<vectors * V::lanes>::template run<V>(b, depth, cols, packed); })
};

template <class Scalar>
struct AddColumns {
  const hg::Operand<Scalar>& b;
  std::ptrdiff_t depth;
  std::ptrdiff_t cols;
  bool first;
  Scalar* sums;
  HOURGLASS_SIMD(void operator()() const, { hg::detail::add_columns<V>(b, depth, cols, first, sums); })
};

struct CountLanes {
  std::ptrdiff_t* lanes;
  HOURGLASS_SIMD(void operator()() const, { *lanes = V::lanes; })
};

// Panels of so many vectors, of all depths and widths, in every layout; the copy ends where its memory does.
template <class Scalar, int vectors>
std::string check_panels() {
  hg::Rng rng{1};
  std::ptrdiff_t lanes = 0;
  hg::simd::dispatch<Scalar>(CountLanes{&lanes});
  const std::ptrdiff_t width = vectors * lanes;
  for (int round = 0; round < 200; ++round) {
    const std::ptrdiff_t depth = rng.below(40);
    const std::ptrdiff_t cols = round % 3 == 0 ? width : 1 + rng.below(width);
    const Stored<Scalar> b(depth, cols, random_strides<Scalar>(depth, cols, rng), rng);
    std::vector<Scalar> expected(static_cast<std::size_t>(depth * width));
    for (std::ptrdiff_t p = 0; p < depth; ++p)
      for (std::ptrdiff_t j = 0; j < cols; ++j) expected[static_cast<std::size_t>(p * width + j)] = b.operand()(p, j);
    constexpr std::ptrdiff_t margin = 64;
    std::vector<Scalar> packed(static_cast<std::size_t>(margin + depth * width + margin), untouched<Scalar>());
    expected.insert(expected.begin(), margin, untouched<Scalar>());
    expected.insert(expected.end(), margin, untouched<Scalar>());
    const hg::Operand<Scalar> operand = b.operand();
    hg::simd::dispatch<Scalar>(PackPanel<Scalar, vectors>{operand, depth, cols, packed.data() + margin});
    const std::string failure = difference_of_bits(packed, expected);
    if (!failure.empty())
      return hg::detail::message("(", depth, ", ", cols, ") of width ", width, ", strides ", operand.row_stride, ", ",
                                 operand.col_stride, ": ", failure);
  }
  return "";
}

}  // namespace

TEST_CASE_TEMPLATE("panels hold the columns of B and zeros, in the order of the micro-kernel", Scalar, float, double) {
  for_each_isa([] {
    CAPTURE(hg::isa_name(hg::isa()));
    CHECK(check_panels<Scalar, 1>() == "");
    CHECK(check_panels<Scalar, 2>() == "");
    CHECK(check_panels<Scalar, 3>() == "");
    CHECK(check_panels<Scalar, 4>() == "");
    CHECK(check_panels<Scalar, 5>() == "");
  });
}

TEST_CASE_TEMPLATE("columns are summed in ascending order, from zero or from where they were", Scalar, float, double) {
  hg::Rng rng{2};
  for (int round = 0; round < 100; ++round) {
    const std::ptrdiff_t depth = rng.below(30);
    const std::ptrdiff_t cols = rng.below(70);
    const Stored<Scalar> b(depth, cols, {std::max<std::ptrdiff_t>(cols + rng.below(3), 1), 1}, rng);
    const hg::Operand<Scalar> operand = b.operand();
    const std::vector<Scalar> before = random_numbers<Scalar>(cols, rng);
    for (const bool first : {true, false}) {
      std::vector<Scalar> expected = first ? std::vector<Scalar>(static_cast<std::size_t>(cols)) : before;
      for (std::ptrdiff_t p = 0; p < depth; ++p)
        for (std::ptrdiff_t j = 0; j < cols; ++j) expected[static_cast<std::size_t>(j)] += operand(p, j);
      for_each_isa([&] {
        std::vector<Scalar> sums = before;
        hg::simd::dispatch<Scalar>(AddColumns<Scalar>{operand, depth, cols, first, sums.data()});
        CHECK(difference_of_bits(sums, expected) == "");
      });
    }
  }
}
