// One lane: the same functions for single numbers. Multiply and add are fused on every machine (in software where the
// processor cannot), so that a number computed alone has the bits of one computed in a vector.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hourglass/core/simd_target.hpp"

namespace hourglass::simd {

template <class Scalar_>
struct Vector<Scalar_, Single> {
  using Scalar = Scalar_;
  using Tier = Single;
  static constexpr std::ptrdiff_t lanes = 1;

  struct Mask {
    bool value;
    HOURGLASS_INLINE friend Mask operator&(Mask a, Mask b) { return {a.value && b.value}; }
    HOURGLASS_INLINE friend Mask operator|(Mask a, Mask b) { return {a.value || b.value}; }
  };

  Scalar value;

  Vector() = default;
  HOURGLASS_INLINE explicit Vector(Scalar scalar) : value(scalar) {}
  HOURGLASS_INLINE static Vector load(const Scalar* p) { return Vector(*p); }
  HOURGLASS_INLINE static Vector load(const Scalar* p, std::ptrdiff_t) { return Vector(*p); }
  HOURGLASS_INLINE void store(Scalar* p) const { *p = value; }
  HOURGLASS_INLINE void store(Scalar* p, std::ptrdiff_t) const { *p = value; }

  HOURGLASS_INLINE friend Vector operator+(Vector a, Vector b) { return Vector(a.value + b.value); }
  HOURGLASS_INLINE friend Vector operator-(Vector a, Vector b) { return Vector(a.value - b.value); }
  HOURGLASS_INLINE friend Vector operator*(Vector a, Vector b) { return Vector(a.value * b.value); }
  HOURGLASS_INLINE friend Vector operator/(Vector a, Vector b) { return Vector(a.value / b.value); }
  HOURGLASS_INLINE friend Vector operator-(Vector a) { return Vector(-a.value); }
  HOURGLASS_INLINE friend Vector fma(Vector a, Vector b, Vector c) {
    return Vector(std::fma(a.value, b.value, c.value));
  }
  /// a < b ? a : b, and a > b ? a : b.
  HOURGLASS_INLINE friend Vector min(Vector a, Vector b) { return flushed(select(a < b, a, b)); }
  HOURGLASS_INLINE friend Vector max(Vector a, Vector b) { return flushed(select(a > b, a, b)); }
  /// What counts as zero becomes zero, its sign apart. Vectors do that to a denormal minimum or maximum.
  HOURGLASS_INLINE static Vector flushed(Vector a) {
    return a.value == Scalar(0) ? Vector(std::copysign(Scalar(0), a.value)) : a;
  }
  HOURGLASS_INLINE friend Vector sqrt(Vector a) { return Vector(std::sqrt(a.value)); }
  HOURGLASS_INLINE friend Vector abs(Vector a) { return Vector(std::abs(a.value)); }

  HOURGLASS_INLINE friend Mask operator<(Vector a, Vector b) { return {a.value < b.value}; }
  HOURGLASS_INLINE friend Mask operator<=(Vector a, Vector b) { return {a.value <= b.value}; }
  HOURGLASS_INLINE friend Mask operator==(Vector a, Vector b) { return {a.value == b.value}; }
  HOURGLASS_INLINE friend Mask operator!=(Vector a, Vector b) { return {a.value != b.value}; }
  HOURGLASS_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    int chosen = m.value ? 1 : 0;
#if defined(__clang__) && defined(HOURGLASS_ARM64)
    asm("" : "+r"(chosen));  // as in simd_neon.hpp
#endif
    return chosen != 0 ? yes : no;
  }
  HOURGLASS_INLINE friend bool any(Mask m) { return m.value; }

  /// The same lane as an integer of 32 bits (for float).
  struct Bits {
    std::uint32_t value;
    HOURGLASS_INLINE explicit Bits(int scalar) : value(static_cast<std::uint32_t>(scalar)) {}
    HOURGLASS_INLINE static Bits of(std::uint32_t v) { return Bits(static_cast<int>(v)); }
    HOURGLASS_INLINE friend Bits operator+(Bits a, Bits b) { return of(a.value + b.value); }
    HOURGLASS_INLINE friend Bits operator-(Bits a, Bits b) { return of(a.value - b.value); }
    HOURGLASS_INLINE friend Bits operator&(Bits a, Bits b) { return of(a.value & b.value); }
    HOURGLASS_INLINE friend Bits operator|(Bits a, Bits b) { return of(a.value | b.value); }
    HOURGLASS_INLINE friend Bits operator^(Bits a, Bits b) { return of(a.value ^ b.value); }
    template <int count>
    HOURGLASS_INLINE Bits shift_left() const {
      return of(value << count);
    }
    template <int count>
    HOURGLASS_INLINE Bits shift_right() const {
      return Bits(static_cast<int>(value) >> count);
    }
    HOURGLASS_INLINE Vector to_float() const { return Vector(static_cast<Scalar>(static_cast<int>(value))); }
  };
  HOURGLASS_INLINE Bits bits() const { return Bits(std::bit_cast<int>(value)); }
  HOURGLASS_INLINE static Vector from_bits(Bits bits) { return Vector(std::bit_cast<Scalar>(bits.value)); }
};

}  // namespace hourglass::simd
