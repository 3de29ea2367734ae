// AVX-512 vectors: 64 bytes in one register.
#pragma once

#include "hourglass/core/simd_target.hpp"

#ifdef HOURGLASS_X86

#include <immintrin.h>

#include <cstddef>

namespace hourglass::simd {

template <>
struct Vector<float, Avx512> {
  using Scalar = float;
  using Tier = Avx512;
  static constexpr std::ptrdiff_t lanes = 16;
  // Masked forms where the plain intrinsic makes gcc 12 warn of an uninitialised value (bug 105593).
  static constexpr __mmask16 all = 0xffff;

  struct Mask {
    __mmask16 value;
    HOURGLASS_AVX512_INLINE friend Mask operator&(Mask a, Mask b) {
      return {static_cast<__mmask16>(a.value & b.value)};
    }
    HOURGLASS_AVX512_INLINE friend Mask operator|(Mask a, Mask b) {
      return {static_cast<__mmask16>(a.value | b.value)};
    }
  };

  __m512 value;

  Vector() = default;
  HOURGLASS_AVX512_INLINE Vector(__m512 register_value)
      : value(register_value) {}  // NOLINT(google-explicit-constructor)
  HOURGLASS_AVX512_INLINE explicit Vector(float scalar) : value(_mm512_set1_ps(scalar)) {}
  /// The `count` first lanes; load gives zero in the others and does not touch their memory.
  HOURGLASS_AVX512_INLINE static __mmask16 first(std::ptrdiff_t count) {
    return static_cast<__mmask16>((1u << count) - 1u);
  }
  HOURGLASS_AVX512_INLINE static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  HOURGLASS_AVX512_INLINE static Vector load(const float* p, std::ptrdiff_t count) {
    return _mm512_maskz_loadu_ps(first(count), p);
  }
  HOURGLASS_AVX512_INLINE void store(float* p) const { _mm512_storeu_ps(p, value); }
  HOURGLASS_AVX512_INLINE void store(float* p, std::ptrdiff_t count) const {
    _mm512_mask_storeu_ps(p, first(count), value);
  }

  HOURGLASS_AVX512_INLINE friend Vector operator+(Vector a, Vector b) { return _mm512_add_ps(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator-(Vector a, Vector b) { return _mm512_sub_ps(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator*(Vector a, Vector b) { return _mm512_mul_ps(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator/(Vector a, Vector b) { return _mm512_div_ps(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator-(Vector a) {
    return _mm512_castsi512_ps(
        _mm512_xor_si512(_mm512_castps_si512(a.value), _mm512_set1_epi32(static_cast<int>(0x80000000u))));
  }
  /// a * b + c, rounded once.
  HOURGLASS_AVX512_INLINE friend Vector fma(Vector a, Vector b, Vector c) {
    return _mm512_fmadd_ps(a.value, b.value, c.value);
  }
  /// a < b ? a : b, and a > b ? a : b.
  HOURGLASS_AVX512_INLINE friend Vector min(Vector a, Vector b) { return _mm512_maskz_min_ps(all, a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector max(Vector a, Vector b) { return _mm512_maskz_max_ps(all, a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector sqrt(Vector a) { return _mm512_maskz_sqrt_ps(all, a.value); }
  HOURGLASS_AVX512_INLINE friend Vector abs(Vector a) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.value), _mm512_set1_epi32(0x7fffffff)));
  }

  HOURGLASS_AVX512_INLINE friend Mask operator<(Vector a, Vector b) {
    return {_mm512_cmp_ps_mask(a.value, b.value, _CMP_LT_OQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator<=(Vector a, Vector b) {
    return {_mm512_cmp_ps_mask(a.value, b.value, _CMP_LE_OQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator==(Vector a, Vector b) {
    return {_mm512_cmp_ps_mask(a.value, b.value, _CMP_EQ_OQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator!=(Vector a, Vector b) {
    return {_mm512_cmp_ps_mask(a.value, b.value, _CMP_NEQ_UQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_AVX512_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_AVX512_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    return _mm512_mask_blend_ps(m.value, no.value, yes.value);
  }
  HOURGLASS_AVX512_INLINE friend bool any(Mask m) { return m.value != 0; }

  /// The same lanes as integers of 32 bits.
  struct Bits {
    __m512i value;
    HOURGLASS_AVX512_INLINE Bits(__m512i register_value)
        : value(register_value) {}  // NOLINT(google-explicit-constructor)
    HOURGLASS_AVX512_INLINE explicit Bits(int scalar) : value(_mm512_set1_epi32(scalar)) {}
    HOURGLASS_AVX512_INLINE friend Bits operator+(Bits a, Bits b) { return _mm512_add_epi32(a.value, b.value); }
    HOURGLASS_AVX512_INLINE friend Bits operator-(Bits a, Bits b) { return _mm512_sub_epi32(a.value, b.value); }
    HOURGLASS_AVX512_INLINE friend Bits operator&(Bits a, Bits b) { return _mm512_and_si512(a.value, b.value); }
    HOURGLASS_AVX512_INLINE friend Bits operator|(Bits a, Bits b) { return _mm512_or_si512(a.value, b.value); }
    HOURGLASS_AVX512_INLINE friend Bits operator^(Bits a, Bits b) { return _mm512_xor_si512(a.value, b.value); }
    template <int count>
    HOURGLASS_AVX512_INLINE Bits shift_left() const {
      return _mm512_maskz_slli_epi32(all, value, count);
    }
    /// Arithmetic: the sign is shifted in.
    template <int count>
    HOURGLASS_AVX512_INLINE Bits shift_right() const {
      return _mm512_maskz_srai_epi32(all, value, count);
    }
    /// Sixteen unsigned bytes.
    HOURGLASS_AVX512_INLINE static Bits load_bytes(const unsigned char* p) {
      return _mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    HOURGLASS_AVX512_INLINE Vector to_float() const { return _mm512_maskz_cvtepi32_ps(all, value); }
  };
  HOURGLASS_AVX512_INLINE Bits bits() const { return _mm512_castps_si512(value); }
  HOURGLASS_AVX512_INLINE static Vector from_bits(Bits bits) { return _mm512_castsi512_ps(bits.value); }
};

template <>
struct Vector<double, Avx512> {
  using Scalar = double;
  using Tier = Avx512;
  static constexpr std::ptrdiff_t lanes = 8;
  static constexpr __mmask8 all = 0xff;

  struct Mask {
    __mmask8 value;
    HOURGLASS_AVX512_INLINE friend Mask operator&(Mask a, Mask b) { return {static_cast<__mmask8>(a.value & b.value)}; }
    HOURGLASS_AVX512_INLINE friend Mask operator|(Mask a, Mask b) { return {static_cast<__mmask8>(a.value | b.value)}; }
  };

  __m512d value;

  Vector() = default;
  HOURGLASS_AVX512_INLINE Vector(__m512d register_value)
      : value(register_value) {}  // NOLINT(google-explicit-constructor)
  HOURGLASS_AVX512_INLINE explicit Vector(double scalar) : value(_mm512_set1_pd(scalar)) {}
  /// The `count` first lanes; load gives zero in the others and does not touch their memory.
  HOURGLASS_AVX512_INLINE static __mmask8 first(std::ptrdiff_t count) {
    return static_cast<__mmask8>((1u << count) - 1u);
  }
  HOURGLASS_AVX512_INLINE static Vector load(const double* p) { return _mm512_loadu_pd(p); }
  HOURGLASS_AVX512_INLINE static Vector load(const double* p, std::ptrdiff_t count) {
    return _mm512_maskz_loadu_pd(first(count), p);
  }
  HOURGLASS_AVX512_INLINE void store(double* p) const { _mm512_storeu_pd(p, value); }
  HOURGLASS_AVX512_INLINE void store(double* p, std::ptrdiff_t count) const {
    _mm512_mask_storeu_pd(p, first(count), value);
  }

  HOURGLASS_AVX512_INLINE friend Vector operator+(Vector a, Vector b) { return _mm512_add_pd(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator-(Vector a, Vector b) { return _mm512_sub_pd(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator*(Vector a, Vector b) { return _mm512_mul_pd(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator/(Vector a, Vector b) { return _mm512_div_pd(a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector operator-(Vector a) {
    return _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(a.value),
                                                _mm512_set1_epi64(static_cast<long long>(0x8000000000000000ull))));
  }
  /// a * b + c, rounded once.
  HOURGLASS_AVX512_INLINE friend Vector fma(Vector a, Vector b, Vector c) {
    return _mm512_fmadd_pd(a.value, b.value, c.value);
  }
  /// a < b ? a : b, and a > b ? a : b.
  HOURGLASS_AVX512_INLINE friend Vector min(Vector a, Vector b) { return _mm512_maskz_min_pd(all, a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector max(Vector a, Vector b) { return _mm512_maskz_max_pd(all, a.value, b.value); }
  HOURGLASS_AVX512_INLINE friend Vector sqrt(Vector a) { return _mm512_maskz_sqrt_pd(all, a.value); }
  HOURGLASS_AVX512_INLINE friend Vector abs(Vector a) {
    return _mm512_castsi512_pd(_mm512_and_si512(_mm512_castpd_si512(a.value), _mm512_set1_epi64(0x7fffffffffffffff)));
  }

  HOURGLASS_AVX512_INLINE friend Mask operator<(Vector a, Vector b) {
    return {_mm512_cmp_pd_mask(a.value, b.value, _CMP_LT_OQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator<=(Vector a, Vector b) {
    return {_mm512_cmp_pd_mask(a.value, b.value, _CMP_LE_OQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator==(Vector a, Vector b) {
    return {_mm512_cmp_pd_mask(a.value, b.value, _CMP_EQ_OQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator!=(Vector a, Vector b) {
    return {_mm512_cmp_pd_mask(a.value, b.value, _CMP_NEQ_UQ)};
  }
  HOURGLASS_AVX512_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_AVX512_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_AVX512_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    return _mm512_mask_blend_pd(m.value, no.value, yes.value);
  }
  HOURGLASS_AVX512_INLINE friend bool any(Mask m) { return m.value != 0; }
};

}  // namespace hourglass::simd

#endif
