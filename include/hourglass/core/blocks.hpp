// Blocks: long loops cut into short ones of constant length, which every compiler vectorises without being asked, and
// sums over them that are fast, accurate, and the same bits at any number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"

namespace hourglass {

/// Elements of one block.
inline constexpr Index block_size = 64;

/// Calls `body(first, count)` on [begin, end) block by block. `count` is the compile-time block_size (a
/// std::integral_constant) except for a shorter last block. Results that go to local arrays first, and from there to
/// memory, spare the compiler all doubt about overlap.
template <class Body>
void for_each_block(Index begin, Index end, const Body& body) {
  Index first = begin;
  for (; first + block_size <= end; first += block_size) body(first, std::integral_constant<Index, block_size>{});
  if (first < end) body(first, end - first);
}

namespace detail {

/// Sum of a block, which is overwritten. Halves onto each other: a fixed tree whose every level is a vector addition.
/// At most four roundings of Scalar meet any term; the rest is added in double. Out of line, so that no compiler can
/// fuse a product that made a term with the sum that it goes into.
template <class Scalar>
[[nodiscard]] HOURGLASS_NOINLINE double tree_sum(Scalar* block) noexcept {
  for (Index i = 0; i < 32; ++i) block[i] += block[i + 32];
  for (Index i = 0; i < 16; ++i) block[i] += block[i + 16];
  for (Index i = 0; i < 8; ++i) block[i] += block[i + 8];
  for (Index i = 0; i < 4; ++i) block[i] += block[i + 4];
  return (double{block[0]} + double{block[1]}) + (double{block[2]} + double{block[3]});
}

}  // namespace detail

/// Sum of the terms [begin, end) in a fixed order: `terms(first, count, out)` writes the terms first ...
/// first + count - 1 to out. The order is that of detail::tree_sum in a block, and one block after the other.
template <class Scalar, class Terms>
[[nodiscard]] double block_sum(Index begin, Index end, const Terms& terms) {
  double sum = 0;
  for_each_block(begin, end, [&](Index first, auto count) {
    alignas(64) std::array<Scalar, static_cast<std::size_t>(block_size)> block;
    Scalar* const out = block.data();
    terms(first, count, out);
    for (Index i = count; i < block_size; ++i) out[i] = 0;
    sum += detail::tree_sum(out);
  });
  return sum;
}

/// Sum of the terms [0, count), in parallel when there are many; see block_sum and parallel_sum.
template <class Scalar, class Terms>
[[nodiscard]] double parallel_block_sum(Index count, const Terms& terms) {
  return parallel_sum(count, [&](Index begin, Index end) { return block_sum<Scalar>(begin, end, terms); });
}

/// The same over vectors: `terms.operator()<V>(i, n)`, written with HOURGLASS_SIMD, gives the n terms from i on in its
/// first lanes.
HOURGLASS_SIMD(double vector_sum(Index begin, Index end, const auto& terms), {
  using Scalar = typename V::Scalar;
  double sum = 0;
  for (Index first = begin; first < end; first += block_size) {
    alignas(64) Scalar block[block_size];
    const Index count = std::min(block_size, end - first);
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      terms.template operator()<V>(first + i, n).store(block + i, n);
    }
    std::fill(block + count, block + block_size, Scalar(0));
    sum += detail::tree_sum(block);
  }
  return sum;
})

namespace detail {

template <class Terms>
struct VectorSum {
  Index begin;
  Index end;
  const Terms& terms;
  double* sum;
  HOURGLASS_SIMD(void operator()() const, { *sum = vector_sum<V>(begin, end, terms); })
};

}  // namespace detail

/// vector_sum of [0, count) with the vectors of isa(), in parallel when there are many terms.
template <class Scalar, class Terms>
[[nodiscard]] double parallel_vector_sum(Index count, const Terms& terms) {
  return parallel_sum(count, [&](Index begin, Index end) {
    double sum = 0;
    simd::dispatch<Scalar>(detail::VectorSum<Terms>{begin, end, terms, &sum});
    return sum;
  });
}

}  // namespace hourglass
