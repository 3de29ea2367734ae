// Activations: functions y = f(x) of one number, over vectors or over numbers.
//
// An activation has `value(x)` and `derivative(x, y)`, where y = value(x). The library's own are written over vectors
// with HOURGLASS_SIMD (core/simd_target.hpp) and run in registers, inside products where they follow a Linear. One that
// is written over numbers, `template <class Scalar> Scalar value(Scalar x) const`, works too, an element at a time.
#pragma once

#include <concepts>
#include <type_traits>

#include "hourglass/core/simd.hpp"

namespace hourglass {

/// f and f' over float and double.
template <class T>
concept NumberActivation = requires(const T& f, double x, float z) {
  { f.value(x) } -> std::same_as<double>;
  { f.derivative(x, x) } -> std::same_as<double>;
  { f.value(z) } -> std::same_as<float>;
};

/// f and f' over vectors.
template <class T>
concept VectorActivation = !NumberActivation<T> && requires(const T& f, simd::Vector<float, simd::Single> x) {
  { f.value(x) } -> std::same_as<decltype(x)>;
  { f.derivative(x, x) } -> std::same_as<decltype(x)>;
};

template <class T>
concept Activation = NumberActivation<T> || VectorActivation<T>;

/// An activation whose derivative(x, y) needs y = f(x) alone and says so: `static constexpr bool
/// derivative_from_output = true`. Networks then do not keep x.
template <class T>
concept DerivativeFromOutput = Activation<T> && requires {
  requires T::derivative_from_output;
};

/// f(x).
HOURGLASS_SIMD(V activate(const auto& f, V x), {
  if constexpr (NumberActivation<std::remove_cvref_t<decltype(f)>>) {
    typename V::Scalar values[V::lanes];
    x.store(values);
    simd::each_number([&](auto number) { return f.value(number); }, V::lanes, values);
    return V::load(values);
  } else {
    return f.value(x);
  }
})

/// f'(x), where y = f(x).
HOURGLASS_SIMD(V differentiate(const auto& f, V x, V y), {
  if constexpr (NumberActivation<std::remove_cvref_t<decltype(f)>>) {
    typename V::Scalar values[V::lanes];
    typename V::Scalar outputs[V::lanes];
    x.store(values);
    y.store(outputs);
    simd::each_number([&](auto number, auto output) { return f.derivative(number, output); }, V::lanes, values,
                      outputs);
    return V::load(values);
  } else {
    return f.derivative(x, y);
  }
})

/// f(x) and f'(x, y) of one number.
template <std::floating_point Scalar>
[[nodiscard]] Scalar activate(const Activation auto& f, Scalar x) {
  return activate(f, simd::Vector<Scalar, simd::Single>(x)).value;
}
template <std::floating_point Scalar>
[[nodiscard]] Scalar differentiate(const Activation auto& f, Scalar x, Scalar y) {
  using Number = simd::Vector<Scalar, simd::Single>;
  return differentiate(f, Number(x), Number(y)).value;
}

}  // namespace hourglass
