// Transposing a square block of a matrix through registers.
#pragma once

#include <cstddef>

#include "hourglass/core/simd.hpp"

namespace hourglass::detail {

/// to[i * to_stride + j] = from[j * from_stride + i] for a block of `transpose_side` rows and columns.
template <class Scalar>
inline constexpr std::ptrdiff_t transpose_side = 32 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

#ifdef HOURGLASS_X86

HOURGLASS_AVX2_INLINE void transpose_block(const float* from, std::ptrdiff_t from_stride, float* to,
                                           std::ptrdiff_t to_stride) {
  // Halves of rows 0..3 and 4..7 side by side, so that no shuffle crosses the middle of a register.
  const auto halves = [&](std::ptrdiff_t row, std::ptrdiff_t col) HOURGLASS_AVX2 {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from + row * from_stride + col)),
                                _mm_loadu_ps(from + (row + 4) * from_stride + col), 1);
  };
  HOURGLASS_UNROLL
  for (std::ptrdiff_t half = 0; half < 8; half += 4) {
    const __m256 r0 = halves(0, half);
    const __m256 r1 = halves(1, half);
    const __m256 r2 = halves(2, half);
    const __m256 r3 = halves(3, half);
    const __m256 low01 = _mm256_unpacklo_ps(r0, r1);
    const __m256 high01 = _mm256_unpackhi_ps(r0, r1);
    const __m256 low23 = _mm256_unpacklo_ps(r2, r3);
    const __m256 high23 = _mm256_unpackhi_ps(r2, r3);
    float* out = to + half * to_stride;
    _mm256_storeu_ps(out, _mm256_shuffle_ps(low01, low23, 0x44));
    _mm256_storeu_ps(out + to_stride, _mm256_shuffle_ps(low01, low23, 0xee));
    _mm256_storeu_ps(out + 2 * to_stride, _mm256_shuffle_ps(high01, high23, 0x44));
    _mm256_storeu_ps(out + 3 * to_stride, _mm256_shuffle_ps(high01, high23, 0xee));
  }
}

HOURGLASS_AVX2_INLINE void transpose_block(const double* from, std::ptrdiff_t from_stride, double* to,
                                           std::ptrdiff_t to_stride) {
  const __m256d r0 = _mm256_loadu_pd(from);
  const __m256d r1 = _mm256_loadu_pd(from + from_stride);
  const __m256d r2 = _mm256_loadu_pd(from + 2 * from_stride);
  const __m256d r3 = _mm256_loadu_pd(from + 3 * from_stride);
  const __m256d low01 = _mm256_unpacklo_pd(r0, r1);
  const __m256d high01 = _mm256_unpackhi_pd(r0, r1);
  const __m256d low23 = _mm256_unpacklo_pd(r2, r3);
  const __m256d high23 = _mm256_unpackhi_pd(r2, r3);
  _mm256_storeu_pd(to, _mm256_permute2f128_pd(low01, low23, 0x20));
  _mm256_storeu_pd(to + to_stride, _mm256_permute2f128_pd(high01, high23, 0x20));
  _mm256_storeu_pd(to + 2 * to_stride, _mm256_permute2f128_pd(low01, low23, 0x31));
  _mm256_storeu_pd(to + 3 * to_stride, _mm256_permute2f128_pd(high01, high23, 0x31));
}

#endif

template <class Scalar>
HOURGLASS_INLINE void transpose_block_by_element(const Scalar* from, std::ptrdiff_t from_stride, Scalar* to,
                                                 std::ptrdiff_t to_stride) {
  for (std::ptrdiff_t i = 0; i < transpose_side<Scalar>; ++i)
    for (std::ptrdiff_t j = 0; j < transpose_side<Scalar>; ++j) to[i * to_stride + j] = from[j * from_stride + i];
}

}  // namespace hourglass::detail
