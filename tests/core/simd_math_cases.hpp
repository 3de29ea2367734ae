// What simd_math_test.cpp and simd_math_exhaustive.cpp check: the functions, their values in double, and error limits.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>

#include "hourglass/core/isa.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_math.hpp"

namespace simd_math_cases {

/// A function over vectors, `exact` in double, and limits of its error in ULP: `fused` where multiply and add are, and
/// `rounded` where Portable rounds products.
struct Case {
  static bool covers(double) { return true; }
  /// The number whose last place is the unit of the error.
  static double size(double, double exact) { return exact; }
};

struct Exp : Case {
  static constexpr std::string_view name = "exp";
  static constexpr double fused = 1.1;
  static constexpr double rounded = 1.1;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::exp(x); })
  static double exact(double x) { return std::exp(x); }
};

struct Expm1 : Case {
  static constexpr std::string_view name = "expm1";
  static constexpr double fused = 1.6;
  static constexpr double rounded = 1.7;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::expm1(x); })
  static double exact(double x) { return std::expm1(x); }
};

struct Log : Case {
  static constexpr std::string_view name = "log";
  static constexpr double fused = 1;
  static constexpr double rounded = 1.1;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::log(x); })
  static double exact(double x) { return std::log(x); }
};

struct Log1p : Case {
  static constexpr std::string_view name = "log1p";
  static constexpr double fused = 1.6;
  static constexpr double rounded = 1.8;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::log1p(x); })
  static double exact(double x) { return std::log1p(x); }
};

struct Sigmoid : Case {
  static constexpr std::string_view name = "sigmoid";
  static constexpr double fused = 2.5;
  static constexpr double rounded = 2.5;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::sigmoid(x); })
  static double exact(double x) { return 1 / (1 + std::exp(-x)); }
};

struct Tanh : Case {
  static constexpr std::string_view name = "tanh";
  static constexpr double fused = 2;
  static constexpr double rounded = 2;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::tanh(x); })
  static double exact(double x) { return std::tanh(x); }
};

struct Softplus : Case {
  static constexpr std::string_view name = "softplus";
  static constexpr double fused = 1.9;
  static constexpr double rounded = 2.3;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::softplus(x); })
  static double exact(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))); }
};

struct Erf : Case {
  static constexpr std::string_view name = "erf";
  static constexpr double fused = 2.1;
  static constexpr double rounded = 2.4;
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::erf(x); })
  static double exact(double x) { return std::erf(x); }
};

inline double normal_distribution(double x) { return 0.5 * std::erfc(-std::sqrt(0.5) * x); }

struct Gelu : Case {
  static constexpr std::string_view name = "gelu, x > -2";
  static constexpr double fused = 4.2;
  static constexpr double rounded = 5;
  static bool covers(double x) { return !(x <= -2); }
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::gelu(x); })
  static double exact(double x) { return x < -40 ? -0.0 : x * normal_distribution(x); }
};

struct GeluTail : Gelu {
  static constexpr std::string_view name = "gelu, x <= -2";
  static constexpr double fused = 6;
  static constexpr double rounded = 7.6;
  static bool covers(double x) { return x <= -2; }
};

struct GeluDerivative : Case {
  static constexpr std::string_view name = "gelu_derivative";
  static constexpr double fused = 5;
  static constexpr double rounded = 7.2;
  // It has a zero near -0.75, where its two summands cancel: the unit is that of the larger.
  static double size(double x, double exact) { return std::fmax(std::abs(exact), normal_distribution(x)); }
  HOURGLASS_SIMD(V operator()(V x) const, { return hourglass::simd::gelu_derivative(x); })
  static double exact(double x) {
    const double bell = std::exp(-0.5 * x * x) / std::sqrt(2 * 3.14159265358979323846);
    return normal_distribution(x) + (bell == 0 ? 0 : x * bell);
  }
};

using Cases = std::tuple<Exp, Expm1, Log, Log1p, Sigmoid, Tanh, Softplus, Erf, Gelu, GeluTail, GeluDerivative>;

inline constexpr float smallest = std::numeric_limits<float>::min();
inline constexpr float infinity = std::numeric_limits<float>::infinity();
inline constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// The same bits, or both not a number.
inline bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

/// Error of y = f(x) in units of the last place. Denormal arguments count as zero, and zero is right where the exact
/// result is denormal; a denormal never is.
template <class Function>
double error_in_ulp(float x, float y) {
  const double argument = std::abs(x) < smallest ? std::copysign(0.0, double{x}) : double{x};
  if (!Function::covers(argument)) return 0;
  constexpr double wrong = std::numeric_limits<double>::infinity();
  constexpr double beyond = 0x1p128;  // what a float rounds to infinity, with the spacing of the largest ones
  const double exact = Function::exact(argument);
  if (std::isnan(exact) || std::isnan(y)) return std::isnan(exact) && std::isnan(y) ? 0 : wrong;
  if (std::isinf(exact)) return double{y} == exact ? 0 : wrong;
  if (y != 0 && std::abs(y) < smallest) return wrong;
  if (y == 0 && std::abs(exact) < double{smallest}) return 0;
  const double value = std::isinf(y) ? std::copysign(beyond, double{y}) : double{y};
  const double error = std::abs(value - std::fmin(std::fmax(exact, -beyond), beyond));
  const double size = std::fmin(std::fmax(std::abs(Function::size(argument, exact)), double{smallest}), 0x1p127);
  const double unit = std::bit_cast<double>(std::bit_cast<std::uint64_t>(size) >> 52 << 52) * 0x1p-23;
  return error / unit;
}

/// y[i] = f(x[i]) with vectors of one lane.
template <class Function>
void transform_singly(std::ptrdiff_t count, const float* x, float* y) {
  using One = hourglass::simd::Vector<float, hourglass::simd::Single>;
  for (std::ptrdiff_t i = 0; i < count; ++i) y[i] = Function{}(One(x[i])).value;
}

struct FusedSquare {
  HOURGLASS_SIMD(V operator()(V x) const, { return fma(x, x, V(-1)); })
};

/// Whether the kernels of isa() fuse multiply and add.
inline bool fuses() {
  const float x[16] = {1 + 0x1p-12f};
  float y[16];
  hourglass::simd::transform(16, x, y, FusedSquare{});
  return y[0] == 0x1p-11f + 0x1p-24f;
}

}  // namespace simd_math_cases
