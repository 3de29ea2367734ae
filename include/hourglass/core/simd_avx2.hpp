// AVX2 vectors: 32 bytes in one register.
#pragma once

#include "hourglass/core/simd_target.hpp"

#ifdef HOURGLASS_X86

#include <immintrin.h>

#include <cstddef>

namespace hourglass::simd {

template <>
struct Vector<float, Avx2> {
  using Scalar = float;
  using Tier = Avx2;
  static constexpr std::ptrdiff_t lanes = 8;

  struct Mask {
    __m256 value;
    HOURGLASS_AVX2_INLINE friend Mask operator&(Mask a, Mask b) { return {_mm256_and_ps(a.value, b.value)}; }
    HOURGLASS_AVX2_INLINE friend Mask operator|(Mask a, Mask b) { return {_mm256_or_ps(a.value, b.value)}; }
  };

  __m256 value;

  Vector() = default;
  HOURGLASS_AVX2_INLINE Vector(__m256 register_value) : value(register_value) {}  // NOLINT(google-explicit-constructor)
  HOURGLASS_AVX2_INLINE explicit Vector(float scalar) : value(_mm256_set1_ps(scalar)) {}
  /// The `count` first lanes; load gives zero in the others and does not touch their memory.
  HOURGLASS_AVX2_INLINE static __m256i first(std::ptrdiff_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  HOURGLASS_AVX2_INLINE static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  HOURGLASS_AVX2_INLINE static Vector load(const float* p, std::ptrdiff_t count) {
    return count >= lanes ? load(p) : Vector(_mm256_maskload_ps(p, first(count)));
  }
  HOURGLASS_AVX2_INLINE void store(float* p) const { _mm256_storeu_ps(p, value); }
  // Some processors take twenty cycles for a masked store.
  HOURGLASS_AVX2_INLINE void store(float* p, std::ptrdiff_t count) const {
    if (count >= lanes)
      store(p);
    else
      _mm256_maskstore_ps(p, first(count), value);
  }

  HOURGLASS_AVX2_INLINE friend Vector operator+(Vector a, Vector b) { return _mm256_add_ps(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator-(Vector a, Vector b) { return _mm256_sub_ps(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator*(Vector a, Vector b) { return _mm256_mul_ps(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator/(Vector a, Vector b) { return _mm256_div_ps(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator-(Vector a) { return _mm256_xor_ps(a.value, _mm256_set1_ps(-0.0f)); }
  /// a * b + c, rounded once.
  HOURGLASS_AVX2_INLINE friend Vector fma(Vector a, Vector b, Vector c) {
    return _mm256_fmadd_ps(a.value, b.value, c.value);
  }
  /// a < b ? a : b, and a > b ? a : b.
  HOURGLASS_AVX2_INLINE friend Vector min(Vector a, Vector b) { return _mm256_min_ps(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector max(Vector a, Vector b) { return _mm256_max_ps(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector sqrt(Vector a) { return _mm256_sqrt_ps(a.value); }
  HOURGLASS_AVX2_INLINE friend Vector abs(Vector a) {
    return _mm256_and_ps(a.value, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
  }

  HOURGLASS_AVX2_INLINE friend Mask operator<(Vector a, Vector b) {
    return {_mm256_cmp_ps(a.value, b.value, _CMP_LT_OQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator<=(Vector a, Vector b) {
    return {_mm256_cmp_ps(a.value, b.value, _CMP_LE_OQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator==(Vector a, Vector b) {
    return {_mm256_cmp_ps(a.value, b.value, _CMP_EQ_OQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator!=(Vector a, Vector b) {
    return {_mm256_cmp_ps(a.value, b.value, _CMP_NEQ_UQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_AVX2_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_AVX2_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    return _mm256_blendv_ps(no.value, yes.value, m.value);
  }
  HOURGLASS_AVX2_INLINE friend bool any(Mask m) { return _mm256_movemask_ps(m.value) != 0; }

  /// The same lanes as integers of 32 bits.
  struct Bits {
    __m256i value;
    HOURGLASS_AVX2_INLINE Bits(__m256i register_value)
        : value(register_value) {}  // NOLINT(google-explicit-constructor)
    HOURGLASS_AVX2_INLINE explicit Bits(int scalar) : value(_mm256_set1_epi32(scalar)) {}
    HOURGLASS_AVX2_INLINE friend Bits operator+(Bits a, Bits b) { return _mm256_add_epi32(a.value, b.value); }
    HOURGLASS_AVX2_INLINE friend Bits operator-(Bits a, Bits b) { return _mm256_sub_epi32(a.value, b.value); }
    HOURGLASS_AVX2_INLINE friend Bits operator&(Bits a, Bits b) { return _mm256_and_si256(a.value, b.value); }
    HOURGLASS_AVX2_INLINE friend Bits operator|(Bits a, Bits b) { return _mm256_or_si256(a.value, b.value); }
    HOURGLASS_AVX2_INLINE friend Bits operator^(Bits a, Bits b) { return _mm256_xor_si256(a.value, b.value); }
    template <int count>
    HOURGLASS_AVX2_INLINE Bits shift_left() const {
      return _mm256_slli_epi32(value, count);
    }
    /// Arithmetic: the sign is shifted in.
    template <int count>
    HOURGLASS_AVX2_INLINE Bits shift_right() const {
      return _mm256_srai_epi32(value, count);
    }
    /// Eight unsigned bytes.
    HOURGLASS_AVX2_INLINE static Bits load_bytes(const unsigned char* p) {
      return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    }
    HOURGLASS_AVX2_INLINE Vector to_float() const { return _mm256_cvtepi32_ps(value); }
  };
  HOURGLASS_AVX2_INLINE Bits bits() const { return _mm256_castps_si256(value); }
  HOURGLASS_AVX2_INLINE static Vector from_bits(Bits bits) { return _mm256_castsi256_ps(bits.value); }
};

template <>
struct Vector<double, Avx2> {
  using Scalar = double;
  using Tier = Avx2;
  static constexpr std::ptrdiff_t lanes = 4;

  struct Mask {
    __m256d value;
    HOURGLASS_AVX2_INLINE friend Mask operator&(Mask a, Mask b) { return {_mm256_and_pd(a.value, b.value)}; }
    HOURGLASS_AVX2_INLINE friend Mask operator|(Mask a, Mask b) { return {_mm256_or_pd(a.value, b.value)}; }
  };

  __m256d value;

  Vector() = default;
  HOURGLASS_AVX2_INLINE Vector(__m256d register_value)
      : value(register_value) {}  // NOLINT(google-explicit-constructor)
  HOURGLASS_AVX2_INLINE explicit Vector(double scalar) : value(_mm256_set1_pd(scalar)) {}
  /// The `count` first lanes; load gives zero in the others and does not touch their memory.
  HOURGLASS_AVX2_INLINE static __m256i first(std::ptrdiff_t count) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  HOURGLASS_AVX2_INLINE static Vector load(const double* p) { return _mm256_loadu_pd(p); }
  HOURGLASS_AVX2_INLINE static Vector load(const double* p, std::ptrdiff_t count) {
    return count >= lanes ? load(p) : Vector(_mm256_maskload_pd(p, first(count)));
  }
  HOURGLASS_AVX2_INLINE void store(double* p) const { _mm256_storeu_pd(p, value); }
  // Some processors take twenty cycles for a masked store.
  HOURGLASS_AVX2_INLINE void store(double* p, std::ptrdiff_t count) const {
    if (count >= lanes)
      store(p);
    else
      _mm256_maskstore_pd(p, first(count), value);
  }

  HOURGLASS_AVX2_INLINE friend Vector operator+(Vector a, Vector b) { return _mm256_add_pd(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator-(Vector a, Vector b) { return _mm256_sub_pd(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator*(Vector a, Vector b) { return _mm256_mul_pd(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator/(Vector a, Vector b) { return _mm256_div_pd(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector operator-(Vector a) { return _mm256_xor_pd(a.value, _mm256_set1_pd(-0.0)); }
  /// a * b + c, rounded once.
  HOURGLASS_AVX2_INLINE friend Vector fma(Vector a, Vector b, Vector c) {
    return _mm256_fmadd_pd(a.value, b.value, c.value);
  }
  /// a < b ? a : b, and a > b ? a : b.
  HOURGLASS_AVX2_INLINE friend Vector min(Vector a, Vector b) { return _mm256_min_pd(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector max(Vector a, Vector b) { return _mm256_max_pd(a.value, b.value); }
  HOURGLASS_AVX2_INLINE friend Vector sqrt(Vector a) { return _mm256_sqrt_pd(a.value); }
  HOURGLASS_AVX2_INLINE friend Vector abs(Vector a) {
    return _mm256_and_pd(a.value, _mm256_castsi256_pd(_mm256_set1_epi64x(0x7fffffffffffffff)));
  }

  HOURGLASS_AVX2_INLINE friend Mask operator<(Vector a, Vector b) {
    return {_mm256_cmp_pd(a.value, b.value, _CMP_LT_OQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator<=(Vector a, Vector b) {
    return {_mm256_cmp_pd(a.value, b.value, _CMP_LE_OQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator==(Vector a, Vector b) {
    return {_mm256_cmp_pd(a.value, b.value, _CMP_EQ_OQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator!=(Vector a, Vector b) {
    return {_mm256_cmp_pd(a.value, b.value, _CMP_NEQ_UQ)};
  }
  HOURGLASS_AVX2_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_AVX2_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_AVX2_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    return _mm256_blendv_pd(no.value, yes.value, m.value);
  }
  HOURGLASS_AVX2_INLINE friend bool any(Mask m) { return _mm256_movemask_pd(m.value) != 0; }
};

}  // namespace hourglass::simd

#endif
