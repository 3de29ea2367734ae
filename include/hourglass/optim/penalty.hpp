// Penalties on the size of weights: lambda * sum |w| and lambda * sum w^2, with their gradients.
#pragma once

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/optim/gradients.hpp"

namespace hourglass {

/// Which parameters a penalty is for: weights are those of rank 2 and above, so no biases.
enum class Penalized { weights, all };

namespace detail {

/// `term(w, gradient)` returns the value of one weight and adds its gradient.
template <class Model, class Gradients, class Term>
typename Model::Scalar penalize(Model& model, Gradients& gradients, Penalized which, const Term& term) {
  using Scalar = typename Model::Scalar;
  double sum = 0;
  zip_parameters(
      model,
      [&](const ParameterName&, const auto& parameter, Scalar* gradient) {
        if (which == Penalized::weights && parameter.shape().rank() < 2) return;
        const Scalar* const w = parameter.data();
        sum += parallel_block_sum<Scalar>(parameter.size(), [&](Index first, auto count, Scalar* values) {
          Scalar added[block_size];
          for (Index i = 0; i < count; ++i) values[i] = term(w[first + i], added[i]);
          for (Index i = 0; i < count; ++i) gradient[first + i] += added[i];
        });
      },
      gradient_buffer(gradients));
  return static_cast<Scalar>(sum);
}

}  // namespace detail

/// lambda * sum |w|; adds lambda * sign(w) (0 at 0) to `gradients`. Throws ShapeError when they are another model's.
template <class Model, GradientSource<typename Model::Scalar> Gradients>
typename Model::Scalar l1_penalty(const Model& model, double lambda, Gradients& gradients,
                                  Penalized which = Penalized::weights) {
  using Scalar = typename Model::Scalar;
  const auto factor = static_cast<Scalar>(lambda);
  return detail::penalize(model, gradients, which, [factor](Scalar w, Scalar& gradient) {
    const Scalar positive = w > 0 ? factor : Scalar(0);
    const Scalar negative = w < 0 ? factor : Scalar(0);
    gradient = positive - negative;
    return factor * (w < 0 ? -w : w);
  });
}

/// lambda * sum w^2; adds 2 * lambda * w to `gradients`, as an optimiser's weight_decay of 2 * lambda does. Throws
/// ShapeError when they are another model's.
template <class Model, GradientSource<typename Model::Scalar> Gradients>
typename Model::Scalar l2_penalty(const Model& model, double lambda, Gradients& gradients,
                                  Penalized which = Penalized::weights) {
  using Scalar = typename Model::Scalar;
  const auto factor = static_cast<Scalar>(lambda);
  return detail::penalize(model, gradients, which, [factor](Scalar w, Scalar& gradient) {
    gradient = 2 * factor * w;
    return factor * w * w;
  });
}

}  // namespace hourglass
