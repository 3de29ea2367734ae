// Updates: what an optimiser does to each weight, as a rule over vectors.
//
// A rule holds the numbers of one step and pointers to the optimiser's moments, and has
//     V operator()(V weight, V gradient, Index i, auto at) const   the new weights; i: the place of the first lane
//     void prefetch(Index i) const                                 asks for the moments there
//     Rule at_slot(Index offset) const                             the rule for the parameter whose slot starts there
//     bool frozen() const                                          the parameter there stays as it is (optional)
// where `at.load<V>(p)` and `at.store<V>(v, p)` reach as many lanes as there are. It runs over whole parameters here,
// and inside the product that makes a layer's gradient in epilogue::Update: the same code, so the same bits.
#pragma once

#include <algorithm>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"

namespace hourglass {

/// An optimiser that can update weights while their gradients are made.
template <class T, class Model>
concept StepwiseOptimizer = requires(T& optimizer, const Model& model) {
  optimizer.begin_step(model).at_slot(Index{}).prefetch(Index{});
};

namespace detail {

/// The rule leaves the parameter at its slot alone, so that nobody needs the gradient.
template <class Rule>
[[nodiscard]] bool is_frozen(const Rule& rule) noexcept {
  if constexpr (requires { rule.frozen(); })
    return rule.frozen();
  else
    return false;
}

/// The rule on the elements [begin, end) of one parameter.
template <class Scalar, class Rule>
struct UpdateRange {
  Rule rule;
  Index begin;
  Index end;
  Scalar* weights;
  const Scalar* gradients;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = begin; i < end; i += V::lanes) {
      const simd::Lanes at{std::min<Index>(V::lanes, end - i)};
      at.template store<V>(rule(at.template load<V>(weights + i), at.template load<V>(gradients + i), i, at),
                           weights + i);
    }
  })
};

/// The rule on the elements [begin, end) of one parameter, on this thread; nothing if it is frozen.
template <class Rule, class Scalar>
void update_range(const Rule& rule, Index begin, Index end, Scalar* weights, const Scalar* gradients) {
  if (is_frozen(rule)) return;
  simd::dispatch<Scalar>(UpdateRange<Scalar, Rule>{rule, begin, end, weights, gradients});
}

/// The rule on all parameters of a model or layer. Throws ShapeError when the gradients belong to another model.
template <class Model, class Gradients, class Rule>
void update_parameters(Model& model, const Gradients& gradients, const Rule& rule) {
  using Scalar = typename Gradients::Scalar;
  zip_parameters(
      model,
      [&](const ParameterName&, auto& parameter, const Scalar* gradient) {
        const Rule own = rule.at_slot(gradient - gradients.data());
        parallel_ranges(parameter.size(), [&, weights = parameter.data()](Index begin, Index end) {
          update_range(own, begin, end, weights, gradient);
        });
      },
      gradients);
}

}  // namespace detail
}  // namespace hourglass
