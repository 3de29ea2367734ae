#include "hourglass/core/math.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

namespace math = hourglass::math;

namespace {

// Largest error in units of the last place over every 1009th float of [low, high].
template <class Function, class Exact>
double worst_ulp(Function function, Exact exact, float low, float high) {
  double worst = 0;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 1009) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!(x >= low && x <= high)) continue;
    const double truth = exact(double{x});
    if (std::abs(truth) < double{std::numeric_limits<float>::min()}) continue;
    const double ulp = std::ldexp(1.0, std::ilogb(truth) - 23);
    const double error = std::abs(double{function(x)} - truth) / ulp;
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("errors of the float functions against libm in double") {
  CHECK(worst_ulp([](float x) { return math::exp(x); }, [](double x) { return std::exp(x); }, -87.3f, 88.7f) <= 2);
  CHECK(worst_ulp([](float x) { return math::expm1(x); }, [](double x) { return std::expm1(x); }, -100, 0) <= 4);
  CHECK(worst_ulp([](float x) { return math::log(x); }, [](double x) { return std::log(x); }, 1.2e-38f, 3.4e38f) <= 2);
  CHECK(worst_ulp([](float x) { return math::log1p(x); }, [](double x) { return std::log1p(x); }, 0, 3.4e38f) <= 3);
  CHECK(worst_ulp([](float x) { return math::tanh(x); }, [](double x) { return std::tanh(x); }, -100, 100) <= 4);
  CHECK(worst_ulp([](float x) { return math::sigmoid(x); }, [](double x) { return 1 / (1 + std::exp(-x)); }, -87,
                  200) <= 4);
  CHECK(worst_ulp([](float x) { return math::softplus(x); },
                  [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, -87,
                  200) <= 4);
  CHECK(worst_ulp([](float x) { return math::erf(x); }, [](double x) { return std::erf(x); }, -20, 20) <= 4);
}

TEST_CASE("limits and NaN") {
  CHECK(math::exp(infinity) == infinity);
  CHECK(math::exp(-infinity) == 0);
  CHECK(math::exp(0.0f) == 1);
  CHECK(math::log(0.0f) == -infinity);
  CHECK(math::log(infinity) == infinity);
  CHECK(math::log(1.0f) == 0);
  CHECK(std::isnan(math::log(-1.0f)));
  CHECK(math::log1p(infinity) == infinity);
  CHECK(math::tanh(infinity) == 1);
  CHECK(math::tanh(-infinity) == -1);
  CHECK(math::sigmoid(infinity) == 1);
  CHECK(math::sigmoid(-infinity) == 0);
  CHECK(math::sigmoid(0.0f) == 0.5f);
  CHECK(math::softplus(infinity) == infinity);
  CHECK(math::softplus(-infinity) == 0);
  CHECK(math::erf(infinity) == 1);
  CHECK(math::erf(-infinity) == -1);
  CHECK(math::expm1(-infinity) == -1);
  for (const float value :
       {math::exp(not_a_number), math::expm1(not_a_number), math::log(not_a_number), math::log1p(not_a_number),
        math::tanh(not_a_number), math::sigmoid(not_a_number), math::softplus(not_a_number), math::erf(not_a_number)})
    CHECK(std::isnan(value));
}

TEST_CASE_TEMPLATE("sincos_turns", Scalar, float, double) {
  double worst = 0;
  for (int i = 0; i < 4096; ++i) {
    Scalar sine;
    Scalar cosine;
    math::sincos_turns(static_cast<Scalar>(i) / 4096, sine, cosine);
    const double angle = 2 * 3.14159265358979323846 * i / 4096;
    worst = std::max({worst, std::abs(double{sine} - std::sin(angle)), std::abs(double{cosine} - std::cos(angle))});
  }
  // The reference itself rounds the angle: up to 2 pi 2^-53.
  CHECK(worst <= std::max(2 * double{std::numeric_limits<Scalar>::epsilon()}, 1e-15));
}
