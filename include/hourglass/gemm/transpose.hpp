// Transposing a block of a matrix through registers.
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

/// Terms of a sum that fit into 16 bytes: so many are read at a time from a column whose elements are contiguous.
template <class Scalar>
inline constexpr std::ptrdiff_t across_terms = 16 / static_cast<std::ptrdiff_t>(sizeof(Scalar));

/// Pieces of 16 bytes in a vector; one where it is shorter.
template <class V>
inline constexpr std::ptrdiff_t across_pieces =
    V::lanes < across_terms<typename V::Scalar> ? 1 : V::lanes / across_terms<typename V::Scalar>;

// load_across: terms[q] holds from[piece][j * stride + q] in lane j of a piece, for q < across_terms. Pieces from
// different columns are put side by side in such an order that no shuffle after that crosses from one to another. A
// pointer for each piece, and offsets that fit into an address, keep the integer registers from running out.

#ifdef HOURGLASS_X86

HOURGLASS_AVX512_INLINE __m512 load_pieces(const float* const (&from)[4], std::ptrdiff_t offset) {
  __m512 pieces = _mm512_castps128_ps512(_mm_loadu_ps(from[0] + offset));
  pieces = _mm512_insertf32x4(pieces, _mm_loadu_ps(from[1] + offset), 1);
  pieces = _mm512_insertf32x4(pieces, _mm_loadu_ps(from[2] + offset), 2);
  return _mm512_insertf32x4(pieces, _mm_loadu_ps(from[3] + offset), 3);
}

HOURGLASS_AVX512_INLINE __m512d load_pieces(const double* const (&from)[4], std::ptrdiff_t offset) {
  __m512 pieces = _mm512_castps128_ps512(_mm_castpd_ps(_mm_loadu_pd(from[0] + offset)));
  pieces = _mm512_insertf32x4(pieces, _mm_castpd_ps(_mm_loadu_pd(from[1] + offset)), 1);
  pieces = _mm512_insertf32x4(pieces, _mm_castpd_ps(_mm_loadu_pd(from[2] + offset)), 2);
  return _mm512_castps_pd(_mm512_insertf32x4(pieces, _mm_castpd_ps(_mm_loadu_pd(from[3] + offset)), 3));
}

HOURGLASS_AVX2_INLINE __m256 load_pieces(const float* const (&from)[2], std::ptrdiff_t offset) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from[0] + offset)), _mm_loadu_ps(from[1] + offset),
                              1);
}

HOURGLASS_AVX2_INLINE __m256d load_pieces(const double* const (&from)[2], std::ptrdiff_t offset) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from[0] + offset)), _mm_loadu_pd(from[1] + offset),
                              1);
}

HOURGLASS_AVX512_INLINE void load_across(const float* const (&from)[4], std::ptrdiff_t stride,
                                         simd::Vector<float, simd::Avx512> (&terms)[4]) {
  constexpr __mmask16 all = 0xffff;
  const __m512 c0 = load_pieces(from, 0);
  const __m512 c1 = load_pieces(from, stride);
  const __m512 c2 = load_pieces(from, 2 * stride);
  const __m512 c3 = load_pieces(from, 3 * stride);
  const __m512 low01 = _mm512_maskz_unpacklo_ps(all, c0, c1);
  const __m512 high01 = _mm512_maskz_unpackhi_ps(all, c0, c1);
  const __m512 low23 = _mm512_maskz_unpacklo_ps(all, c2, c3);
  const __m512 high23 = _mm512_maskz_unpackhi_ps(all, c2, c3);
  terms[0] = _mm512_maskz_shuffle_ps(all, low01, low23, 0x44);
  terms[1] = _mm512_maskz_shuffle_ps(all, low01, low23, 0xee);
  terms[2] = _mm512_maskz_shuffle_ps(all, high01, high23, 0x44);
  terms[3] = _mm512_maskz_shuffle_ps(all, high01, high23, 0xee);
}

HOURGLASS_AVX512_INLINE void load_across(const double* const (&from)[4], std::ptrdiff_t stride,
                                         simd::Vector<double, simd::Avx512> (&terms)[2]) {
  constexpr __mmask8 all = 0xff;
  const __m512d c0 = load_pieces(from, 0);
  const __m512d c1 = load_pieces(from, stride);
  terms[0] = _mm512_maskz_unpacklo_pd(all, c0, c1);
  terms[1] = _mm512_maskz_unpackhi_pd(all, c0, c1);
}

HOURGLASS_AVX2_INLINE void load_across(const float* const (&from)[2], std::ptrdiff_t stride,
                                       simd::Vector<float, simd::Avx2> (&terms)[4]) {
  const __m256 c0 = load_pieces(from, 0);
  const __m256 c1 = load_pieces(from, stride);
  const __m256 c2 = load_pieces(from, 2 * stride);
  const __m256 c3 = load_pieces(from, 3 * stride);
  const __m256 low01 = _mm256_unpacklo_ps(c0, c1);
  const __m256 high01 = _mm256_unpackhi_ps(c0, c1);
  const __m256 low23 = _mm256_unpacklo_ps(c2, c3);
  const __m256 high23 = _mm256_unpackhi_ps(c2, c3);
  terms[0] = _mm256_shuffle_ps(low01, low23, 0x44);
  terms[1] = _mm256_shuffle_ps(low01, low23, 0xee);
  terms[2] = _mm256_shuffle_ps(high01, high23, 0x44);
  terms[3] = _mm256_shuffle_ps(high01, high23, 0xee);
}

HOURGLASS_AVX2_INLINE void load_across(const double* const (&from)[2], std::ptrdiff_t stride,
                                       simd::Vector<double, simd::Avx2> (&terms)[2]) {
  const __m256d c0 = load_pieces(from, 0);
  const __m256d c1 = load_pieces(from, stride);
  terms[0] = _mm256_unpacklo_pd(c0, c1);
  terms[1] = _mm256_unpackhi_pd(c0, c1);
}

#endif

#ifdef HOURGLASS_ARM64

HOURGLASS_INLINE void load_across(const float* const (&from)[1], std::ptrdiff_t stride,
                                  simd::Vector<float, simd::Neon> (&terms)[4]) {
  const float32x4x2_t even = vzipq_f32(vld1q_f32(from[0]), vld1q_f32(from[0] + 2 * stride));
  const float32x4x2_t odd = vzipq_f32(vld1q_f32(from[0] + stride), vld1q_f32(from[0] + 3 * stride));
  const float32x4x2_t low = vzipq_f32(even.val[0], odd.val[0]);
  const float32x4x2_t high = vzipq_f32(even.val[1], odd.val[1]);
  terms[0] = low.val[0];
  terms[1] = low.val[1];
  terms[2] = high.val[0];
  terms[3] = high.val[1];
}

HOURGLASS_INLINE void load_across(const double* const (&from)[1], std::ptrdiff_t stride,
                                  simd::Vector<double, simd::Neon> (&terms)[2]) {
  const float64x2_t c0 = vld1q_f64(from[0]);
  const float64x2_t c1 = vld1q_f64(from[0] + stride);
  terms[0] = vzip1q_f64(c0, c1);
  terms[1] = vzip2q_f64(c0, c1);
}

#endif

template <class Scalar, std::ptrdiff_t count>
HOURGLASS_INLINE void load_across(const Scalar* const (&from)[1], std::ptrdiff_t stride,
                                  simd::Vector<Scalar, simd::Baseline> (&terms)[count]) {
  using V = simd::Vector<Scalar, simd::Baseline>;
  Scalar lane[count][V::lanes];
  for (std::ptrdiff_t j = 0; j < V::lanes; ++j)
    for (std::ptrdiff_t q = 0; q < count; ++q) lane[q][j] = from[0][j * stride + q];
  for (std::ptrdiff_t q = 0; q < count; ++q) terms[q] = V::load(lane[q]);
}

}  // namespace hourglass::detail
