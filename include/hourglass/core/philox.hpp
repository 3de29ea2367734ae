// Philox4x32-10: a counter becomes four random words. Block number c of stream s under key k is a pure function of
// (k, s, c), so blocks can be made in any order, many at a time. Source: Salmon, Moraes, Dror, Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd_target.hpp"

#ifdef HOURGLASS_X86
#include <immintrin.h>
#endif

namespace hourglass {

namespace detail {

inline constexpr std::array<std::uint32_t, 2> philox_multiplier{0xD2511F53u, 0xCD9E8D57u};
inline constexpr std::array<std::uint32_t, 2> philox_weyl{0x9E3779B9u, 0xBB67AE85u};
inline constexpr int philox_rounds = 10;

[[nodiscard]] constexpr std::uint32_t high_word(std::uint64_t x) noexcept {
  return static_cast<std::uint32_t>(x >> 32);
}
[[nodiscard]] constexpr std::uint32_t low_word(std::uint64_t x) noexcept { return static_cast<std::uint32_t>(x); }

}  // namespace detail

/// Four 32-bit words of the bijection Philox4x32-10 at `counter` under `key`.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                                std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < detail::philox_rounds; ++round) {
    const std::uint64_t a = std::uint64_t{detail::philox_multiplier[0]} * counter[0];
    const std::uint64_t b = std::uint64_t{detail::philox_multiplier[1]} * counter[2];
    counter = {detail::high_word(b) ^ counter[1] ^ key[0], detail::low_word(b),
               detail::high_word(a) ^ counter[3] ^ key[1], detail::low_word(a)};
    key[0] += detail::philox_weyl[0];
    key[1] += detail::philox_weyl[1];
  }
  return counter;
}

/// Block `number` of a stream.
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox_block(std::uint64_t seed, std::uint64_t stream,
                                                                  std::uint64_t number) noexcept {
  using detail::high_word;
  using detail::low_word;
  return philox4x32({low_word(number), high_word(number), low_word(stream), high_word(stream)},
                    {low_word(seed), high_word(seed)});
}

namespace detail {

/// Words of as many blocks as a register of V has room for, where `type` is defined.
template <class V>
struct PhiloxWords;

#ifdef HOURGLASS_X86
// Words of several blocks in the lower halves of 64-bit lanes; what lies in the upper halves is no part of them.

struct Avx2Words {
  static constexpr std::uint64_t blocks = 4;
  __m256i lanes;
  HOURGLASS_AVX2_INLINE static Avx2Words all(std::uint64_t x) {
    return {_mm256_set1_epi64x(static_cast<long long>(x))};
  }
  /// Numbers of blocks from `first` on, in the order in which store() takes them.
  HOURGLASS_AVX2_INLINE static Avx2Words numbers(std::uint64_t first) {
    return {_mm256_add_epi64(all(first).lanes, _mm256_setr_epi64x(0, 2, 1, 3))};
  }
  HOURGLASS_AVX2_INLINE Avx2Words high() const { return {_mm256_srli_epi64(lanes, 32)}; }
  HOURGLASS_AVX2_INLINE friend Avx2Words operator*(Avx2Words a, Avx2Words b) {
    return {_mm256_mul_epu32(a.lanes, b.lanes)};
  }
  HOURGLASS_AVX2_INLINE friend Avx2Words operator^(Avx2Words a, Avx2Words b) {
    return {_mm256_xor_si256(a.lanes, b.lanes)};
  }
  /// The upper 24 bits of each word times 2^-24, block after block.
  HOURGLASS_AVX2_INLINE static void store(const Avx2Words (&w)[4], float* uniforms) {
    const __m256i front = pair(w[0], w[1]);
    const __m256i back = pair(w[2], w[3]);
    convert(_mm256_unpacklo_epi64(front, back), uniforms);
    convert(_mm256_unpackhi_epi64(front, back), uniforms + 8);
  }

 private:
  HOURGLASS_AVX2_INLINE static __m256i pair(Avx2Words a, Avx2Words b) {
    return _mm256_blend_epi32(a.lanes, _mm256_slli_epi64(b.lanes, 32), 0xaa);
  }
  HOURGLASS_AVX2_INLINE static void convert(__m256i words, float* to) {
    _mm256_storeu_ps(to, _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(words, 8)), _mm256_set1_ps(0x1p-24f)));
  }
};

// Under gcc 12 the forms without a mask warn of uninitialised values.
struct Avx512Words {
  static constexpr std::uint64_t blocks = 8;
  __m512i lanes;
  HOURGLASS_AVX512_INLINE static Avx512Words all(std::uint64_t x) {
    return {_mm512_set1_epi64(static_cast<long long>(x))};
  }
  HOURGLASS_AVX512_INLINE static Avx512Words numbers(std::uint64_t first) {
    return {_mm512_add_epi64(all(first).lanes, _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7))};
  }
  HOURGLASS_AVX512_INLINE Avx512Words high() const { return {_mm512_maskz_srli_epi64(0xff, lanes, 32)}; }
  HOURGLASS_AVX512_INLINE friend Avx512Words operator*(Avx512Words a, Avx512Words b) {
    return {_mm512_maskz_mul_epu32(0xff, a.lanes, b.lanes)};
  }
  HOURGLASS_AVX512_INLINE friend Avx512Words operator^(Avx512Words a, Avx512Words b) {
    return {_mm512_xor_si512(a.lanes, b.lanes)};
  }
  HOURGLASS_AVX512_INLINE static void store(const Avx512Words (&w)[4], float* uniforms) {
    const __m512i front = pair(w[0], w[1]);
    const __m512i back = pair(w[2], w[3]);
    convert(_mm512_maskz_unpacklo_epi64(0xff, front, back), uniforms);
    convert(_mm512_maskz_unpackhi_epi64(0xff, front, back), uniforms + 16);
  }

 private:
  HOURGLASS_AVX512_INLINE static __m512i pair(Avx512Words a, Avx512Words b) {
    return _mm512_mask_blend_epi32(0xaaaa, a.lanes, _mm512_maskz_slli_epi64(0xff, b.lanes, 32));
  }
  HOURGLASS_AVX512_INLINE static void convert(__m512i words, float* to) {
    const __m512 numbers = _mm512_maskz_cvtepi32_ps(0xffff, _mm512_maskz_srli_epi32(0xffff, words, 8));
    _mm512_storeu_ps(to, _mm512_mul_ps(numbers, _mm512_set1_ps(0x1p-24f)));
  }
};

template <simd::Avx2Vector V>
struct PhiloxWords<V> {
  using type = Avx2Words;
};
template <simd::Avx512Vector V>
struct PhiloxWords<V> {
  using type = Avx512Words;
};
#endif

/// Uniform in [0, 1): 24 random bits for float, 53 for double.
template <class Scalar>
[[nodiscard]] constexpr Scalar unit_interval(std::uint32_t high, std::uint32_t low) noexcept {
  if constexpr (sizeof(Scalar) == 4)
    return static_cast<Scalar>(high >> 8) * Scalar(0x1p-24);
  else
    return static_cast<Scalar>((std::uint64_t{high} << 32 | low) >> 11) * Scalar(0x1p-53);
}

/// Uniform numbers from `blocks` blocks from number `first` on.
template <class Scalar>
struct PhiloxUniforms {
  static constexpr std::uint64_t per_block = 16 / sizeof(Scalar);
  std::uint64_t seed;
  std::uint64_t stream;
  std::uint64_t first;
  std::uint64_t blocks;
  Scalar* uniforms;

  HOURGLASS_SIMD(void operator()() const, {
    std::uint64_t done = 0;
    if constexpr (sizeof(Scalar) == 4 && !simd::is_baseline<V>) done = sets<V>();
    for (; done < blocks; ++done) {
      const auto w = philox_block(seed, stream, first + done);
      for (std::size_t i = 0; i < per_block; ++i)
        uniforms[done * per_block + i] =
            sizeof(Scalar) == 4 ? unit_interval<Scalar>(w[i], 0) : unit_interval<Scalar>(w[2 * i], w[2 * i + 1]);
    }
  })
  /// As many blocks at a time as a register has lanes, while there are so many; how many it made.
  HOURGLASS_SIMD(std::uint64_t sets() const, {
    using Words = typename PhiloxWords<V>::type;
    const Words m0 = Words::all(philox_multiplier[0]);
    const Words m1 = Words::all(philox_multiplier[1]);
    std::uint64_t done = 0;
    for (; done + Words::blocks <= blocks; done += Words::blocks) {
      const Words number = Words::numbers(first + done);
      Words w[4]{number, number.high(), Words::all(stream), Words::all(stream >> 32)};
      std::uint32_t k0 = low_word(seed);
      std::uint32_t k1 = high_word(seed);
      HOURGLASS_UNROLL
      for (int round = 0; round < philox_rounds; ++round) {
        const Words a = m0 * w[0];
        const Words b = m1 * w[2];
        w[0] = b.high() ^ w[1] ^ Words::all(k0);
        w[1] = b;
        w[2] = a.high() ^ w[3] ^ Words::all(k1);
        w[3] = a;
        k0 += philox_weyl[0];
        k1 += philox_weyl[1];
      }
      Words::store(w, uniforms + done * per_block);
    }
    return done;
  })
};

}  // namespace detail
}  // namespace hourglass
