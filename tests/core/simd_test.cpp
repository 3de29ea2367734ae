#include "hourglass/core/simd.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "core/simd_cases.hpp"
#include "each_isa.hpp"
#include "guarded.hpp"
#include "hourglass/core/denormals.hpp"
#include "hourglass/core/error.hpp"

using namespace hourglass_test;

TEST_CASE_TEMPLATE("arithmetic is that of numbers", Scalar, float, double) {
  CHECK(check<Scalar, Add>([](Scalar a, Scalar b, Scalar) { return a + b; }, Free::nan) == "");
  CHECK(check<Scalar, Subtract>([](Scalar a, Scalar b, Scalar) { return a - b; }, Free::nan) == "");
  CHECK(check<Scalar, Multiply>([](Scalar a, Scalar b, Scalar) { return a * b; }, Free::nan) == "");
  CHECK(check<Scalar, Divide>([](Scalar a, Scalar b, Scalar) { return a / b; }, Free::nan) == "");
  CHECK(check<Scalar, Sqrt>([](Scalar a, Scalar, Scalar) { return std::sqrt(a); }, Free::nan) == "");
}

TEST_CASE_TEMPLATE("what only moves bits keeps them, those of NaN too", Scalar, float, double) {
  CHECK(check<Scalar, First>([](Scalar a, Scalar, Scalar) { return a; }, Free::nothing) == "");
  CHECK(check<Scalar, Broadcast>([](Scalar, Scalar, Scalar) { return Scalar(0.1); }, Free::nothing) == "");
  CHECK(check<Scalar, Negate>([](Scalar a, Scalar, Scalar) { return negative(a); }, Free::nothing) == "");
  CHECK(check<Scalar, Abs>([](Scalar a, Scalar, Scalar) { return std::abs(a); }, Free::nan_and_denormals) == "");
}

TEST_CASE_TEMPLATE("minimum and maximum take the second argument unless the first is smaller, or larger", Scalar, float,
                   double) {
  // So of two zeros, and of a NaN and a number, it is the second.
  CHECK(check<Scalar, Min>([](Scalar a, Scalar b, Scalar) { return a < b ? a : b; }, Free::denormals) == "");
  CHECK(check<Scalar, Max>([](Scalar a, Scalar b, Scalar) { return a > b ? a : b; }, Free::denormals) == "");
}

TEST_CASE_TEMPLATE("comparisons choose, and are false for NaN except for !=", Scalar, float, double) {
  CHECK(check<Scalar, Less>([](Scalar a, Scalar b, Scalar c) { return a < b ? a : c; }, Free::denormals) == "");
  CHECK(check<Scalar, LessEqual>([](Scalar a, Scalar b, Scalar c) { return a <= b ? a : c; }, Free::denormals) == "");
  CHECK(check<Scalar, Equal>([](Scalar a, Scalar b, Scalar c) { return a == b ? a : c; }, Free::denormals) == "");
  CHECK(check<Scalar, NotEqual>([](Scalar a, Scalar b, Scalar c) { return a != b ? a : c; }, Free::denormals) == "");
  CHECK(check<Scalar, Greater>([](Scalar a, Scalar b, Scalar c) { return a > b ? a : c; }, Free::denormals) == "");
  CHECK(check<Scalar, GreaterEqual>([](Scalar a, Scalar b, Scalar c) { return a >= b ? a : c; }, Free::denormals) ==
        "");
  CHECK(check<Scalar, And>([](Scalar a, Scalar b, Scalar c) { return a < b && a < c ? a : c; }, Free::denormals) == "");
  CHECK(check<Scalar, Or>([](Scalar a, Scalar b, Scalar c) { return a < b || a < c ? a : c; }, Free::denormals) == "");
}

TEST_CASE_TEMPLATE("instruction sets that fuse also agree on the minimum and maximum of denormals: zero", Scalar, float,
                   double) {
  const Scalar denormal = std::numeric_limits<Scalar>::min() / 2;
  const std::vector<Scalar> ones(16, Scalar(1));
  const std::vector<Scalar> denormals(16, denormal);
  const std::vector<Scalar> negatives(16, -denormal);
  for_each_isa([&] {
    if (!isa_fuses()) return;
    CAPTURE(hg::isa_name(hg::isa()));
    int wrong = 0;
    std::vector<Scalar> y(16);
    simd::dispatch<Scalar>(Apply<Scalar, Min>{16, denormals.data(), ones.data(), ones.data(), y.data()});
    for (const Scalar value : y) wrong += bits_of(value) != bits_of(Scalar(0));
    simd::dispatch<Scalar>(Apply<Scalar, Max>{16, negatives.data(), negatives.data(), ones.data(), y.data()});
    for (const Scalar value : y) wrong += bits_of(value) != bits_of(Scalar(-0.0));
    CHECK(wrong == 0);
  });
}

TEST_CASE_TEMPLATE("fma rounds once, but on portable vectors as the compiler likes", Scalar, float, double) {
  const IsaSetting restore(hg::isa());
  for (const hg::Isa isa : hg::all_isas) {
    if (!hg::isa_supported(isa)) continue;
    hg::set_isa(isa);
    CAPTURE(hg::isa_name(isa));
    const Arguments<Scalar> in;
    const auto count = static_cast<std::ptrdiff_t>(in.a.size());
    std::vector<Scalar> y(in.a.size());
    simd::dispatch<Scalar>(Apply<Scalar, Fma>{count, in.a.data(), in.b.data(), in.c.data(), y.data()});
    int wrong = 0;
    const hg::FlushDenormals guard;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const volatile Scalar product = in.a[i] * in.b[i];
      const Scalar separate = product + in.c[i];
      const Scalar fused = std::fma(in.a[i], in.b[i], in.c[i]);
      const auto same = [&](Scalar value) {
        return bits_of(value) == bits_of(y[i]) || (std::isnan(value) && std::isnan(y[i]));
      };
      wrong += !(isa_fuses() ? same(fused) : same(separate) || (portable_may_fuse && same(fused)));
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("bits are integers of 32 bits, whose right shift is arithmetic") {
  const std::uint32_t xs[16]{0,          1,          2,          0x7fffffff, 0x80000000, 0xffffffff,
                             0xfffffffe, 0x3f800000, 0x00800000, 0x80800000, 0x12345678, 0x87654321,
                             0x00ffffff, 0x01000001, 127,        0xff800000};
  const std::uint32_t ys[16]{5,          0xffffffff, 0x7fffffff, 1,          1, 1,          0x80000000, 0x00800000,
                             0x3f800000, 0x80000000, 0x0f0f0f0f, 0xf0f0f0f0, 1, 0xff000000, 0x01010101, 0x00400000};
  float x[16];
  float y[16];
  std::copy_n(reinterpret_cast<const unsigned char*>(xs), sizeof(x), reinterpret_cast<unsigned char*>(x));
  std::copy_n(reinterpret_cast<const unsigned char*>(ys), sizeof(y), reinterpret_cast<unsigned char*>(y));
  for_each_kind<float>([&](const auto& run) {
    float results[BitOperations::operations * 16];
    run(BitOperations{x, y, results});
    for (std::size_t i = 0; i < 16; ++i) {
      const auto shift = [&](int count) {
        return static_cast<std::uint32_t>(static_cast<std::int32_t>(xs[i]) >> count);
      };
      const std::uint32_t expected[BitOperations::operations]{
          xs[i] + ys[i], xs[i] - ys[i],
          xs[i] & ys[i], xs[i] | ys[i],
          xs[i] ^ ys[i], xs[i] << 1,
          xs[i] << 23,   shift(1),
          shift(23),     bits_of(static_cast<float>(static_cast<std::int32_t>(xs[i]))),
          0xfffffffb,    xs[i]};
      for (std::size_t operation = 0; operation < BitOperations::operations; ++operation) {
        CAPTURE(operation);
        CHECK(bits_of(results[operation * 16 + i]) == expected[operation]);
      }
    }
  });
}

TEST_CASE_TEMPLATE("a mask has any lane, or none", Scalar, float, double) {
  for_each_kind<Scalar>([](const auto& run) {
    for (std::size_t lane = 0; lane <= 16; ++lane) {
      std::vector<Scalar> x(16, Scalar(-1));
      if (lane < 16) x[lane] = 1;
      bool any = false;
      run(AnyLane<Scalar>{x.data(), &any});
      CHECK(any == (lane < 16));
    }
  });
}

TEST_CASE_TEMPLATE("the first lanes are loaded and stored, and nothing behind them is touched", Scalar, float, double) {
  for_each_isa([] {
    CAPTURE(hg::isa_name(hg::isa()));
    const std::ptrdiff_t lanes = lanes_of_isa<Scalar>();
    CHECK(lanes >= 2);
    CHECK(lanes <= 16);
    std::vector<Scalar> full(static_cast<std::size_t>(lanes));
    for (std::size_t i = 0; i < full.size(); ++i) full[i] = static_cast<Scalar>(i + 1);
    for (std::ptrdiff_t count = 0; count <= lanes; ++count) {
      CAPTURE(count);
      std::vector<Scalar> loaded(static_cast<std::size_t>(lanes), Scalar(-1));
      std::vector<Scalar> stored(static_cast<std::size_t>(lanes), Scalar(-1));
      std::vector<Scalar> zeros_behind = full;
      std::vector<Scalar> old_behind = full;
      for (auto i = static_cast<std::size_t>(count); i < full.size(); ++i) {
        zeros_behind[i] = 0;
        old_behind[i] = -1;
      }
      simd::dispatch<Scalar>(Partial<Scalar>{count, full.data(), full.data(), loaded.data(), stored.data()});
      CHECK(loaded == zeros_behind);
      CHECK(stored == old_behind);
#if __has_include(<sys/mman.h>)
      const Guarded<Scalar> x(count, Guard::behind);
      const Guarded<Scalar> y(count, Guard::behind);
      std::copy_n(full.begin(), count, x.data());
      simd::dispatch<Scalar>(Partial<Scalar>{count, x.data(), full.data(), loaded.data(), y.data()});
      CHECK(loaded == zeros_behind);
      CHECK(std::equal(y.data(), y.data() + count, full.begin()));
#endif
    }
  });
}

TEST_CASE_TEMPLATE("transform treats every element once, whatever the number", Scalar, float, double) {
  for_each_isa([] {
    CAPTURE(hg::isa_name(hg::isa()));
    for (std::ptrdiff_t count = 0; count <= 50; ++count) {
      CAPTURE(count);
      std::vector<Scalar> x(static_cast<std::size_t>(count));
      std::vector<Scalar> expected(static_cast<std::size_t>(count + 1), Scalar(-7));
      for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<Scalar>(i) - 20;
        expected[i] = x[i] + x[i] + 1;
      }
      std::vector<Scalar> y(static_cast<std::size_t>(count + 1), Scalar(-7));
      simd::transform(count, x.data(), y.data(), TwicePlusOne{});
      CHECK(y == expected);
#if __has_include(<sys/mman.h>)
      for (const Guard guard : {Guard::before, Guard::behind}) {
        const Guarded<Scalar> in(count, guard);
        const Guarded<Scalar> out(count, guard);
        std::copy(x.begin(), x.end(), in.data());
        in.forbid_writing();
        simd::transform(count, in.data(), out.data(), TwicePlusOne{});
        CHECK(std::equal(out.data(), out.data() + count, expected.begin()));
      }
#endif
      simd::transform(count, x.data(), x.data(), TwicePlusOne{});
      CHECK(std::equal(x.begin(), x.end(), expected.begin()));
    }
  });
}

TEST_CASE_TEMPLATE("one lane loads and stores one number", Scalar, float, double) {
  using Single = simd::Vector<Scalar, simd::Single>;
  const Scalar x = Scalar(0.1);
  Scalar y = 0;
  Single::load(&x).store(&y);
  CHECK(y == x);
  y = 0;
  Single::load(&x, 1).store(&y, 1);
  CHECK(y == x);
}

TEST_CASE("a function of numbers is called for each of them") {
  double values[]{1, 2, 3};
  const double others[]{10, 20, 30};
  simd::each_number([](double a, double b) { return b - a; }, 3, values, others);
  CHECK(values[0] == 9);
  CHECK(values[1] == 18);
  CHECK(values[2] == 27);
  simd::each_number([](double a) { return -a; }, 2, values);
  CHECK(values[1] == -18);
  CHECK(values[2] == 27);
}
