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

/// The terms lambda |w|; adds lambda sign(w) to the gradient.
template <class Scalar>
struct L1Terms {
  Scalar lambda;
  const Scalar* w;
  Scalar* gradient;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const V weight = V::load(w + i, n);
    const V zero(0);
    const V sign = select(weight > zero, V(lambda), select(weight < zero, V(-lambda), zero));
    (V::load(gradient + i, n) + sign).store(gradient + i, n);
    return V(lambda) * abs(weight);
  })
};

/// The terms lambda w^2; adds 2 lambda w to the gradient.
template <class Scalar>
struct L2Terms {
  Scalar lambda;
  const Scalar* w;
  Scalar* gradient;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const V weight = V::load(w + i, n);
    fma(V(2 * lambda), weight, V::load(gradient + i, n)).store(gradient + i, n);
    return V(lambda) * weight * weight;
  })
};

template <template <class> class Terms, class Model, class Gradients>
typename Model::Scalar penalize(const Model& model, double lambda, Gradients& gradients, Penalized which) {
  using Scalar = typename Model::Scalar;
  double sum = 0;
  zip_parameters(
      model,
      [&](const ParameterName&, const auto& parameter, Scalar* gradient) {
        if (which == Penalized::weights && parameter.shape().rank() < 2) return;
        const Terms<Scalar> terms{static_cast<Scalar>(lambda), parameter.data(), gradient};
        sum += parallel_vector_sum<Scalar>(parameter.size(), terms);
      },
      gradient_buffer(gradients));
  return static_cast<Scalar>(sum);
}

}  // namespace detail

/// lambda * sum |w|; adds lambda * sign(w) (0 at 0) to `gradients`. Throws ShapeError when they are another model's.
template <class Model, GradientSource<typename Model::Scalar> Gradients>
typename Model::Scalar l1_penalty(const Model& model, double lambda, Gradients& gradients,
                                  Penalized which = Penalized::weights) {
  return detail::penalize<detail::L1Terms>(model, lambda, gradients, which);
}

/// lambda * sum w^2; adds 2 * lambda * w to `gradients`, as an optimiser's weight_decay of 2 * lambda does. Throws
/// ShapeError when they are another model's.
template <class Model, GradientSource<typename Model::Scalar> Gradients>
typename Model::Scalar l2_penalty(const Model& model, double lambda, Gradients& gradients,
                                  Penalized which = Penalized::weights) {
  return detail::penalize<detail::L2Terms>(model, lambda, gradients, which);
}

}  // namespace hourglass
