// AVX2 micro-kernel: up to 6 rows of C by up to 2 vectors of 32 bytes, all 12 sums in registers.
#pragma once

#include "hourglass/gemm/isa.hpp"

#ifdef HOURGLASS_X86_KERNELS

#include <immintrin.h>

#include <cstddef>

// One list of features, the same text everywhere, so that functions inline into each other.
#define HOURGLASS_AVX2 __attribute__((target("avx2,fma")))
#define HOURGLASS_AVX2_INLINE __attribute__((target("avx2,fma"), always_inline)) inline

namespace hourglass::detail {

template <class Scalar>
struct Avx2;

template <>
struct Avx2<float> {
  using Register = __m256;
  static constexpr std::ptrdiff_t lanes = 8;
  HOURGLASS_AVX2_INLINE static Register load(const float* p) { return _mm256_loadu_ps(p); }
  HOURGLASS_AVX2_INLINE static Register load_first(const float* p, std::ptrdiff_t count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane));
  }
  HOURGLASS_AVX2_INLINE static Register broadcast(const float* p) { return _mm256_set1_ps(*p); }
  HOURGLASS_AVX2_INLINE static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
  HOURGLASS_AVX2_INLINE static void store(float* p, Register v) { _mm256_store_ps(p, v); }
};

template <>
struct Avx2<double> {
  using Register = __m256d;
  static constexpr std::ptrdiff_t lanes = 4;
  HOURGLASS_AVX2_INLINE static Register load(const double* p) { return _mm256_loadu_pd(p); }
  HOURGLASS_AVX2_INLINE static Register load_first(const double* p, std::ptrdiff_t count) {
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    return _mm256_maskload_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), lane));
  }
  HOURGLASS_AVX2_INLINE static Register broadcast(const double* p) { return _mm256_set1_pd(*p); }
  HOURGLASS_AVX2_INLINE static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_pd(a, b, c); }
  HOURGLASS_AVX2_INLINE static void store(double* p, Register v) { _mm256_store_pd(p, v); }
};

/// Rows and vectors of the largest micro-tile.
struct Avx2Tile {
  static constexpr int rows = 6;
  static constexpr int vectors = 2;
  template <class Scalar>
  static constexpr std::ptrdiff_t lanes = Avx2<Scalar>::lanes;

  /// tile(i, j) = (first ? 0 : tile(i, j)) + sum over p of a[i * a_row + p * a_col] b[p * b_row + j], in ascending p,
  /// for `height` rows and `width` vectors, the last of which has `last` lanes. `tile` is aligned, tile_row apart.
  template <int height, int width, class Scalar>
  HOURGLASS_AVX2 static void multiply(std::ptrdiff_t depth, const Scalar* a, std::ptrdiff_t a_row, std::ptrdiff_t a_col,
                                      const Scalar* b, std::ptrdiff_t b_row, std::ptrdiff_t last, Scalar* tile,
                                      std::ptrdiff_t tile_row, bool first) {
    using V = Avx2<Scalar>;
    typename V::Register sums[height][width];
#pragma GCC unroll 8
    for (int i = 0; i < height; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < width; ++j)
        sums[i][j] = first ? typename V::Register{} : V::load(tile + i * tile_row + j * V::lanes);
    for (std::ptrdiff_t p = 0; p < depth; ++p) {
      typename V::Register row[width];
#pragma GCC unroll 8
      for (int j = 0; j + 1 < width; ++j) row[j] = V::load(b + j * V::lanes);
      row[width - 1] = V::load_first(b + (width - 1) * V::lanes, last);
#pragma GCC unroll 8
      for (int i = 0; i < height; ++i) {
        const typename V::Register factor = V::broadcast(a + i * a_row);
#pragma GCC unroll 8
        for (int j = 0; j < width; ++j) sums[i][j] = V::fma(factor, row[j], sums[i][j]);
      }
      a += a_col;
      b += b_row;
    }
#pragma GCC unroll 8
    for (int i = 0; i < height; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < width; ++j) V::store(tile + i * tile_row + j * V::lanes, sums[i][j]);
  }
};

}  // namespace hourglass::detail

#endif
