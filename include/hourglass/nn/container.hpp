// Containers: modules made of modules, and the three passes through which a workspace drives any of them.
//
// A container has
//     Cache, plan(max_batch, in, purpose)                      its buffers, with output(rows) and bytes()
//     forward(x, cache, mode, rows)                            fills and returns rows `rows` of its output
//     backward_inputs(x, dy, cache, gradient, dx, rows)        gradients of what lies between its layers
//     backward_parameters(self, x, dy, cache, sink, part)      gradients of its parameters, or a step along them
//     update_buffers(cache)                                    running statistics follow the last training pass
//     LastActivation, last_activation(), last_input(cache)     the activation that it ends in; void if another layer
//     rows_independent                                         no row of a batch looks at another or at a
//                                                              generator; it is so where it is with all of
//                                                              its parts
//     row_group                                                ranges of rows begin at its multiples: the largest of
//                                                              its parts' (optional: most_row_group)
//
// A pass over rows can be cut into ranges of rows, one per thread, and the last pass into parts: three parallel regions
// for a step, however deep the network is. `dy` of a container that ends in an activation is the gradient before that
// activation, which whoever makes dy has applied: mostly as the end of a product.
#pragma once

#include <span>
#include <type_traits>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

/// Part `index` of `count` of some work.
struct WorkPart {
  int index = 0;
  int count = 1;
};

/// Where gradients of parameters go: to their slots.
template <class Scalar>
struct GradientStore {
  static constexpr bool updates = false;
  Scalar* gradient;  // slots of the module
  [[nodiscard]] GradientStore at_slot(Index offset) const noexcept { return {gradient + offset}; }
};

/// Where gradients of parameters go: into a step on these, see core/update.hpp. They reach their slots only where a
/// layer cannot do without.
template <class Scalar, class Rule_>
struct GradientUpdate {
  using Rule = Rule_;
  static constexpr bool updates = true;
  Scalar* gradient;
  Rule rule;
  [[nodiscard]] GradientUpdate at_slot(Index offset) const noexcept {
    return {gradient + offset, rule.at_slot(offset)};
  }
};

namespace detail {

template <class Module>
struct LastActivationOf {
  using type = void;
};
template <Container Module>
struct LastActivationOf<Module> {
  using type = typename Module::LastActivation;
};
template <class Module>
using LastActivation = typename LastActivationOf<Module>::type;
template <class Module>
inline constexpr bool ends_in_activation = !std::is_void_v<LastActivation<Module>>;

/// Other layers write gradients and scratch memory of the whole batch at once.
template <class Module>
inline constexpr bool rows_independent = Activation<Module> || Affine<Module> || TakesRows<Module> ||
                                         (Container<Module> && requires { requires Module::rows_independent; });

/// No row of a batch looks at another while the module infers, without memory for a backward pass: some layers only
/// look at the batch, or at a generator, when they train.
template <class Module>
[[nodiscard]] bool takes_rows_in_inference(const Module& module) {
  if constexpr (rows_independent<Module>) {
    return true;
  } else if constexpr (requires { module.takes_rows_in_inference(); }) {
    return module.takes_rows_in_inference();
  } else if constexpr (Container<Module> && requires { Module::rows_independent; }) {
    bool all = true;
    for_each_child(module, [&](const auto&, const auto& part) { all = all && takes_rows_in_inference(part); });
    return all;
  } else {
    return false;
  }
}

/// The largest group of rows for which a layer has scratch memory of its own.
inline constexpr Index most_row_group = 16;

/// Ranges of rows begin at multiples of this, so that no two threads work on the same group.
template <class Module>
constexpr Index row_group() noexcept {
  if constexpr (requires { Module::row_group; })
    return Module::row_group;
  else
    return Container<Module> ? most_row_group : 1;
}

/// The activation that made the input of a module, for the product that makes the gradient of that input.
template <class Scalar, class A>
struct Behind {
  const A& activation;
  const Scalar* x;  // null: not kept, since the derivative follows from y
  const Scalar* y;

  [[nodiscard]] auto epilogue(Index leading) const noexcept {
    return epilogue::TimesDerivative<Scalar, A>{y, leading, activation, x};
  }
};
struct Nothing {
  [[nodiscard]] static epilogue::Store epilogue(Index) noexcept { return {}; }
};

/// Rows `rows` of the activation that a container ends in.
template <class Scalar, class Module, class Cache>
[[nodiscard]] Behind<Scalar, LastActivation<Module>> last_activation(const Module& module, const Cache& cache,
                                                                     RowRange rows) {
  const auto y = cache.output(rows.first + rows.count);
  const Scalar* x = module.last_input(cache);
  const Index skip = rows.first * y.cols();
  return {module.last_activation(), x == nullptr ? nullptr : x + skip, y.data() + skip};
}

/// dy f'(x) in place for rows `rows` of the output of a module that ends in the activation f; others leave dy alone.
template <class Scalar, class Module, class Cache>
void before_last_activation(const Module& module, const Cache& cache, RowRange rows, MatrixView<Scalar> dy) {
  if constexpr (ends_in_activation<Module>) {
    const auto last = last_activation<Scalar>(module, cache, rows);
    activation_backward(last.activation, dy.size(), last.x == nullptr ? last.y : last.x, last.y, dy.data(), dy.data());
  }
}

/// dx (rows of it, empty: not wanted) from the rows of x and dy that belong to `rows`. Layers that are neither
/// containers nor affine nor activations write the gradients of their parameters to their slots here.
template <class Scalar, class Module, class Cache, class Before = Nothing>
void backward_inputs(const Module& module, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                     Cache& cache, Scalar* gradient, MatrixView<Scalar> dx, RowRange rows, const Before& before = {}) {
  if constexpr (Container<Module>) {
    if constexpr (std::is_same_v<Before, Nothing>)
      module.backward_inputs(x, dy, cache, gradient, dx, rows);
    else
      module.backward_inputs(x, dy, cache, gradient, dx, rows, before);
  } else if constexpr (TakesRows<Module>) {
    const ConstMatrixView<Scalar> y = rows_of(std::as_const(cache.values), rows);
    module.backward(x, y, dy, dx, std::span<Scalar>(cache.scratch), rows, before.epilogue(dx.cols()));
  } else if constexpr (Affine<Module>) {
    if (dx.data() != nullptr) module.input_gradient(dy, dx, before.epilogue(dx.cols()));
  } else if constexpr (Activation<Module>) {
    if (dx.data() == nullptr) return;
    const ConstMatrixView<Scalar> y = rows_of(std::as_const(cache.values), rows);
    activation_backward(module, dx.size(), x.data() == nullptr ? y.data() : x.data(), y.data(), dy.data(), dx.data());
  } else {
    const ConstMatrixView<Scalar> y = rows_of(std::as_const(cache.values), rows);
    module.backward(x, y, dy, dx, std::span<const Scalar>(cache.scratch), gradient);
  }
}

/// A module whose input gradient can end in the derivative of the activation before it.
template <class Module>
inline constexpr bool starts_affine = [] {
  if constexpr (requires { Module::starts_affine; })
    return Module::starts_affine;
  else
    return Affine<Module> || TakesRows<Module>;
}();

template <class Scalar, class Self, class Cache, class Sink>
void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                         const Sink& sink, WorkPart part) {
  using Module = std::remove_const_t<Self>;
  if constexpr (Container<Module>) {
    Module::backward_parameters(self, x, dy, cache, sink, part);
  } else if constexpr (TakesRows<Module>) {
    if constexpr (requires { Module::fields(); })
      Module::parameter_gradient(self, x.rows(), std::span<Scalar>(cache.scratch), sink, part);
  } else if constexpr (Affine<Module>) {
    Module::parameter_gradient(self, x, dy, sink, part);
  } else if constexpr (Sink::updates && !Activation<Module>) {
    // backward_inputs has filled the slots.
    if (part.index != 0) return;
    for_each_parameter(self, [&, offset = Index{0}](const ParameterName&, auto& parameter) mutable {
      update_range(sink.rule.at_slot(offset), Index{0}, parameter.size(), parameter.data(),
                   static_cast<const Scalar*>(sink.gradient + offset));
      offset += slot_size<Scalar>(parameter.size());
    });
  }
}

}  // namespace detail
}  // namespace hourglass
