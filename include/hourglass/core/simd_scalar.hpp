// The elementary functions of simd_math.hpp for single numbers, with the bits that they have in a vector.
//
// Errors are given there. On machines that must be asked for fused multiply and add (x86 without -mfma) a float
// function takes some 20 ns, a call of std::fma for each step: loops belong into kernels.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/simd_single.hpp"
#include "hourglass/core/simd_target.hpp"

namespace hourglass::math {

/// `condition ? yes : no` by bit masks. Compilers may turn the conditional operator into a branch around the
/// computation of one side, and then no longer vectorise the loop that it stands in.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar select(bool condition, Scalar yes, Scalar no) noexcept {
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  const Bits mask = -static_cast<Bits>(condition);
  return std::bit_cast<Scalar>((std::bit_cast<Bits>(yes) & mask) | (std::bit_cast<Bits>(no) & ~mask));
}

/// e^x.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar exp(Scalar x) noexcept {
  return simd::exp(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// e^x - 1.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar expm1(Scalar x) noexcept {
  return simd::expm1(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// Natural logarithm of a positive, finite, normal number; no promise about any other.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar log_of_normal(Scalar x) noexcept {
  return simd::log_of_normal(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// Natural logarithm; -infinity at zero, NaN below.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar log(Scalar x) noexcept {
  return simd::log(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// log(1 + x); -infinity at -1, NaN below.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar log1p(Scalar x) noexcept {
  return simd::log1p(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// Logistic function 1 / (1 + e^-x).
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar sigmoid(Scalar x) noexcept {
  return simd::sigmoid(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// Hyperbolic tangent.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar tanh(Scalar x) noexcept {
  return simd::tanh(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// log(1 + e^x), finite for every finite x.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar softplus(Scalar x) noexcept {
  return simd::softplus(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// Error function 2/sqrt(pi) * integral of e^(-t^2) from 0 to x.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar erf(Scalar x) noexcept {
  return simd::erf(simd::Vector<Scalar, simd::Single>(x)).value;
}

/// Sine and cosine of 2 pi t for t in [0, 1).
template <std::floating_point Scalar>
inline void sincos_turns(Scalar t, Scalar& sine, Scalar& cosine) noexcept {
  simd::Vector<Scalar, simd::Single> s;
  simd::Vector<Scalar, simd::Single> c;
  simd::sincos_turns(simd::Vector<Scalar, simd::Single>(t), s, c);
  sine = s.value;
  cosine = c.value;
}

}  // namespace hourglass::math
