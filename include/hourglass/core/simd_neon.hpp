// NEON vectors: 16 bytes in one register, multiply and add fused.
#pragma once

#include "hourglass/core/simd_target.hpp"

#ifdef HOURGLASS_ARM64

#include <arm_neon.h>

#include <cstddef>

namespace hourglass::simd {

namespace detail {

/// The same mask, whose origin clang does not see. It turns `a > b ? a : b` with a constant, once a select is all that
/// is left of it, into an instruction that treats signalling NaN and the sign of zero otherwise.
template <class Register>
HOURGLASS_INLINE Register opaque(Register mask) {
#ifdef __clang__
  asm("" : "+w"(mask));
#endif
  return mask;
}

}  // namespace detail

template <>
struct Vector<float, Neon> {
  using Scalar = float;
  using Tier = Neon;
  static constexpr std::ptrdiff_t lanes = 4;

  struct Mask {
    uint32x4_t value;
    HOURGLASS_INLINE friend Mask operator&(Mask a, Mask b) { return {vandq_u32(a.value, b.value)}; }
    HOURGLASS_INLINE friend Mask operator|(Mask a, Mask b) { return {vorrq_u32(a.value, b.value)}; }
  };

  float32x4_t value;

  Vector() = default;
  HOURGLASS_INLINE Vector(float32x4_t register_value) : value(register_value) {}  // NOLINT(google-explicit-constructor)
  HOURGLASS_INLINE explicit Vector(float scalar) : value(vdupq_n_f32(scalar)) {}
  HOURGLASS_INLINE static Vector load(const float* p) { return vld1q_f32(p); }
  /// The `count` first lanes; load gives zero in the others and does not touch their memory.
  HOURGLASS_INLINE static Vector load(const float* p, std::ptrdiff_t count) {
    if (count >= lanes) return load(p);
    float lane[lanes] = {};
    for (std::ptrdiff_t i = 0; i < lanes; ++i)
      if (i < count) lane[i] = p[i];
    return vld1q_f32(lane);
  }
  HOURGLASS_INLINE void store(float* p) const { vst1q_f32(p, value); }
  HOURGLASS_INLINE void store(float* p, std::ptrdiff_t count) const {
    if (count >= lanes) return store(p);
    float lane[lanes];
    vst1q_f32(lane, value);
    for (std::ptrdiff_t i = 0; i < lanes; ++i)
      if (i < count) p[i] = lane[i];
  }

  HOURGLASS_INLINE friend Vector operator+(Vector a, Vector b) { return vaddq_f32(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator-(Vector a, Vector b) { return vsubq_f32(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator*(Vector a, Vector b) { return vmulq_f32(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator/(Vector a, Vector b) { return vdivq_f32(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator-(Vector a) { return vnegq_f32(a.value); }
  /// a * b + c, rounded once.
  HOURGLASS_INLINE friend Vector fma(Vector a, Vector b, Vector c) { return vfmaq_f32(c.value, a.value, b.value); }
  /// a < b ? a : b, and a > b ? a : b (NEON's own minimum treats NaN otherwise).
  HOURGLASS_INLINE friend Vector min(Vector a, Vector b) { return flushed(select(a < b, a, b)); }
  HOURGLASS_INLINE friend Vector max(Vector a, Vector b) { return flushed(select(a > b, a, b)); }
  /// What counts as zero becomes zero, its sign apart. Other instruction sets do that to a denormal minimum or maximum.
  HOURGLASS_INLINE static Vector flushed(Vector a) {
    const uint32x4_t rest = vandq_u32(vceqzq_f32(a.value), vdupq_n_u32(0x7fffffffu));
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a.value), rest));
  }
  HOURGLASS_INLINE friend Vector sqrt(Vector a) { return vsqrtq_f32(a.value); }
  HOURGLASS_INLINE friend Vector abs(Vector a) { return vabsq_f32(a.value); }

  HOURGLASS_INLINE friend Mask operator<(Vector a, Vector b) { return {vcltq_f32(a.value, b.value)}; }
  HOURGLASS_INLINE friend Mask operator<=(Vector a, Vector b) { return {vcleq_f32(a.value, b.value)}; }
  HOURGLASS_INLINE friend Mask operator==(Vector a, Vector b) { return {vceqq_f32(a.value, b.value)}; }
  HOURGLASS_INLINE friend Mask operator!=(Vector a, Vector b) { return {vmvnq_u32(vceqq_f32(a.value, b.value))}; }
  HOURGLASS_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    return vbslq_f32(detail::opaque(m.value), yes.value, no.value);
  }
  HOURGLASS_INLINE friend bool any(Mask m) { return vmaxvq_u32(m.value) != 0; }

  /// The same lanes as integers of 32 bits.
  struct Bits {
    int32x4_t value;
    HOURGLASS_INLINE Bits(int32x4_t register_value) : value(register_value) {}  // NOLINT(google-explicit-constructor)
    HOURGLASS_INLINE explicit Bits(int scalar) : value(vdupq_n_s32(scalar)) {}
    HOURGLASS_INLINE friend Bits operator+(Bits a, Bits b) { return vaddq_s32(a.value, b.value); }
    HOURGLASS_INLINE friend Bits operator-(Bits a, Bits b) { return vsubq_s32(a.value, b.value); }
    HOURGLASS_INLINE friend Bits operator&(Bits a, Bits b) { return vandq_s32(a.value, b.value); }
    HOURGLASS_INLINE friend Bits operator|(Bits a, Bits b) { return vorrq_s32(a.value, b.value); }
    HOURGLASS_INLINE friend Bits operator^(Bits a, Bits b) { return veorq_s32(a.value, b.value); }
    template <int count>
    HOURGLASS_INLINE Bits shift_left() const {
      return vshlq_n_s32(value, count);
    }
    /// Arithmetic: the sign is shifted in.
    template <int count>
    HOURGLASS_INLINE Bits shift_right() const {
      return vshrq_n_s32(value, count);
    }
    HOURGLASS_INLINE Vector to_float() const { return vcvtq_f32_s32(value); }
  };
  HOURGLASS_INLINE Bits bits() const { return vreinterpretq_s32_f32(value); }
  HOURGLASS_INLINE static Vector from_bits(Bits bits) { return vreinterpretq_f32_s32(bits.value); }
};

template <>
struct Vector<double, Neon> {
  using Scalar = double;
  using Tier = Neon;
  static constexpr std::ptrdiff_t lanes = 2;

  struct Mask {
    uint64x2_t value;
    HOURGLASS_INLINE friend Mask operator&(Mask a, Mask b) { return {vandq_u64(a.value, b.value)}; }
    HOURGLASS_INLINE friend Mask operator|(Mask a, Mask b) { return {vorrq_u64(a.value, b.value)}; }
  };

  float64x2_t value;

  Vector() = default;
  HOURGLASS_INLINE Vector(float64x2_t register_value) : value(register_value) {}  // NOLINT(google-explicit-constructor)
  HOURGLASS_INLINE explicit Vector(double scalar) : value(vdupq_n_f64(scalar)) {}
  HOURGLASS_INLINE static Vector load(const double* p) { return vld1q_f64(p); }
  /// The `count` first lanes; load gives zero in the others and does not touch their memory.
  HOURGLASS_INLINE static Vector load(const double* p, std::ptrdiff_t count) {
    if (count >= lanes) return load(p);
    double lane[lanes] = {};
    for (std::ptrdiff_t i = 0; i < lanes; ++i)
      if (i < count) lane[i] = p[i];
    return vld1q_f64(lane);
  }
  HOURGLASS_INLINE void store(double* p) const { vst1q_f64(p, value); }
  HOURGLASS_INLINE void store(double* p, std::ptrdiff_t count) const {
    if (count >= lanes) return store(p);
    double lane[lanes];
    vst1q_f64(lane, value);
    for (std::ptrdiff_t i = 0; i < lanes; ++i)
      if (i < count) p[i] = lane[i];
  }

  HOURGLASS_INLINE friend Vector operator+(Vector a, Vector b) { return vaddq_f64(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator-(Vector a, Vector b) { return vsubq_f64(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator*(Vector a, Vector b) { return vmulq_f64(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator/(Vector a, Vector b) { return vdivq_f64(a.value, b.value); }
  HOURGLASS_INLINE friend Vector operator-(Vector a) { return vnegq_f64(a.value); }
  /// a * b + c, rounded once.
  HOURGLASS_INLINE friend Vector fma(Vector a, Vector b, Vector c) { return vfmaq_f64(c.value, a.value, b.value); }
  /// a < b ? a : b, and a > b ? a : b (NEON's own minimum treats NaN otherwise).
  HOURGLASS_INLINE friend Vector min(Vector a, Vector b) { return flushed(select(a < b, a, b)); }
  HOURGLASS_INLINE friend Vector max(Vector a, Vector b) { return flushed(select(a > b, a, b)); }
  /// What counts as zero becomes zero, its sign apart. Other instruction sets do that to a denormal minimum or maximum.
  HOURGLASS_INLINE static Vector flushed(Vector a) {
    const uint64x2_t rest = vandq_u64(vceqzq_f64(a.value), vdupq_n_u64(0x7fffffffffffffffu));
    return vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(a.value), rest));
  }
  HOURGLASS_INLINE friend Vector sqrt(Vector a) { return vsqrtq_f64(a.value); }
  HOURGLASS_INLINE friend Vector abs(Vector a) { return vabsq_f64(a.value); }

  HOURGLASS_INLINE friend Mask operator<(Vector a, Vector b) { return {vcltq_f64(a.value, b.value)}; }
  HOURGLASS_INLINE friend Mask operator<=(Vector a, Vector b) { return {vcleq_f64(a.value, b.value)}; }
  HOURGLASS_INLINE friend Mask operator==(Vector a, Vector b) { return {vceqq_f64(a.value, b.value)}; }
  HOURGLASS_INLINE friend Mask operator!=(Vector a, Vector b) {
    return {veorq_u64(vceqq_f64(a.value, b.value), vdupq_n_u64(~0ull))};
  }
  HOURGLASS_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    return vbslq_f64(detail::opaque(m.value), yes.value, no.value);
  }
  HOURGLASS_INLINE friend bool any(Mask m) { return (vgetq_lane_u64(m.value, 0) | vgetq_lane_u64(m.value, 1)) != 0; }
};

}  // namespace hourglass::simd

#endif
