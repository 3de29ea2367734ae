// Portable vectors: 16 bytes of the vector type that gcc and clang have on every machine (SSE2, WebAssembly).
#pragma once

#include "hourglass/core/simd_target.hpp"

#ifdef __GNUC__

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace hourglass::simd {

namespace detail {

// Named types: gcc forgets the attribute of one that depends on a template parameter.
using Float4 [[gnu::vector_size(16)]] = float;
using Double2 [[gnu::vector_size(16)]] = double;
using Int4 [[gnu::vector_size(16)]] = std::int32_t;
using Int2 [[gnu::vector_size(16)]] = std::int64_t;
template <class Scalar>
struct PortableRegister {
  Float4 floats;
  Int4 integers;
};
template <>
struct PortableRegister<double> {
  Double2 floats;
  Int2 integers;
};

}  // namespace detail

template <class Scalar_>
struct Vector<Scalar_, Portable> {
  using Scalar = Scalar_;
  using Tier = Portable;
  using Integer = std::conditional_t<sizeof(Scalar) == 4, std::int32_t, std::int64_t>;
  using Register = decltype(detail::PortableRegister<Scalar>::floats);
  using IntegerRegister = decltype(detail::PortableRegister<Scalar>::integers);
  static constexpr std::ptrdiff_t lanes = 16 / sizeof(Scalar);

  struct Mask {
    IntegerRegister value;
    HOURGLASS_INLINE friend Mask operator&(Mask a, Mask b) { return {a.value & b.value}; }
    HOURGLASS_INLINE friend Mask operator|(Mask a, Mask b) { return {a.value | b.value}; }
  };

  Register value;

  Vector() = default;
  HOURGLASS_INLINE Vector(Register register_value) : value(register_value) {}  // NOLINT(google-explicit-constructor)
  HOURGLASS_INLINE explicit Vector(Scalar scalar) : value(Register{} + scalar) {}
  HOURGLASS_INLINE static Vector load(const Scalar* p) {
    Register r;
    std::memcpy(&r, p, sizeof(r));
    return r;
  }
  /// The `count` first lanes; load gives zero in the others and does not touch their memory.
  HOURGLASS_INLINE static Vector load(const Scalar* p, std::ptrdiff_t count) {
    if (count >= lanes) return load(p);
    Register r{};
    for (std::ptrdiff_t i = 0; i < lanes; ++i)
      if (i < count) r[i] = p[i];
    return r;
  }
  HOURGLASS_INLINE void store(Scalar* p) const { std::memcpy(p, &value, sizeof(value)); }
  HOURGLASS_INLINE void store(Scalar* p, std::ptrdiff_t count) const {
    if (count >= lanes) return store(p);
    for (std::ptrdiff_t i = 0; i < lanes; ++i)
      if (i < count) p[i] = value[i];
  }

  HOURGLASS_INLINE friend Vector operator+(Vector a, Vector b) { return a.value + b.value; }
  HOURGLASS_INLINE friend Vector operator-(Vector a, Vector b) { return a.value - b.value; }
  HOURGLASS_INLINE friend Vector operator*(Vector a, Vector b) { return a.value * b.value; }
  HOURGLASS_INLINE friend Vector operator/(Vector a, Vector b) { return a.value / b.value; }
  HOURGLASS_INLINE friend Vector operator-(Vector a) { return -a.value; }
  /// a * b + c, rounded twice unless the compiler was told that the machine can do better.
  HOURGLASS_INLINE friend Vector fma(Vector a, Vector b, Vector c) { return a.value * b.value + c.value; }
  /// a < b ? a : b, and a > b ? a : b.
  HOURGLASS_INLINE friend Vector min(Vector a, Vector b) { return select(a < b, a, b); }
  HOURGLASS_INLINE friend Vector max(Vector a, Vector b) { return select(a > b, a, b); }
  HOURGLASS_INLINE friend Vector sqrt(Vector a) {
    for (std::ptrdiff_t i = 0; i < lanes; ++i) a.value[i] = std::sqrt(a.value[i]);
    return a;
  }
  HOURGLASS_INLINE friend Vector abs(Vector a) { return select(a < Vector(Scalar(0)), -a, a + Vector(Scalar(0))); }

  HOURGLASS_INLINE friend Mask operator<(Vector a, Vector b) { return {a.value < b.value}; }
  HOURGLASS_INLINE friend Mask operator<=(Vector a, Vector b) { return {a.value <= b.value}; }
  HOURGLASS_INLINE friend Mask operator==(Vector a, Vector b) { return {a.value == b.value}; }
  HOURGLASS_INLINE friend Mask operator!=(Vector a, Vector b) { return {a.value != b.value}; }
  HOURGLASS_INLINE friend Mask operator>(Vector a, Vector b) { return b < a; }
  HOURGLASS_INLINE friend Mask operator>=(Vector a, Vector b) { return b <= a; }
  HOURGLASS_INLINE friend Vector select(Mask m, Vector yes, Vector no) {
    const auto y = std::bit_cast<IntegerRegister>(yes.value);
    const auto n = std::bit_cast<IntegerRegister>(no.value);
    return std::bit_cast<Register>((y & m.value) | (n & ~m.value));
  }
  HOURGLASS_INLINE friend bool any(Mask m) {
    Integer set = 0;
    for (std::ptrdiff_t i = 0; i < lanes; ++i) set |= m.value[i];
    return set != 0;
  }

  /// The same lanes as integers.
  struct Bits {
    IntegerRegister value;
    HOURGLASS_INLINE Bits(IntegerRegister register_value) : value(register_value) {}  // NOLINT
    HOURGLASS_INLINE explicit Bits(int scalar) : value(IntegerRegister{} + scalar) {}
    HOURGLASS_INLINE friend Bits operator+(Bits a, Bits b) { return a.value + b.value; }
    HOURGLASS_INLINE friend Bits operator-(Bits a, Bits b) { return a.value - b.value; }
    HOURGLASS_INLINE friend Bits operator&(Bits a, Bits b) { return a.value & b.value; }
    HOURGLASS_INLINE friend Bits operator|(Bits a, Bits b) { return a.value | b.value; }
    HOURGLASS_INLINE friend Bits operator^(Bits a, Bits b) { return a.value ^ b.value; }
    template <int count>
    HOURGLASS_INLINE Bits shift_left() const {
      return value << count;
    }
    /// Arithmetic: the sign is shifted in.
    template <int count>
    HOURGLASS_INLINE Bits shift_right() const {
      return value >> count;
    }
    HOURGLASS_INLINE Vector to_float() const { return __builtin_convertvector(value, Register); }
  };
  HOURGLASS_INLINE Bits bits() const { return std::bit_cast<IntegerRegister>(value); }
  HOURGLASS_INLINE static Vector from_bits(Bits bits) { return std::bit_cast<Register>(bits.value); }
};

}  // namespace hourglass::simd

#endif
