// Gradients: where optimisers, penalties and clipping find them, and how buffers follow a step.
#pragma once

#include <concepts>
#include <type_traits>

#include "hourglass/core/parameter_buffer.hpp"

namespace hourglass {

/// A ParameterBuffer, or anything whose `gradients()` gives one, such as a Workspace.
template <class T, class Scalar>
concept GradientSource = std::same_as<std::remove_cvref_t<T>, ParameterBuffer<Scalar>> || requires(T& workspace) {
  { workspace.gradients() } -> std::convertible_to<const ParameterBuffer<Scalar>&>;
};

namespace detail {

/// The gradient buffer itself.
template <class Source>
[[nodiscard]] auto& gradient_buffer(Source& source) {
  if constexpr (requires { source.gradients(); }) {
    static_assert(std::is_reference_v<decltype(source.gradients())>, "gradients() returns its buffer by reference");
    return source.gradients();
  } else {
    return source;
  }
}

/// Lets the buffers of `model` follow the pass that gave the gradients, if `source` is a workspace and knows about it.
template <class Model, class Source>
void step_buffers(Model& model, Source& source) {
  if constexpr (requires { source.update_buffers(model); })
    source.update_buffers(model);
  else
    static_assert(
        !requires(std::remove_const_t<Source> & workspace) { workspace.update_buffers(model); },
        "a step moves running statistics on, once for each forward pass: the workspace must not be const");
}

}  // namespace detail
}  // namespace hourglass
