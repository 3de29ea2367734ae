#include "hourglass/core/denormals.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/simd.hpp"

namespace hg = hourglass;

namespace {

// Arithmetic that the compiler cannot do itself.
template <class Scalar>
bool result_is_flushed() {
  volatile Scalar smallest = std::numeric_limits<Scalar>::min();
  const Scalar half = smallest / 2;
  return half == 0 && std::fpclassify(half) == FP_ZERO;
}
template <class Scalar>
bool argument_counts_as_zero() {
  volatile Scalar denormal = std::numeric_limits<Scalar>::min() / 2;
  const Scalar large = denormal * std::numeric_limits<Scalar>::max();
  return large == 0;
}

#if defined(HOURGLASS_X86) || defined(HOURGLASS_ARM64)
constexpr bool flushes = true;
#else
constexpr bool flushes = false;
#endif

struct Halve {
  HOURGLASS_SIMD(V operator()(V x) const, { return x * V(0.5f); })
};

}  // namespace

TEST_CASE_TEMPLATE("denormals are zero while a guard lives", Scalar, float, double) {
  CHECK_FALSE(result_is_flushed<Scalar>());
  CHECK_FALSE(argument_counts_as_zero<Scalar>());
  {
    const hg::FlushDenormals guard;
    CHECK(result_is_flushed<Scalar>() == flushes);
    CHECK(argument_counts_as_zero<Scalar>() == flushes);
    {
      const hg::FlushDenormals inner;
      CHECK(result_is_flushed<Scalar>() == flushes);
    }
    CHECK(result_is_flushed<Scalar>() == flushes);
    CHECK(argument_counts_as_zero<Scalar>() == flushes);
  }
  CHECK_FALSE(result_is_flushed<Scalar>());
  CHECK_FALSE(argument_counts_as_zero<Scalar>());
  try {
    const hg::FlushDenormals guard;
    throw std::runtime_error("out of its scope");
  } catch (const std::runtime_error&) {
    CHECK_FALSE(result_is_flushed<Scalar>());
  }
}

TEST_CASE("kernels flush denormals, and nothing after them") {
  for_each_isa([] {
    std::vector<float> x(37, std::numeric_limits<float>::min());
    hg::simd::transform(37, x.data(), x.data(), Halve{});
    int zeros = 0;
    for (const float value : x) zeros += std::fpclassify(value) == FP_ZERO;
    CHECK(zeros == (flushes ? 37 : 0));
    CHECK_FALSE(result_is_flushed<float>());
    CHECK_FALSE(argument_counts_as_zero<double>());
  });
}

#ifdef HOURGLASS_X86  // MXCSR: 0x8000 flush to zero, 0x6000 rounding, 0x0040 denormals are zero

TEST_CASE("whatever the user set is restored") {
  const unsigned before = _mm_getcsr();
  // Flush to zero, denormals are zero, both; and with them, rounding towards zero.
  for (const unsigned mode : {0u, 0x8000u, 0x0040u, 0x8040u, 0x6000u, 0xe040u, 0x8000u | 0x6000u}) {
    const unsigned set = (before & ~0xe07fu) | mode;
    _mm_setcsr(set);
    unsigned inside = 0;
    {
      const hg::FlushDenormals guard;
      inside = _mm_getcsr();
    }
    const unsigned behind = _mm_getcsr();
    for_each_isa([] {
      float x[5] = {1, 2, 3, 4, 5};
      hg::simd::transform(5, x, x, Halve{});
    });
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    CAPTURE(mode);
    CHECK((inside & 0xe040u) == ((set | 0x8040u) & 0xe040u));
    CHECK((behind & ~0x3fu) == (set & ~0x3fu));  // the lowest bits are flags of what happened
    CHECK((after & ~0x3fu) == (set & ~0x3fu));
  }
}

#endif
