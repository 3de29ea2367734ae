// Pairs: neighbours in memory taken apart into two vectors, and put together again.
#pragma once

#include <algorithm>
#include <cstddef>

#include "hourglass/core/simd.hpp"

namespace hourglass::simd {

namespace detail {

// take_apart: first[i] and second[i] are elements 2 i and 2 i + 1 of low and high, one after the other; put_together is
// its inverse.

#ifdef HOURGLASS_X86

HOURGLASS_AVX512_INLINE void take_apart(Vector<float, Avx512> low, Vector<float, Avx512> high,
                                        Vector<float, Avx512>& first, Vector<float, Avx512>& second) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  first = _mm512_permutex2var_ps(low.value, even, high.value);
  second = _mm512_permutex2var_ps(low.value, odd, high.value);
}
HOURGLASS_AVX512_INLINE void put_together(Vector<float, Avx512> first, Vector<float, Avx512> second,
                                          Vector<float, Avx512>& low, Vector<float, Avx512>& high) {
  const __m512i lower = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i upper = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  low = _mm512_permutex2var_ps(first.value, lower, second.value);
  high = _mm512_permutex2var_ps(first.value, upper, second.value);
}

HOURGLASS_AVX2_INLINE void take_apart(Vector<float, Avx2> low, Vector<float, Avx2> high, Vector<float, Avx2>& first,
                                      Vector<float, Avx2>& second) {
  const __m256 left = _mm256_permute2f128_ps(low.value, high.value, 0x20);
  const __m256 right = _mm256_permute2f128_ps(low.value, high.value, 0x31);
  // Now halves 0, 2 and 1, 3: a shuffle within halves leaves quarters 0, 1 | 4, 5 and 2, 3 | 6, 7 in order.
  first = _mm256_shuffle_ps(left, right, 0x88);
  second = _mm256_shuffle_ps(left, right, 0xdd);
}
HOURGLASS_AVX2_INLINE void put_together(Vector<float, Avx2> first, Vector<float, Avx2> second, Vector<float, Avx2>& low,
                                        Vector<float, Avx2>& high) {
  const __m256 left = _mm256_unpacklo_ps(first.value, second.value);
  const __m256 right = _mm256_unpackhi_ps(first.value, second.value);
  low = _mm256_permute2f128_ps(left, right, 0x20);
  high = _mm256_permute2f128_ps(left, right, 0x31);
}

#endif

// Any other vectors: element by element.
HOURGLASS_SIMD(void take_apart(V low, V high, V& first, V& second), {
  typename V::Scalar all[2 * V::lanes];
  typename V::Scalar apart[2 * V::lanes];
  low.store(all);
  high.store(all + V::lanes);
  for (std::ptrdiff_t i = 0; i < 2 * V::lanes; ++i) apart[i % 2 * V::lanes + i / 2] = all[i];
  first = V::load(apart);
  second = V::load(apart + V::lanes);
})
HOURGLASS_SIMD(void put_together(V first, V second, V& low, V& high), {
  typename V::Scalar apart[2 * V::lanes];
  typename V::Scalar all[2 * V::lanes];
  first.store(apart);
  second.store(apart + V::lanes);
  for (std::ptrdiff_t i = 0; i < 2 * V::lanes; ++i) all[i] = apart[i % 2 * V::lanes + i / 2];
  low = V::load(all);
  high = V::load(all + V::lanes);
})

}  // namespace detail

/// first[i] = p[2 i] and second[i] = p[2 i + 1] for i < pairs <= lanes, zero in the other lanes.
HOURGLASS_SIMD(void load_pairs(const typename V::Scalar* p, std::ptrdiff_t pairs, V& first, V& second), {
  const V low = V::load(p, std::min<std::ptrdiff_t>(2 * pairs, V::lanes));
  const V high = 2 * pairs > V::lanes ? V::load(p + V::lanes, 2 * pairs - V::lanes) : V(0);
  detail::take_apart(low, high, first, second);
})

/// p[2 i] = first[i] and p[2 i + 1] = second[i] for i < pairs <= lanes.
HOURGLASS_SIMD(void store_pairs(V first, V second, typename V::Scalar* p, std::ptrdiff_t pairs), {
  V low;
  V high;
  detail::put_together(first, second, low, high);
  low.store(p, std::min<std::ptrdiff_t>(2 * pairs, V::lanes));
  if (2 * pairs > V::lanes) high.store(p + V::lanes, 2 * pairs - V::lanes);
})

}  // namespace hourglass::simd
