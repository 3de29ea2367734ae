#include "hourglass/core/simd_math.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "core/simd_math_cases.hpp"
#include "hourglass/core/isa.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_scalar.hpp"

namespace hg = hourglass;
namespace math = hourglass::math;
namespace cases = simd_math_cases;

namespace {

// Calls `body` with every instruction set that this machine has, and restores the one that was chosen.
template <class Body>
void for_each_isa(const Body& body) {
  const hg::Isa before = hg::isa();
  for (const hg::Isa isa : hg::all_isas) {
    if (!hg::isa_supported(isa)) continue;
    CAPTURE(std::string(hg::isa_name(isa)));
    hg::set_isa(isa);
    body();
  }
  hg::set_isa(before);
}

// Every 4093rd float, and all within 100 of the numbers at which a function changes its formula or its result ends.
const std::vector<float>& arguments() {
  static const std::vector<float> all = [] {
    std::vector<float> x;
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4093)
      x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    std::vector<float> centres{cases::smallest, 2 * cases::smallest, cases::infinity, cases::not_a_number};
    for (const double centre :
         {0.0,   1.0 / 3, 0.5,   2.0 / 3, 0.75,      1.0,  4.0 / 3,   2.0,  3.9192,    9.0109, 9.1924,    10.0,
          13.15, 13.2,    13.44, 30.0,    87.336544, 88.0, 88.722839, 89.0, 103.97208, 1e6,    16777216.0})
      centres.push_back(static_cast<float>(centre));
    for (int n = 1; n <= 257; n += 2) centres.push_back(static_cast<float>(n) * 0.34657359f);  // n changes in exp
    for (const float centre : centres)
      for (int offset = -100; offset <= 100; ++offset) {
        const auto bits = std::bit_cast<std::uint32_t>(centre) + static_cast<std::uint32_t>(offset);
        x.push_back(std::bit_cast<float>(bits));
        x.push_back(std::bit_cast<float>(bits ^ 0x80000000u));
      }
    return x;
  }();
  return all;
}

template <class Function>
std::vector<float> results(std::span<const float> x) {
  std::vector<float> y(x.size());
  hg::simd::transform(std::ssize(x), x.data(), y.data(), Function{});
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("float functions keep their error limits", Function, errors) {
  CAPTURE(std::string(Function::name));
  const std::vector<float>& x = arguments();
  for_each_isa([&] {
    const std::vector<float> y = results<Function>(x);
    double worst = 0;
    float where = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = cases::error_in_ulp<Function>(x[i], y[i]);
      if (error > worst) {
        worst = error;
        where = x[i];
      }
    }
    CAPTURE(where);
    CHECK(worst <= (cases::fuses() ? Function::fused : Function::rounded));
  });
}
TEST_CASE_TEMPLATE_APPLY(errors, cases::Cases);

TEST_CASE_TEMPLATE_DEFINE("every instruction set that fuses gives the bits of single numbers", Function, bits) {
  CAPTURE(std::string(Function::name));
  const std::vector<float>& x = arguments();
  std::vector<float> single(x.size());
  cases::transform_singly<Function>(std::ssize(x), x.data(), single.data());
  for_each_isa([&] {
    if (!cases::fuses()) return;
    const std::vector<float> y = results<Function>(x);
    std::ptrdiff_t different = 0;
    float where = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (!cases::same(single[i], y[i])) {
        ++different;
        where = x[i];
      }
    CAPTURE(where);
    CHECK(different == 0);
  });
}
TEST_CASE_TEMPLATE_APPLY(bits, cases::Cases);

TEST_CASE_TEMPLATE_DEFINE("the last, incomplete vector", Function, tails) {
  constexpr std::size_t most = 40;
  std::array<float, most> x;
  for (std::size_t i = 0; i < most; ++i) x[i] = static_cast<float>(i) * 0.37f - 5;
  for_each_isa([&] {
    const std::vector<float> expected = [&] {
      std::array<float, 64> padded{};
      std::copy(x.begin(), x.end(), padded.begin());
      return results<Function>(padded);  // a multiple of every number of lanes
    }();
    for (std::size_t count = 0; count <= most; ++count) {
      std::array<float, most + 1> y;
      y.fill(-77);
      hg::simd::transform(static_cast<std::ptrdiff_t>(count), x.data(), y.data(), Function{});
      for (std::size_t i = 0; i < y.size(); ++i) CHECK(cases::same(y[i], i < count ? expected[i] : -77));
    }
  });
}
TEST_CASE_TEMPLATE_APPLY(tails, cases::Cases);

TEST_CASE("float limits, zeros and NaN") {
  constexpr float infinity = cases::infinity;
  constexpr float denormal = std::numeric_limits<float>::denorm_min();
  const auto check = [](auto function, float x, float expected) {
    CAPTURE(std::string(function.name));
    CAPTURE(x);
    CHECK(cases::same(results<decltype(function)>(std::span(&x, 1))[0], expected));
    float single;
    cases::transform_singly<decltype(function)>(1, &x, &single);
    CHECK(cases::same(single, expected));
  };
  for_each_isa([&] {
    std::apply([&](auto... function) { (check(function, cases::not_a_number, cases::not_a_number), ...); },
               cases::Cases{});
    // Odd payloads too: exp adds to the bits of its result.
    check(cases::Exp{}, std::bit_cast<float>(0x7fc001ffu), cases::not_a_number);
    check(cases::Exp{}, std::bit_cast<float>(0xffffffffu), cases::not_a_number);
    check(cases::Exp{}, infinity, infinity);
    check(cases::Exp{}, -infinity, 0);
    check(cases::Exp{}, 0, 1);
    check(cases::Exp{}, -denormal, 1);
    check(cases::Expm1{}, infinity, infinity);
    check(cases::Expm1{}, -infinity, -1);
    check(cases::Expm1{}, -0.0f, -0.0f);
    check(cases::Expm1{}, cases::smallest, cases::smallest);
    check(cases::Expm1{}, -denormal, -0.0f);
    check(cases::Log{}, infinity, infinity);
    check(cases::Log{}, 0, -infinity);
    check(cases::Log{}, -0.0f, -infinity);
    check(cases::Log{}, -denormal, -infinity);
    check(cases::Log{}, 1, 0);
    check(cases::Log{}, -1, cases::not_a_number);
    check(cases::Log{}, -infinity, cases::not_a_number);
    check(cases::Log1p{}, infinity, infinity);
    check(cases::Log1p{}, -1, -infinity);
    check(cases::Log1p{}, -2, cases::not_a_number);
    check(cases::Log1p{}, 0, 0);
    check(cases::Log1p{}, -0.0f, -0.0f);
    check(cases::Log1p{}, -denormal, -0.0f);
    check(cases::Sigmoid{}, infinity, 1);
    check(cases::Sigmoid{}, -infinity, 0);
    check(cases::Sigmoid{}, 0, 0.5f);
    check(cases::Tanh{}, infinity, 1);
    check(cases::Tanh{}, -infinity, -1);
    check(cases::Tanh{}, 0, 0);
    check(cases::Tanh{}, -0.0f, -0.0f);
    check(cases::Tanh{}, -denormal, -0.0f);
    check(cases::Softplus{}, infinity, infinity);
    check(cases::Softplus{}, -infinity, 0);
    check(cases::Erf{}, infinity, 1);
    check(cases::Erf{}, -infinity, -1);
    check(cases::Erf{}, 0, 0);
    check(cases::Erf{}, -0.0f, -0.0f);
    check(cases::Erf{}, cases::smallest * 0.99f, 0);
    check(cases::Gelu{}, infinity, infinity);
    check(cases::Gelu{}, -infinity, -0.0f);
    check(cases::Gelu{}, 0, 0);
    check(cases::Gelu{}, -0.0f, -0.0f);
    check(cases::GeluDerivative{}, infinity, 1);
    check(cases::GeluDerivative{}, -infinity, -0.0f);
    check(cases::GeluDerivative{}, 0, 0.5f);
    check(cases::GeluDerivative{}, -0.0f, 0.5f);
  });
}

TEST_CASE_TEMPLATE_DEFINE("double functions", Function, doubles) {
  CAPTURE(std::string(Function::name));
  // The left tails of gelu and its derivative amplify the rounding of x / sqrt 2.
  const double lowest = Function::name.starts_with("gelu") ? -0.5 : -40.0;
  std::vector<double> x;
  for (int i = 0; i <= 40000; ++i) x.push_back(lowest + (40 - lowest) * i / 40000.0);
  for_each_isa([&] {
    std::vector<double> y(x.size());
    hg::simd::transform(std::ssize(x), x.data(), y.data(), Function{});
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = Function::exact(x[i]);
      if (std::isnan(exact) || std::isinf(exact)) {
        CHECK((y[i] == exact || (std::isnan(y[i]) && std::isnan(exact))));
      } else {
        const double unit = std::ldexp(1.0, std::ilogb(std::fmax(std::abs(exact), 1e-300)) - 52);
        worst = std::max(worst, std::abs(y[i] - exact) / unit);
      }
    }
    CHECK(worst <= 2);
  });
}
TEST_CASE_TEMPLATE_APPLY(doubles, cases::Cases);

namespace {

template <bool sine>
struct Turns {
  HOURGLASS_SIMD(V operator()(V t) const, {
    V s;
    V c;
    hg::simd::sincos_turns(t, s, c);
    return sine ? s : c;
  })
};

}  // namespace

TEST_CASE_TEMPLATE("sincos_turns", Scalar, float, double) {
  std::vector<Scalar> t;
  for (int i = 0; i < 40000; ++i) t.push_back(static_cast<Scalar>(i / 40000.0));
  t.push_back(1 - std::numeric_limits<Scalar>::epsilon() / 2);
  for_each_isa([&] {
    std::vector<Scalar> sines(t.size());
    std::vector<Scalar> cosines(t.size());
    hg::simd::transform(std::ssize(t), t.data(), sines.data(), Turns<true>{});
    hg::simd::transform(std::ssize(t), t.data(), cosines.data(), Turns<false>{});
    const bool fused = cases::fuses();
    double worst = 0;
    std::ptrdiff_t different = 0;
    for (std::size_t i = 0; i < t.size(); ++i) {
      const double angle = 2 * 3.14159265358979323846 * double{t[i]};
      worst = std::max(
          {worst, std::abs(double{sines[i]} - std::sin(angle)), std::abs(double{cosines[i]} - std::cos(angle))});
      Scalar s;
      Scalar c;
      math::sincos_turns(t[i], s, c);
      different += fused && (s != sines[i] || c != cosines[i]);
    }
    // The reference itself rounds the angle: up to 2 pi 2^-53.
    CHECK(worst <= std::max(double{std::numeric_limits<Scalar>::epsilon()}, 1e-15));
    CHECK(different == 0);
  });
}

TEST_CASE("functions of single numbers") {
  const auto single = [](auto function, auto x) {
    return function(hg::simd::Vector<decltype(x), hg::simd::Single>(x)).value;
  };
  const auto check = [&](auto x) {
    CHECK(math::exp(x) == single(cases::Exp{}, x));
    CHECK(math::expm1(x) == single(cases::Expm1{}, x));
    CHECK(math::log(x) == single(cases::Log{}, x));
    CHECK(math::log_of_normal(x) == math::log(x));
    CHECK(math::log1p(x) == single(cases::Log1p{}, x));
    CHECK(math::sigmoid(x) == single(cases::Sigmoid{}, x));
    CHECK(math::tanh(x) == single(cases::Tanh{}, x));
    CHECK(math::softplus(x) == single(cases::Softplus{}, x));
    CHECK(math::erf(x) == single(cases::Erf{}, x));
    CHECK(math::select(true, x, -x) == x);
    CHECK(math::select(false, x, -x) == -x);
  };
  for (const double x : {0.001, 0.25, 1.0, 2.7, 60.0}) {
    check(x);
    check(static_cast<float>(x));
  }
}
