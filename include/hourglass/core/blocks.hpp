// Blocks: long loops cut into short ones of constant length, which every compiler vectorises without being asked, and
// sums over them that are fast, accurate, and the same bits at any number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "hourglass/core/extent.hpp"
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

/// Sum of the terms [begin, end) in a fixed order: `terms(first, count, out)` writes the terms first ...
/// first + count - 1 to out. At most four roundings of Scalar meet any term; the rest is added in double.
template <class Scalar, class Terms>
[[nodiscard]] double block_sum(Index begin, Index end, const Terms& terms) {
  double sum = 0;
  for_each_block(begin, end, [&](Index first, auto count) {
    alignas(64) std::array<Scalar, static_cast<std::size_t>(block_size)> block;
    Scalar* const out = block.data();
    terms(first, count, out);
    for (Index i = count; i < block_size; ++i) out[i] = 0;
    // Halves onto each other: a fixed tree whose every level is a vector addition.
    for (Index i = 0; i < 32; ++i) out[i] += out[i + 32];
    for (Index i = 0; i < 16; ++i) out[i] += out[i + 16];
    for (Index i = 0; i < 8; ++i) out[i] += out[i + 8];
    for (Index i = 0; i < 4; ++i) out[i] += out[i + 4];
    sum += (double{out[0]} + double{out[1]}) + (double{out[2]} + double{out[3]});
  });
  return sum;
}

/// Sum of the terms [0, count), in parallel when there are many; see block_sum and parallel_sum.
template <class Scalar, class Terms>
[[nodiscard]] double parallel_block_sum(Index count, const Terms& terms) {
  return parallel_sum(count, [&](Index begin, Index end) { return block_sum<Scalar>(begin, end, terms); });
}

}  // namespace hourglass
