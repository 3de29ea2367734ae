// Elementary functions of vectors, written once for all instruction sets: exp, expm1, log, log1p, sigmoid, tanh,
// softplus, erf, gelu, gelu_derivative and sincos_turns.
//
// float: plain arithmetic without a branch. Wherever multiply and add are fused every instruction set gives the same
// bits for every argument (of a NaN only that it is one). Arguments below the smallest normal number count as zero of
// their sign, and so do results: arithmetic does that itself under dispatch(), `flushed` where it does not. Errors are
// in units of the last place (ULP) of the exact result, the largest over all 2^32 arguments; in brackets those of
// Portable where it rounds products. All polynomials are this library's own: minimax on the interval that is named, by
// the Remez algorithm in 40 digits, the coefficients rounded to float one after the other, the lowest power first, each
// time with a new fit of those still free.
//
// double: libm, lane by lane, with libm's accuracy.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_target.hpp"

namespace hourglass::simd {

namespace detail {

inline constexpr float smallest = std::numeric_limits<float>::min();
inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
inline constexpr int sign_bit = std::numeric_limits<int>::min();
inline constexpr int exponent_bits = -0x00800000;  // and the sign
inline constexpr float minus_ln2_per_exponent_bit = -0.693147182f / 8388608.0f;

template <class V>
inline constexpr bool is_double = std::is_same_v<typename V::Scalar, double>;
template <class V>
inline constexpr bool rounds_products = std::is_same_v<typename V::Tier, Portable>;
// These also run where dispatch() does not or cannot flush denormals.
template <class V>
inline constexpr bool keeps_denormals = std::is_same_v<typename V::Tier, Single> || rounds_products<V>;

/// x, or zero of the same sign if |x| < limit.
HOURGLASS_SIMD(V flushed(V x, typename V::Scalar limit = std::numeric_limits<typename V::Scalar>::min()), {
  if constexpr (keeps_denormals<V>)
    return select(abs(x) < V(limit), x * V(0), x);
  else
    return x;
})

/// `magnitude`, not negative, with the sign of x.
HOURGLASS_SIMD(V with_sign_of(V x, V magnitude),
               { return V::from_bits(magnitude.bits() | (x.bits() & typename V::Bits(sign_bit))); })

/// highest x^k + ... + the last coefficient.
HOURGLASS_SIMD(V polynomial(V x, auto highest, auto... rest), {
  V sum(highest);
  ((sum = fma(sum, x, V(rest))), ...);
  return sum;
})

HOURGLASS_SIMD(V each_lane(V x, const auto& function), {
  typename V::Scalar lane[V::lanes];
  x.store(lane);
  each_number(function, V::lanes, lane);
  return V::load(lane);
})

/// x = n ln 2 + rest with |rest| <= ln 2 / 2. The bits of power are those of the integer (n + bias) 2^23: bias 127
/// makes it the number 2^n for n in [-126, 127] and 0 for n = -127.
template <class V>
struct Split {
  V n;
  V rest;
  V power;
};
HOURGLASS_SIMD(Split<V> split_exponent(V x, int bias), {
  // Adding 1.5 * 2^23 rounds to an integer, which is then found in the last bits of the sum.
  const V round(12582912.0f + static_cast<float>(bias));
  const V sum = fma(x, V(1.44269504f), round);
  const V n = sum - round;
  // ln 2 in two parts, the first of 16 bits: its product with n is exact even where products are rounded.
  const V rest = fma(n, V(-1.42860677e-6f), fma(n, V(-0.693145752f), x));
  return {n, rest, V::from_bits(sum.bits().template shift_left<23>())};
})

/// e^r - 1 for |r| <= ln 2 / 2, as r + r^2 p(r): relative error 2^-26.1.
HOURGLASS_SIMD(V expm1_near_0(V r), {
  return fma(r * r, polynomial(r, 0.00138364302f, 0.00836713146f, 0.0416677482f, 0.16666539f, 0.49999997f), r);
})

/// 2^n (1 + t), rounded once: the power is one of two.
HOURGLASS_SIMD(V scaled(V power, V t), {
  if constexpr (rounds_products<V>)
    return power * (t + V(1.0f));  // power * t alone might be flushed
  else
    return fma(power, t, power);
})

/// log(1 + f) for |f| <= 1/3, as f + f^2 p(f): relative error 2^-27.6.
HOURGLASS_SIMD(V log1p_near_0(V f), {
  return fma(f * f,
             polynomial(f, -0.12469209f, 0.140667573f, -0.122751817f, 0.139891416f, -0.166744292f, 0.200114384f,
                        -0.249999195f, 0.333331972f, -0.5f),
             f);
})

/// For 0 <= a <= 13.45 the normal distribution beyond a, Phi(-a), without cancellation:
/// 2^(bias - 127) factor 2 Phi(-a) = power (1 + t) top / bottom. Rational minimax on [0, 13.3], relative error 2^-27.6,
/// the coefficients then improved by trials in float arithmetic.
template <class V>
struct Tail {
  V power;
  V t;
  V top;
  V bottom;
};
HOURGLASS_SIMD(Tail<V> normal_tail(V a, V factor, int bias), {
  // e^(-a^2/2) = power (1 + t). What rounding a^2 loses would cost many digits.
  const V square = a * a;
  V lost;
  if constexpr (rounds_products<V>) {
    const V high = V::from_bits(a.bits() & typename V::Bits(-4096));  // 12 bits: these products are exact (Dekker)
    const V low = a - high;
    lost = fma(low, low, fma(high + high, low, fma(high, high, -square)));
  } else {
    lost = fma(a, a, -square);
  }
  const Split<V> split = split_exponent(square * V(-0.5f), bias);
  // e^(a^2/2) erfc(a / sqrt 2) = top / bottom.
  const V top = polynomial(a, 0.00804037973f, 0.0799683183f, 0.362613499f, 0.871372461f);
  const V bottom = polynomial(a, 0.0100769792f, 0.100232795f, 0.464380354f, 1.19448388f, 1.66925752f, 1.0f);
  return {split.power, expm1_near_0(fma(lost, V(-0.5f), split.rest)), fma(a * factor, top, factor), bottom};
})

}  // namespace detail

/// e^x.
HOURGLASS_SIMD(V exp(V x), {
  const detail::Split<V> split = detail::split_exponent(x, 0);
  // Integers, because 2^n may be 2^128, which is no float.
  const V y = V::from_bits((detail::expm1_near_0(split.rest) + V(1.0f)).bits() + split.power.bits());
  const V normal = select(x < V(-87.3365402f), V(0.0f), y);
  return select(x <= V(88.7228317f), normal, x * V(1e38f));  // infinity, or NaN
})

/// e^x - 1 = 2^n (e^r - 1) + (2^n - 1).
HOURGLASS_SIMD(V expm1(V x), {
  // Half of everything, as 2^128 is no float; but not for n = 0, where half may be denormal.
  const detail::Split<V> split = detail::split_exponent(max(V(-30.0f), min(V(89.0f), x)), 126);
  const V t = detail::expm1_near_0(split.rest);
  const V half = fma(split.power, t, split.power - V(0.5f));
  return detail::flushed(detail::with_sign_of(x, select(split.n == V(0.0f), t, half + half)));
})

/// Natural logarithm of a positive, finite, normal number; no promise about any other.
HOURGLASS_SIMD(V log_of_normal(V x), {
  // x 2^k is in (2/3, 4/3]; k, negative for large x, is in the place of the exponent.
  using Bits = typename V::Bits;
  const Bits k = (Bits(0x3faaaaaa) - x.bits()) & Bits(detail::exponent_bits);
  const V f = V::from_bits(x.bits() + k) - V(1.0f);
  return fma(k.to_float(), V(detail::minus_ln2_per_exponent_bit), detail::log1p_near_0(f));
})

/// Natural logarithm; -infinity at zero, NaN below.
HOURGLASS_SIMD(V log(V x), {
  const V above = select(x < V(detail::infinity), log_of_normal(x), x);
  const V below = select(x > V(-detail::smallest), V(-detail::infinity), V(detail::not_a_number));
  return select(x < V(detail::smallest), below, above);
})

/// log(1 + x); -infinity at -1, NaN below.
HOURGLASS_SIMD(V log1p(V x), {
  // As log_of_normal(1 + x), but f = x 2^k - (1 - 2^k) keeps the digits that 1 + x loses. 2^(k + 2) because k = -128
  // occurs; minus, and a negative ln 2, so that -0 survives.
  using Bits = typename V::Bits;
  const Bits k = (Bits(0x3faaaaaa) - (x + V(1.0f)).bits()) & Bits(detail::exponent_bits);
  const V rest = fma(V::from_bits(Bits(0x40800000) + k), V(-0.25f), V(1.0f));
  const V f = V::from_bits(x.bits() + k) - rest;
  const V y = fma(k.to_float(), V(detail::minus_ln2_per_exponent_bit), detail::log1p_near_0(f));
  const V below = select(x == V(-1.0f), V(-detail::infinity), V(detail::not_a_number));
  return detail::flushed(select(x <= V(-1.0f), below, select(x < V(detail::infinity), y, x)));
})

/// Logistic function 1 / (1 + e^-x).
HOURGLASS_SIMD(V sigmoid(V x), {
  const detail::Split<V> split = detail::split_exponent(max(V(-88.0f), min(V(88.0f), -x)), 127);
  const V sum = fma(split.power, detail::expm1_near_0(split.rest), split.power + V(1.0f));
  return detail::flushed(V(1.0f) / sum);
})

/// Hyperbolic tangent (1 - e^-2|x|) / (1 + e^-2|x|) with the sign of x; its magnitude is never above 1.
HOURGLASS_SIMD(V tanh(V x), {
  const detail::Split<V> split = detail::split_exponent(min(V(10.0f), abs(x)) * V(-2.0f), 127);
  const V t = detail::expm1_near_0(split.rest);
  const V y = fma(-split.power, t, V(1.0f) - split.power) / fma(split.power, t, V(1.0f) + split.power);
  return detail::flushed(detail::with_sign_of(x, y));
})

/// log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|, the logarithm as e + e^2 p(e): minimax on [0, 1], 2^-27.2.
HOURGLASS_SIMD(V softplus(V x), {
  const detail::Split<V> split = detail::split_exponent(max(V(-88.0f), -abs(x)), 127);
  const V e = detail::scaled(split.power, detail::expm1_near_0(split.rest));
  const V p = detail::polynomial(e, -0.00328052393f, 0.0200550295f, -0.0574210063f, 0.106592886f, -0.153445363f,
                                 0.196921021f, -0.24958019f, 0.333304644f, -0.499999315f);
  return detail::flushed(fma(e * e, p, e) + max(V(0.0f), x));
})

/// Error function 2/sqrt(pi) * integral of e^(-t^2) from 0 to x: x + x p(x^2) below 0.75, minimax on [0, 0.75],
/// 2^-28.5.
HOURGLASS_SIMD(V erf(V x), {
  const V a = abs(detail::flushed(x));
  const V p = detail::polynomial(a * a, -0.000667588203f, 0.00510597508f, -0.0268317033f, 0.112833492f, -0.3761262f,
                                 0.128379166f);
  const detail::Tail<V> tail = detail::normal_tail(min(V(13.0f), a * V(1.41421356f)), V(1.0f), 127);
  const V large = fma(fma(tail.top, tail.t, tail.top) / tail.bottom, -tail.power, V(1.0f));
  return detail::with_sign_of(x, select(a < V(0.75f), a * (p + V(1.0f)), large));
})

/// x Phi(x) = x/2 (1 + erf(x / sqrt 2)), Phi the normal distribution; as max(x, 0) - |x| Phi(-|x|).
HOURGLASS_SIMD(V gelu(V x), {
  // Half of x is denormal below twice the smallest normal number.
  const V normal = detail::flushed(x, 2 * detail::smallest);
  const V a = min(V(13.2f), abs(normal));
  const detail::Tail<V> tail = detail::normal_tail(a, a, 126);  // a Phi(-a)
  return detail::flushed(fma(fma(tail.top, tail.t, tail.top) / tail.bottom, -tail.power, max(-V(0.0f), normal)));
})

/// Phi(x) + x phi(x), phi the density of Phi; with s = Phi(-|x|) - |x| phi(x) it is s below zero and 1 - s above.
HOURGLASS_SIMD(V gelu_derivative(V x), {
  const V a = min(V(13.44f), abs(x));
  // Powers times 8, because the smallest are needed below the smallest normal number, and so the rest by 8.
  const detail::Tail<V> tail = detail::normal_tail(a, V(0.0625f), 130);
  const V s = fma(a, V(-0.398942280f / 8), tail.top / tail.bottom);
  const auto above = x > V(0.0f);
  const V power = select(above, -tail.power, tail.power);
  return detail::flushed(fma(fma(s, tail.t, s), power, select(above, V(1.0f), -V(0.0f))));
})

/// Sine and cosine of 2 pi t for t in [0, 1): the nearest quarter turn is split off exactly, polynomials do the rest,
/// at most half a quarter. float: minimax, 2^-25.1 and 2^-31.2; double: Taylor series, below 1e-16.
HOURGLASS_SIMD(void sincos_turns(V t, V& sine, V& cosine), {
  const V turns = detail::flushed(t);
  V s;
  V c;
  V n;
  if constexpr (detail::is_double<V>) {
    const V round(6755399441055744.0);
    n = fma(turns, V(4), round) - round;
    const V x = fma(turns, V(4), -n) * V(1.57079632679489661923);
    const V z = x * x;
    const V p = detail::polynomial(z, 1 / 355687428096000.0, -1 / 1307674368000.0, 1 / 6227020800.0, -1 / 39916800.0,
                                   1 / 362880.0, -1 / 5040.0, 1 / 120.0, -1 / 6.0);
    s = fma(z * x, p, x);
    c = detail::polynomial(z, 1 / 20922789888000.0, -1 / 87178291200.0, 1 / 479001600.0, -1 / 3628800.0, 1 / 40320.0,
                           -1 / 720.0, 1 / 24.0, -0.5, 1.0);
  } else {
    const V round(12582912.0f);
    n = fma(turns, V(4), round) - round;
    const V x = fma(turns, V(4), -n);
    const V z = x * x;
    s = x * detail::polynomial(z, -0.00468589226f, 0.0797125101f, -0.645966649f, 1.57079637f);
    c = detail::polynomial(z, 0.000893571763f, -0.0208552536f, 0.253668517f, -1.23370051f, 1.0f);
  }
  const auto odd = (n == V(1)) | (n == V(3));
  const V s0 = select(odd, c, s);
  const V c0 = select(odd, s, c);
  sine = select((n == V(2)) | (n == V(3)), -s0, s0);
  cosine = select((n == V(1)) | (n == V(2)), -c0, c0);
})

// The same for double: libm.
HOURGLASS_SIMD(V exp(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return std::exp(v); }); })
HOURGLASS_SIMD(V expm1(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return std::expm1(v); }); })
HOURGLASS_SIMD(V log_of_normal(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return std::log(v); }); })
HOURGLASS_SIMD(V log(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return std::log(v); }); })
HOURGLASS_SIMD(V log1p(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return std::log1p(v); }); })
HOURGLASS_SIMD(V sigmoid(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return 1 / (1 + std::exp(-v)); }); })
HOURGLASS_SIMD(V tanh(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return std::tanh(v); }); })
HOURGLASS_SIMD(V softplus(V x) requires detail::is_double<V>, {
  return detail::each_lane(x, [](double v) { return (v > 0 ? v : 0) + std::log1p(std::exp(-std::abs(v))); });
})
HOURGLASS_SIMD(V erf(V x) requires detail::is_double<V>,
               { return detail::each_lane(x, [](double v) { return std::erf(v); }); })
HOURGLASS_SIMD(V gelu(V x) requires detail::is_double<V>, {
  return detail::each_lane(x, [](double v) {
    const double p = 0.5 * std::erfc(v * -0.70710678118654752440);
    return p == 0 ? -0.0 : v * p;
  });
})
HOURGLASS_SIMD(V gelu_derivative(V x) requires detail::is_double<V>, {
  return detail::each_lane(x, [](double v) {
    const double bell = std::exp(-0.5 * v * v) * 0.39894228040143267794;
    return 0.5 * std::erfc(v * -0.70710678118654752440) + (bell == 0 ? 0 : v * bell);
  });
})

}  // namespace hourglass::simd
