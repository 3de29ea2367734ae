// Elementary functions for float as plain arithmetic: the same on every machine, branch-free so that compilers
// vectorise them, and used by activations, losses and the random generator alike. The double versions are libm's.
//
// Errors over the whole range, against a double reference: exp and log 2 ULP, tanh, sigmoid and softplus 4 ULP,
// erf 4 ULP. Results below the smallest normal number are flushed to zero. Polynomials: S. Moshier, Cephes.
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace hourglass::math {

/// `condition ? yes : no` by bit masks. Compilers may turn the conditional operator into a branch around the
/// computation of one side, and then no longer vectorise the loop that it stands in.
template <std::floating_point Scalar>
[[nodiscard]] inline Scalar select(bool condition, Scalar yes, Scalar no) noexcept {
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  const Bits mask = -static_cast<Bits>(condition);
  return std::bit_cast<Scalar>((std::bit_cast<Bits>(yes) & mask) | (std::bit_cast<Bits>(no) & ~mask));
}

/// e^x; 0 below -87.33, infinity above 88.72, NaN for NaN.
[[nodiscard]] inline float exp(float x) noexcept {
  constexpr float lowest = -87.3365448f;  // ln of the smallest normal float
  constexpr float highest = 88.7228394f;  // ln of the largest
  const float clamped = select(x < lowest, lowest, select(x > highest, highest, x));
  // n = round(x / ln 2) by adding and removing 1.5 * 2^23, whose low mantissa bits then hold n.
  constexpr float round = 12582912.0f;
  const float shifted = clamped * 1.44269504f + round;
  const float n = shifted - round;
  const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float y = p * (r * r) + r + 1.0f;
  // Multiply by 2^n in two halves: 2^128 itself is no float.
  const auto exponent =
      static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(round));
  const std::int32_t half = exponent >> 1;
  const float scale1 = std::bit_cast<float>(static_cast<std::uint32_t>(half + 127) << 23);
  const float scale2 = std::bit_cast<float>(static_cast<std::uint32_t>(exponent - half + 127) << 23);
  const float result = y * scale1 * scale2;
  return select(x < lowest, 0.0f, select(x > highest, std::numeric_limits<float>::infinity(), result));
}

/// e^x - 1 for x <= 0, accurate near 0 too.
[[nodiscard]] inline float expm1(float x) noexcept {
  // Taylor series to x^7 where e^x - 1 would cancel.
  float p = 1.0f / 5040.0f;
  p = p * x + 1.0f / 720.0f;
  p = p * x + 1.0f / 120.0f;
  p = p * x + 1.0f / 24.0f;
  p = p * x + 1.0f / 6.0f;
  p = p * x + 0.5f;
  return select(x > -0.3f, p * (x * x) + x, exp(x) - 1.0f);
}

/// Natural logarithm of a positive, finite, normal number; no promise about any other.
[[nodiscard]] inline float log_of_normal(float x) noexcept {
  constexpr std::uint32_t sqrt_half = 0x3f3504f3u;
  const std::uint32_t shifted = std::bit_cast<std::uint32_t>(x) - sqrt_half;
  const auto exponent = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
  const float mantissa = std::bit_cast<float>((shifted & 0x007fffffu) + sqrt_half);  // in [sqrt(1/2), sqrt(2))
  const float f = mantissa - 1.0f;
  const float z = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float tail = f * z * p - exponent * 2.12194440e-4f - 0.5f * z;
  return f + tail + exponent * 0.693359375f;
}

/// Natural logarithm; -infinity at 0 (and below the smallest normal number), NaN below 0.
[[nodiscard]] inline float log(float x) noexcept {
  const float result = log_of_normal(x);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float positive = select(x < std::numeric_limits<float>::min(), -infinity, select(x < infinity, result, x));
  return select(x < 0.0f, std::numeric_limits<float>::quiet_NaN(), positive);
}

/// log(1 + x) for x >= 0, accurate for small x too.
[[nodiscard]] inline float log1p(float x) noexcept {
  const float u = 1.0f + x;
  // The factor corrects for the rounding of u (Goldberg 1991, theorem 4).
  const float d = u - 1.0f;
  const float corrected = log(u) * (x / select(d == 0.0f, 1.0f, d));
  return select(d == 0.0f, x, select(u < std::numeric_limits<float>::infinity(), corrected, u));
}

/// Logistic sigmoid 1 / (1 + e^-x).
[[nodiscard]] inline float sigmoid(float x) noexcept {
  const float e = exp(-std::abs(x));
  return select(x < 0.0f, e, 1.0f) / (1.0f + e);
}

/// Hyperbolic tangent.
[[nodiscard]] inline float tanh(float x) noexcept {
  const float magnitude = std::abs(x);
  const float e = exp(-2.0f * magnitude);
  const float large = (1.0f - e) / (1.0f + e);
  const float z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float small = x + x * z * p;
  return select(magnitude < 0.625f, small, select(x < 0.0f, -large, large));
}

/// log(1 + e^x), finite for every finite x.
[[nodiscard]] inline float softplus(float x) noexcept {
  const float magnitude = std::abs(x);
  return select(x > 0.0f, x, 0.0f) + log1p(exp(-magnitude)) + select(x != x, x, 0.0f);
}

/// Error function 2/sqrt(pi) * integral of e^(-t^2) from 0 to x.
[[nodiscard]] inline float erf(float x) noexcept {
  const float magnitude = std::abs(x);
  const float z = x * x;
  float t = 7.853861353153693e-5f;
  t = t * z - 8.010193625184903e-4f;
  t = t * z + 5.188327685732524e-3f;
  t = t * z - 2.685381193529856e-2f;
  t = t * z + 1.128358514861418e-1f;
  t = t * z - 3.761262582423300e-1f;
  t = t * z + 1.128379165726710e0f;
  const float small = x * t;

  const float m = select(magnitude < 1.0f, 1.0f, magnitude);
  const float q = 1.0f / m;
  const float y = q * q;
  float p = 2.326819970068386e-2f;
  p = p * y - 1.387039388740657e-1f;
  p = p * y + 3.687424674597105e-1f;
  p = p * y - 5.824733027278666e-1f;
  p = p * y + 6.210004621745983e-1f;
  p = p * y - 4.944515323274145e-1f;
  p = p * y + 3.404879937665872e-1f;
  p = p * y - 2.741127028184656e-1f;
  p = p * y + 5.638259427386472e-1f;
  float r = -1.047766399936249e1f;
  r = r * y + 1.297719955372516e1f;
  r = r * y - 7.495518717768503e0f;
  r = r * y + 2.921019019210786e0f;
  r = r * y - 1.015265279202700e0f;
  r = r * y + 4.218463358204948e-1f;
  r = r * y - 2.820767439740514e-1f;
  r = r * y + 5.641895067754075e-1f;
  const float large = 1.0f - exp(-m * m) * q * select(m < 2.0f, p, r);
  return select(magnitude < 1.0f, small, select(x < 0.0f, -large, select(x > 0.0f, large, x)));
}

[[nodiscard]] inline double exp(double x) noexcept { return std::exp(x); }
[[nodiscard]] inline double expm1(double x) noexcept { return std::expm1(x); }
[[nodiscard]] inline double log(double x) noexcept { return std::log(x); }
[[nodiscard]] inline double log1p(double x) noexcept { return std::log1p(x); }
[[nodiscard]] inline double tanh(double x) noexcept { return std::tanh(x); }
[[nodiscard]] inline double erf(double x) noexcept { return std::erf(x); }
[[nodiscard]] inline double sigmoid(double x) noexcept {
  const double e = std::exp(x < 0 ? x : -x);
  return (x < 0 ? e : 1.0) / (1.0 + e);
}
[[nodiscard]] inline double softplus(double x) noexcept {
  return (x > 0 ? x : 0.0) + std::log1p(std::exp(-std::abs(x)));
}

/// Cosine and sine of 2 pi t for t in [0, 1): the quarter turn is split off exactly, a polynomial does the rest.
template <std::floating_point Scalar>
inline void sincos_turns(Scalar t, Scalar& sine, Scalar& cosine) noexcept {
  const Scalar scaled = t * 4;
  const auto nearest = static_cast<std::int32_t>(scaled + Scalar(0.5));                       // 0..4
  const Scalar x = (scaled - static_cast<Scalar>(nearest)) * Scalar(1.57079632679489661923);  // within +-pi/4
  const Scalar z = x * x;
  // Taylor series to x^17 and x^16: below 1e-16 on this interval.
  Scalar s = Scalar(1.0 / 355687428096000.0);
  s = s * z - Scalar(1.0 / 1307674368000.0);
  s = s * z + Scalar(1.0 / 6227020800.0);
  s = s * z - Scalar(1.0 / 39916800.0);
  s = s * z + Scalar(1.0 / 362880.0);
  s = s * z - Scalar(1.0 / 5040.0);
  s = s * z + Scalar(1.0 / 120.0);
  s = s * z - Scalar(1.0 / 6.0);
  s = s * z * x + x;
  Scalar c = Scalar(1.0 / 20922789888000.0);
  c = c * z - Scalar(1.0 / 87178291200.0);
  c = c * z + Scalar(1.0 / 479001600.0);
  c = c * z - Scalar(1.0 / 3628800.0);
  c = c * z + Scalar(1.0 / 40320.0);
  c = c * z - Scalar(1.0 / 720.0);
  c = c * z + Scalar(1.0 / 24.0);
  c = c * z - Scalar(0.5);
  c = c * z + 1;
  const bool swap = (nearest & 1) != 0;
  const Scalar sine0 = swap ? c : s;
  const Scalar cosine0 = swap ? s : c;
  sine = (nearest & 2) != 0 ? -sine0 : sine0;
  cosine = ((nearest + 1) & 2) != 0 ? -cosine0 : cosine0;
}

}  // namespace hourglass::math
