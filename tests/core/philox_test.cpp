#include "hourglass/core/philox.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/simd.hpp"

namespace hg = hourglass;

TEST_CASE("Philox4x32-10 known answers") {
  // Random123 1.14, tests/kat_vectors.
  using Words = std::array<std::uint32_t, 4>;
  static_assert(hg::philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  static_assert(hg::philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
                Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  static_assert(hg::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
                Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE_TEMPLATE("uniform numbers of many blocks are those of one after the other", Scalar, float, double) {
  constexpr std::uint64_t seed = 0x0123456789abcdefu;
  constexpr std::uint64_t stream = 0xfedcba9876543210u;
  constexpr std::uint64_t first = 0xfffffffau;  // the count goes on into the upper word
  constexpr std::size_t per_block = 16 / sizeof(Scalar);
  for_each_isa([&] {
    for (const std::size_t blocks : {0u, 1u, 3u, 4u, 7u, 8u, 9u, 21u}) {
      std::vector<Scalar> uniforms(blocks * per_block + 1, Scalar(-1));
      hg::simd::dispatch<Scalar>(hg::detail::PhiloxUniforms<Scalar>{seed, stream, first, blocks, uniforms.data()});
      for (std::size_t i = 0; i < blocks * per_block; ++i) {
        const auto words = hg::philox_block(seed, stream, first + i / per_block);
        const std::size_t j = i % per_block;
        const Scalar expected = sizeof(Scalar) == 4
                                    ? hg::detail::unit_interval<Scalar>(words[j], 0)
                                    : hg::detail::unit_interval<Scalar>(words[(2 * j) % 4], words[(2 * j + 1) % 4]);
        CHECK(uniforms[i] == expected);
      }
      CHECK(uniforms.back() == Scalar(-1));
    }
  });
}
