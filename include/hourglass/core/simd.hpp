// Vectors of float and double on every instruction set, and the run-time choice between them.
//
// Vector<Scalar, Tier> has `lanes` numbers, `load`, `store` (both also of the first `count` lanes only), + - * /, fma,
// min, max, abs, sqrt, comparisons that give a Mask, `select(mask, yes, no)`, and, for float, `bits()` and `from_bits`.
// Code over them is written once with HOURGLASS_SIMD (simd_target.hpp). To keep the same bits everywhere it says
// fma(a, b, c) wherever a product goes into a sum: a compiler may fuse a * b + c, or not.
#pragma once

#include <cstddef>

#include "hourglass/core/denormals.hpp"
#include "hourglass/core/isa.hpp"
#include "hourglass/core/simd_avx2.hpp"
#include "hourglass/core/simd_avx512.hpp"
#include "hourglass/core/simd_neon.hpp"
#include "hourglass/core/simd_portable.hpp"
#include "hourglass/core/simd_single.hpp"
#include "hourglass/core/simd_target.hpp"

namespace hourglass::simd {

#ifdef __GNUC__
using Baseline = Portable;
#else
using Baseline = Single;
#endif

namespace detail {

#ifdef HOURGLASS_X86
template <class Scalar, class Kernel>
HOURGLASS_AVX512 void run_avx512(const Kernel& kernel) {
  kernel.template operator()<Vector<Scalar, Avx512>>();
}
template <class Scalar, class Kernel>
HOURGLASS_AVX2 void run_avx2(const Kernel& kernel) {
  kernel.template operator()<Vector<Scalar, Avx2>>();
}
#endif
#ifdef HOURGLASS_ARM64
template <class Scalar, class Kernel>
void run_neon(const Kernel& kernel) {
  kernel.template operator()<Vector<Scalar, Neon>>();
}
#endif
template <class Scalar, class Kernel>
void run_portable(const Kernel& kernel) {
  kernel.template operator()<Vector<Scalar, Baseline>>();
}

}  // namespace detail

/// Runs `kernel.operator()<V>()` with the vectors of isa() while denormals are flushed. A kernel is a struct that holds
/// pointers and sizes:
///
///   struct Halve {
///     float* x;
///     std::ptrdiff_t count;
///     HOURGLASS_SIMD(void operator()() const, {
///       for_each<V>(count, [...])
///     })
///   };
template <class Scalar, class Kernel>
void dispatch(const Kernel& kernel) {
  const FlushDenormals guard;
  switch (isa()) {
#ifdef HOURGLASS_X86
    case Isa::avx512:
      return detail::run_avx512<Scalar>(kernel);
    case Isa::avx2:
      return detail::run_avx2<Scalar>(kernel);
#endif
#ifdef HOURGLASS_ARM64
    case Isa::neon:
      return detail::run_neon<Scalar>(kernel);
#endif
    default:
      return detail::run_portable<Scalar>(kernel);
  }
}

/// Loads and stores of the first `count` lanes, for functors that also run where all lanes are there.
struct Lanes {
  std::ptrdiff_t count;
  HOURGLASS_SIMD(V load(const typename V::Scalar* p) const, { return V::load(p, count); })
  HOURGLASS_SIMD(void store(V v, typename V::Scalar* p) const, { v.store(p, count); })
};

/// values[i] = function(values[i], others[i]...) for a function of numbers. Out of line: inlined into a function for an
/// instruction set with FMA, its products and sums might be fused, or might not.
template <class Scalar, class Function, class... Others>
HOURGLASS_NOINLINE void each_number(const Function& function, std::ptrdiff_t count, Scalar* values,
                                    const Others*... others) {
  for (std::ptrdiff_t i = 0; i < count; ++i) values[i] = function(values[i], others[i]...);
}

/// y[i] = function(x[i]) for i in [0, count), with `function(V) -> V` written by HOURGLASS_SIMD; y may be x.
template <class Scalar, class Function>
struct Transform {
  std::ptrdiff_t count;
  const Scalar* x;
  Scalar* y;
  Function function;
  HOURGLASS_SIMD(void operator()() const, {
    std::ptrdiff_t i = 0;
    for (; i + V::lanes <= count; i += V::lanes) function(V::load(x + i)).store(y + i);
    if (i < count) function(V::load(x + i, count - i)).store(y + i, count - i);
  })
};

template <class Scalar, class Function>
void transform(std::ptrdiff_t count, const Scalar* x, Scalar* y, const Function& function) {
  dispatch<Scalar>(Transform<Scalar, Function>{count, x, y, function});
}

}  // namespace hourglass::simd
