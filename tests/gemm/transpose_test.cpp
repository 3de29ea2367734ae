#include "hourglass/gemm/transpose.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/simd.hpp"

namespace hg = hourglass;

namespace {

using hg::detail::transpose_block_by_element;
#ifdef HOURGLASS_X86
using hg::detail::transpose_block;
#endif

template <class Scalar>
struct TransposeBlock {
  const Scalar* from;
  std::ptrdiff_t from_stride;
  Scalar* to;
  std::ptrdiff_t to_stride;
  HOURGLASS_SIMD(void operator()() const, {
    if constexpr (hg::simd::Avx2Vector<V> || hg::simd::Avx512Vector<V>)
      transpose_block(from, from_stride, to, to_stride);
    else
      transpose_block_by_element(from, from_stride, to, to_stride);
  })
};

// terms[q * lanes + j] = from[j * stride + q] by load_across; `lanes` alone where there is no `terms`.
template <class Scalar>
struct LoadAcross {
  const Scalar* from;
  std::ptrdiff_t stride;
  Scalar* terms;
  std::ptrdiff_t* lanes;
  HOURGLASS_SIMD(void operator()() const, {
    *lanes = V::lanes;
    if (terms == nullptr) return;
    constexpr std::ptrdiff_t pieces = hg::detail::across_pieces<V>;
    const Scalar* piece[pieces];
    for (std::ptrdiff_t i = 0; i < pieces; ++i) piece[i] = from + i * (V::lanes / pieces) * stride;
    V term[hg::detail::across_terms<Scalar>];
    hg::detail::load_across(piece, stride, term);
    for (std::ptrdiff_t q = 0; q < hg::detail::across_terms<Scalar>; ++q) term[q].store(terms + q * V::lanes);
  })
};

}  // namespace

TEST_CASE_TEMPLATE("terms of a sum are loaded across columns", Scalar, float, double) {
  constexpr std::ptrdiff_t count = hg::detail::across_terms<Scalar>;
  CHECK(count * sizeof(Scalar) == 16);
  for_each_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    std::ptrdiff_t lanes = 0;
    hg::simd::dispatch<Scalar>(LoadAcross<Scalar>{nullptr, 0, nullptr, &lanes});
    for (const std::ptrdiff_t stride : {count, count + 1, 3 * count}) {
      // Ends where the last column does.
      std::vector<Scalar> from(static_cast<std::size_t>((lanes - 1) * stride + count));
      std::iota(from.begin(), from.end(), Scalar(1));
      std::vector<Scalar> terms(static_cast<std::size_t>(count * lanes));
      hg::simd::dispatch<Scalar>(LoadAcross<Scalar>{from.data(), stride, terms.data(), &lanes});
      for (std::ptrdiff_t q = 0; q < count; ++q)
        for (std::ptrdiff_t j = 0; j < lanes; ++j)
          CHECK_UNARY(terms[static_cast<std::size_t>(q * lanes + j)] == from[static_cast<std::size_t>(j * stride + q)]);
    }
  });
}

TEST_CASE_TEMPLATE("a block is transposed, and nothing around it written", Scalar, float, double) {
  constexpr std::ptrdiff_t side = hg::detail::transpose_side<Scalar>;
  CHECK(side * sizeof(Scalar) == 32);
  for_each_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    for (const std::ptrdiff_t from_stride : {side, side + 1, 3 * side})
      for (const std::ptrdiff_t to_stride : {side, side + 3, 2 * side}) {
        // Both end where the block does.
        std::vector<Scalar> from(static_cast<std::size_t>((side - 1) * from_stride + side));
        std::iota(from.begin(), from.end(), Scalar(1));
        std::vector<Scalar> to(static_cast<std::size_t>((side - 1) * to_stride + side), Scalar(-1));
        hg::simd::dispatch<Scalar>(TransposeBlock<Scalar>{from.data(), from_stride, to.data(), to_stride});
        for (std::ptrdiff_t at = 0; at < static_cast<std::ptrdiff_t>(to.size()); ++at) {
          const std::ptrdiff_t i = at / to_stride;
          const std::ptrdiff_t j = at % to_stride;
          const Scalar expected = j < side ? from[static_cast<std::size_t>(j * from_stride + i)] : Scalar(-1);
          CHECK_UNARY(to[static_cast<std::size_t>(at)] == expected);
        }
      }
  });
}
