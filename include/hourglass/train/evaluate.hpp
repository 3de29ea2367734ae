// Evaluation: the mean loss of a model over a data set, with no change to the model.
#pragma once

#include <functional>
#include <type_traits>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/nn/workspace.hpp"
#include "hourglass/train/report.hpp"

namespace hourglass {

namespace detail {

/// True for models whose evaluation draws latent variables (a VAE's ELBO).
template <class Model>
inline constexpr bool samples_in_evaluation = requires {
  requires Model::draws_latents_in_evaluation;
};

template <class Model, class Loss>
constexpr void check_objective() {
  static_assert(
      !samples_in_evaluation<Model> ||
          !std::is_invocable_v<Loss, ConstMatrixView<typename Model::Scalar>, ConstMatrixView<typename Model::Scalar>>,
      "a variational autoencoder trains on NegativeELBO{loss}: a reconstruction loss alone would leave out the "
      "KL term");
}

/// Throws unless the data set has samples with as many features as the model expects.
template <class Model>
void check_samples(const char* what, const Model& model, const Samples& data) {
  if (data.rows() == 0) throw DataError(message(what, ": the data set is empty"));
  const Index expected = model.in_features();
  if (!compatible(data.cols(), expected))
    throw ShapeError(message(what, ": the data has ", data.cols(), " features per sample, the model expects ", expected,
                             "; check the image size or the width of the first layer"));
}

/// Changes a batch (batch, features) in place before it is used, with draws from the generator of the pass.
template <class Scalar>
using BatchTransform = std::function<void(MatrixView<Scalar>, Rng&)>;

/// `transform` applied by a pass over batches that draws from `rng`; nothing when it is empty.
template <class Scalar>
[[nodiscard]] BatchOptions<Scalar> batch_options(const BatchTransform<Scalar>& transform, Rng& rng) {
  if (!transform) return {};
  return {.transform = [&transform, &rng](MatrixView<Scalar> batch) { transform(batch, rng); }};
}

template <class Model, class Loss>
[[nodiscard]] LossReport evaluate(const Model& model, const Samples& data, const Loss& loss, Rng& rng,
                                  Workspace<Model>& workspace,
                                  const BatchTransform<typename Model::Scalar>& transform) {
  using Scalar = typename Model::Scalar;
  LossMean mean;
  for (const auto& x : batches<Scalar>(data, workspace.max_batch(), batch_options<Scalar>(transform, rng))) {
    const auto output = [&] {
      if constexpr (samples_in_evaluation<Model>)
        return model.forward(x, workspace, Sampling{rng});
      else
        return model.forward(x, workspace, Inference{});
    }();
    if constexpr (requires { loss.value(output, x, workspace); })
      mean.add(loss.value(output, x, workspace), x.rows(), loss.reduction);
    else
      mean.add(loss(output, x), x.rows(), loss.reduction);
  }
  return mean.report();
}

}  // namespace detail

/// Mean loss of reconstructing `data`, each sample weighted equally (a `sum` reduction is divided by the samples).
/// Models with latent variables draw them with `rng`; others leave it alone. Throws DataError for an empty data set,
/// ShapeError for the wrong number of features.
template <class Model, class Loss>
[[nodiscard]] LossReport evaluate(const Model& model, const Samples& data, const Loss& loss, Rng& rng,
                                  Index batch_size = 256) {
  detail::check_objective<Model, Loss>();
  detail::check_samples("evaluate", model, data);
  Workspace<Model> workspace(model, batch_size, data.cols(), Purpose::inference);
  return detail::evaluate(model, data, loss, rng, workspace, {});
}

}  // namespace hourglass
