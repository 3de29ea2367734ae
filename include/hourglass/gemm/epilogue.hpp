// Epilogues: what happens to the elements of the product on their way from registers to memory.
//
// An epilogue is a functor over vectors, written with HOURGLASS_SIMD (see core/simd_target.hpp):
//
//   V operator()(V product, V previous, auto at) const
//
// `product` holds finished sums over k, `previous` what C holds now (zero, and C is not read, unless `reads_output`),
// `at.row` and `at.col` are the place of the first lane in C, and `at.load<V>(p)` reads as many lanes from p as there
// are in C. The result is what C becomes. Kernels call it once for every element. Where vectors are too much trouble,
// `Elementwise{function}` takes a plain function of numbers.
#pragma once

#include <cstddef>

#include "hourglass/core/activation.hpp"
#include "hourglass/core/simd.hpp"

namespace hourglass::epilogue {

/// A place in C where every lane lies inside.
struct Whole {
  std::ptrdiff_t row;
  std::ptrdiff_t col;
  HOURGLASS_SIMD(V load(const typename V::Scalar* p) const, { return V::load(p); })
  HOURGLASS_SIMD(void store(V v, typename V::Scalar* p) const, { v.store(p); })
  template <class V>
  [[nodiscard]] static constexpr std::ptrdiff_t lanes_inside() noexcept {
    return V::lanes;
  }
};

/// A place at the right edge, where only the first `count` lanes lie inside.
struct Edge {
  std::ptrdiff_t row;
  std::ptrdiff_t col;
  std::ptrdiff_t count;
  HOURGLASS_SIMD(V load(const typename V::Scalar* p) const, { return V::load(p, count); })
  HOURGLASS_SIMD(void store(V v, typename V::Scalar* p) const, { v.store(p, count); })
  template <class V>
  [[nodiscard]] constexpr std::ptrdiff_t lanes_inside() const noexcept {
    return count;
  }
};

/// C = A B.
struct Store {
  static constexpr bool reads_output = false;
  HOURGLASS_SIMD(V operator()(V product, V, auto) const, { return product; })
};

/// C = C + A B.
struct Accumulate {
  static constexpr bool reads_output = true;
  HOURGLASS_SIMD(V operator()(V product, V previous, auto) const, { return previous + product; })
};

/// C = alpha A B + beta C; with beta = 0, C is overwritten even where it holds NaN.
template <class Scalar>
struct Scale {
  Scalar alpha = 1;
  Scalar beta = 0;
  static constexpr bool reads_output = true;
  HOURGLASS_SIMD(V operator()(V product, V previous, auto) const, {
    const V scaled = V(alpha) * product;
    return beta == Scalar(0) ? scaled : fma(V(beta), previous, scaled);
  })
};

/// C(i, j) = (A B)(i, j) + bias(j).
template <class Scalar>
struct Bias {
  const Scalar* bias;  // (n)
  static constexpr bool reads_output = false;
  HOURGLASS_SIMD(V operator()(V product, V, auto at) const, { return product + at.template load<V>(bias + at.col); })
};

/// C(i, j) = f(s(i, j)) with s(i, j) = (A B)(i, j) + bias(j) for an activation f, see core/activation.hpp. Activations
/// whose derivative does not follow from their output can have s kept for it.
template <class Scalar, class Activation>
struct BiasActivation {
  const Scalar* bias;  // (n); null: no bias
  Activation activation;
  Scalar* sums = nullptr;  // (m, n): receives s unless it is null or the derivative follows from the output
  std::ptrdiff_t leading = 0;
  static constexpr bool reads_output = false;
  HOURGLASS_SIMD(V operator()(V product, V, auto at) const, {
    const V sum = bias == nullptr ? product : product + at.template load<V>(bias + at.col);
    if constexpr (!DerivativeFromOutput<Activation>)
      if (sums != nullptr) at.template store<V>(sum, sums + at.row * leading + at.col);
    return activate(activation, sum);
  })
};

/// C(i, j) = f((A B)(i, j)) for an activation f.
template <class Activation>
struct Activate {
  Activation activation;
  static constexpr bool reads_output = false;
  HOURGLASS_SIMD(V operator()(V product, V, auto) const, { return activate(activation, product); })
};

/// C(i, j) = (A B)(i, j) * f'(x(i, j)) for an activation y = f(x); x is read only where the derivative needs it.
template <class Scalar, class Activation>
struct TimesDerivative {
  const Scalar* y;  // (m, n)
  std::ptrdiff_t leading;
  Activation activation;
  const Scalar* x = nullptr;  // (m, n), as far apart as y; null: y stands for it
  static constexpr bool reads_output = false;
  HOURGLASS_SIMD(V operator()(V product, V, auto at) const, {
    const std::ptrdiff_t place = at.row * leading + at.col;
    const V out = at.template load<V>(y + place);
    V in = out;
    if constexpr (!DerivativeFromOutput<Activation>)
      if (x != nullptr) in = at.template load<V>(x + place);
    return product * differentiate(activation, in, out);
  })
};

/// C(i, j) = rule(C(i, j), (A B)(i, j)): a step of an optimiser on the weights C, whose gradient A B never reaches
/// memory. `rule(V weight, V gradient, i, at)` gives the new weights, where i is the place in C's memory, and may load
/// and store moments through `at`; `rule.prefetch(i)` asks for them. A rule that has `frozen()` may leave C as it is.
template <class Rule>
struct Update {
  Rule rule;
  std::ptrdiff_t leading;  // of C
  static constexpr bool reads_output = true;
  HOURGLASS_SIMD(V operator()(V product, V previous, auto at) const, {
    if constexpr (requires { rule.frozen(); })
      if (rule.frozen()) return previous;
    return rule(previous, product, at.row * leading + at.col, at);
  })
  void prefetch(std::ptrdiff_t row, std::ptrdiff_t col) const noexcept { rule.prefetch(row * leading + col); }
};

/// C(i, j) = function((A B)(i, j), C(i, j), i, j), one element at a time.
template <class Function, bool reads = true>
struct Elementwise {
  Function function;
  static constexpr bool reads_output = reads;
  HOURGLASS_SIMD(V operator()(V product, V previous, auto at) const, {
    typename V::Scalar products[V::lanes];
    typename V::Scalar values[V::lanes];
    product.store(products);
    previous.store(values);
    run(products, values, at.template lanes_inside<V>(), at.row, at.col);
    return V::load(products);
  })

 private:
  // Out of line: inlined into a function for an instruction set with FMA, its products and sums might be fused, or not.
  template <class Scalar>
  HOURGLASS_NOINLINE void run(Scalar* products, const Scalar* values, std::ptrdiff_t count, std::ptrdiff_t row,
                              std::ptrdiff_t col) const {
    for (std::ptrdiff_t lane = 0; lane < count; ++lane)
      products[lane] = function(products[lane], values[lane], row, col + lane);
  }
};
template <class Function>
Elementwise(Function) -> Elementwise<Function>;

}  // namespace hourglass::epilogue
