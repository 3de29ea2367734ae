// What the tests of vectors share: arguments that find differences, and operations run lane by lane on each of them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/simd.hpp"

namespace hourglass_test {

namespace hg = hourglass;
namespace simd = hourglass::simd;

template <class Scalar>
using Integer = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
template <class Scalar>
Integer<Scalar> bits_of(Scalar value) {
  return std::bit_cast<Integer<Scalar>>(value);
}
template <class Scalar>
Scalar negative(Scalar value) {  // also of NaN
  return std::bit_cast<Scalar>(bits_of(value) ^ (Integer<Scalar>{1} << (8 * sizeof(Scalar) - 1)));
}

template <class Scalar>
std::vector<Scalar> special_values() {
  using limits = std::numeric_limits<Scalar>;
  std::vector<Scalar> values{0,
                             1,
                             Scalar(1.5),
                             3,
                             Scalar(0.1),
                             Scalar(1) / 3,
                             limits::min(),
                             2 * limits::min(),
                             limits::min() / 2,
                             limits::denorm_min(),
                             limits::epsilon(),
                             limits::max(),
                             limits::infinity(),
                             limits::quiet_NaN(),
                             Scalar(16777217),
                             Scalar(1) + limits::epsilon()};
  for (std::size_t i = values.size(); i-- > 0;) values.push_back(negative(values[i]));
  return values;
}

// Every triple of special values, by columns.
template <class Scalar>
struct Arguments {
  std::vector<Scalar> a, b, c;
  Arguments() {
    const std::vector<Scalar> values = special_values<Scalar>();
    for (const Scalar x : values)
      for (const Scalar y : values)
        for (const Scalar z : {values[0], values[1], values[4], values.back(), values[17], values[18]}) {
          a.push_back(x);
          b.push_back(y);
          c.push_back(z);
        }
  }
};

// y[i] = operation(a[i], b[i], c[i]) for a multiple of every number of lanes.
template <class Scalar, class Operation>
struct Apply {
  std::ptrdiff_t count;
  const Scalar* a;
  const Scalar* b;
  const Scalar* c;
  Scalar* y;
  HOURGLASS_SIMD(void operator()() const, {
    for (std::ptrdiff_t i = 0; i < count; i += V::lanes)
      Operation{}(V::load(a + i), V::load(b + i), V::load(c + i)).store(y + i);
  })
};

// What may differ. NaNs that arithmetic makes have other signs on other machines, those that are only moved have not.
// Denormals count as zero, but where numbers are only moved they may stay what they are.
enum class Free { nothing, nan, denormals, nan_and_denormals };

// An operation over vectors against the same one over numbers, for every kind of vector.
template <class Scalar, class Operation, class Expected>
std::string check(const Expected& expected, Free free) {
  const Arguments<Scalar> in;
  const auto count = static_cast<std::ptrdiff_t>(in.a.size());
  REQUIRE(count % 16 == 0);
  std::string report;
  const auto compare = [&](std::string_view kind, const std::vector<Scalar>& y) {
    const hg::FlushDenormals guard;
    for (std::size_t i = 0; i < y.size() && report.empty(); ++i) {
      const Scalar wanted = expected(in.a[i], in.b[i], in.c[i]);
      if (bits_of(y[i]) == bits_of(wanted)) continue;
      if ((free == Free::nan || free == Free::nan_and_denormals) && std::isnan(wanted) && std::isnan(y[i])) continue;
      const Integer<Scalar> smallest = bits_of(std::numeric_limits<Scalar>::min());
      const bool both_tiny = bits_of(wanted) << 1 < smallest << 1 && bits_of(y[i]) << 1 < smallest << 1 &&
                             std::signbit(wanted) == std::signbit(y[i]);
      if ((free == Free::denormals || free == Free::nan_and_denormals) && both_tiny) continue;
      report = hg::detail::message(kind, ": (", in.a[i], ", ", in.b[i], ", ", in.c[i], ") gives ", y[i], ", not ",
                                   wanted, "; bits of the first ", bits_of(in.a[i]), ", of the result ", bits_of(y[i]),
                                   ", not ", bits_of(wanted));
    }
  };
  for_each_isa([&] {
    std::vector<Scalar> y(in.a.size());
    simd::dispatch<Scalar>(Apply<Scalar, Operation>{count, in.a.data(), in.b.data(), in.c.data(), y.data()});
    compare(hg::isa_name(hg::isa()), y);
  });
  std::vector<Scalar> y(in.a.size());
  {
    const hg::FlushDenormals guard;
    using Single = simd::Vector<Scalar, simd::Single>;
    Apply<Scalar, Operation>{count, in.a.data(), in.b.data(), in.c.data(), y.data()}.template operator()<Single>();
  }
  compare("single", y);
  return report;
}

#define OPERATION(name, ...)                                                                             \
  struct name {                                                                                          \
    HOURGLASS_SIMD(V operator()([[maybe_unused]] V a, [[maybe_unused]] V b, [[maybe_unused]] V c) const, \
                   { return __VA_ARGS__; })                                                              \
  }
OPERATION(Add, a + b);
OPERATION(Subtract, a - b);
OPERATION(Multiply, a* b);
OPERATION(Divide, a / b);
OPERATION(Negate, -a);
OPERATION(Min, min(a, b));
OPERATION(Max, max(a, b));
OPERATION(Sqrt, sqrt(a));
OPERATION(Abs, abs(a));
OPERATION(Fma, fma(a, b, c));
OPERATION(First, a);
OPERATION(Broadcast, V(typename V::Scalar(0.1)));
OPERATION(Less, select(a < b, a, c));
OPERATION(LessEqual, select(a <= b, a, c));
OPERATION(Equal, select(a == b, a, c));
OPERATION(NotEqual, select(a != b, a, c));
OPERATION(Greater, select(a > b, a, c));
OPERATION(GreaterEqual, select(a >= b, a, c));
OPERATION(And, select((a < b) & (a < c), a, c));
OPERATION(Or, select((a < b) | (a < c), a, c));
#undef OPERATION

// What Bits can do, one operation after the other, on the lanes of x and y.
struct BitOperations {
  static constexpr int operations = 12;
  const float* x;
  const float* y;
  float* results;  // `operations` times 16
  HOURGLASS_SIMD(void operator()() const, {
    using Bits = typename V::Bits;
    for (std::ptrdiff_t i = 0; i < 16; i += V::lanes) {
      const Bits a = V::load(x + i).bits();
      const Bits b = V::load(y + i).bits();
      float* out = results + i;
      V::from_bits(a + b).store(out);
      V::from_bits(a - b).store(out += 16);
      V::from_bits(a & b).store(out += 16);
      V::from_bits(a | b).store(out += 16);
      V::from_bits(a ^ b).store(out += 16);
      V::from_bits(a.template shift_left<1>()).store(out += 16);
      V::from_bits(a.template shift_left<23>()).store(out += 16);
      V::from_bits(a.template shift_right<1>()).store(out += 16);
      V::from_bits(a.template shift_right<23>()).store(out += 16);
      a.to_float().store(out += 16);
      V::from_bits(Bits(-5)).store(out += 16);
      V::from_bits(a).store(out += 16);
    }
  })
};

// any() of a mask with at most one lane set.
template <class Scalar>
struct AnyLane {
  const Scalar* x;  // 16
  bool* any_positive;
  HOURGLASS_SIMD(void operator()() const, {
    *any_positive = false;
    for (std::ptrdiff_t i = 0; i < 16; i += V::lanes) *any_positive = *any_positive || any(V::load(x + i) > V(0));
  })
};

// Loads the first `count` lanes of x and stores all; stores the first `count` lanes of `full`.
template <class Scalar>
struct Partial {
  std::ptrdiff_t count;
  const Scalar* x;
  const Scalar* full;
  Scalar* loaded;
  Scalar* stored;
  HOURGLASS_SIMD(void operator()() const, {
    V::load(x, count).store(loaded);
    V::load(full).store(stored, count);
  })
};

template <class Scalar>
struct CountLanes {
  std::ptrdiff_t* lanes;
  HOURGLASS_SIMD(void operator()() const, {
    static_assert(std::is_same_v<Scalar, typename V::Scalar>);
    *lanes = V::lanes;
  })
};

template <class Scalar>
std::ptrdiff_t lanes_of_isa() {
  std::ptrdiff_t lanes = 0;
  simd::dispatch<Scalar>(CountLanes<Scalar>{&lanes});
  return lanes;
}

struct TwicePlusOne {
  HOURGLASS_SIMD(V operator()(V x) const, { return x + x + V(1); })
};

// Calls `test(isa or single, run)` where run(kernel) runs a kernel on vectors of that kind.
template <class Scalar, class Test>
void for_each_kind(const Test& test) {
  for_each_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    test([](const auto& kernel) { simd::dispatch<Scalar>(kernel); });
  });
  INFO("one lane");
  test([](const auto& kernel) { kernel.template operator()<simd::Vector<Scalar, simd::Single>>(); });
}

}  // namespace hourglass_test
