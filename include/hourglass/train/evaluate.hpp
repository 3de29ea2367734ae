// Evaluation: the mean loss of a model over a data set, and the accuracy of a classifier, with no change to the model.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/dataset.hpp"
#include "hourglass/nn/workspace.hpp"
#include "hourglass/train/predict.hpp"
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

/// True for losses that compare the output with class numbers (CrossEntropyLoss) instead of with a batch.
template <class Loss, class Scalar>
inline constexpr bool takes_labels = [] {
  if constexpr (std::is_invocable_v<const Loss&, ConstMatrixView<Scalar>, ConstMatrixView<Scalar>>)
    return false;
  else
    return std::is_invocable_v<const Loss&, ConstMatrixView<Scalar>, std::span<const Index>>;
}();

/// Throws unless the data set has samples with as many features as the model expects.
template <class Model>
void check_samples(const char* what, const Model& model, const Samples& data) {
  if (data.rows() == 0) throw DataError(message(what, ": the data set is empty"));
  const Index expected = model.in_features();
  if (!compatible(data.cols(), expected))
    throw ShapeError(message(what, ": the data has ", data.cols(), " features per sample, the model expects ", expected,
                             "; check the image size or the width of the first layer"));
}

/// The same, and throws unless there are labels that fit the model if the loss takes labels.
template <class Loss, class Model>
void check_data(const char* what, const Model& model, const Dataset& data) {
  check_samples(what, model, data.samples());
  if constexpr (takes_labels<Loss, typename Model::Scalar>) {
    std::string_view user = "the loss";
    if constexpr (requires { Loss::name; }) user = Loss::name;
    check_labels(what, user, data, model.out_features(data.cols()));
  }
}

/// What a loss compares the output for a batch with: the clean batch, or the labels of its samples.
template <class Loss, class Scalar>
class Targets {
 public:
  Targets(const Dataset& data, Index max_batch) : labels_{data.labels()} {
    if constexpr (takes_labels<Loss, Scalar>) batch_labels_.resize(static_cast<std::size_t>(max_batch));
  }
  /// The target of the batch at `batch`, an iterator of Batches.
  [[nodiscard]] auto of(const typename Batches<Scalar>::Iterator& batch) {
    if constexpr (takes_labels<Loss, Scalar>)
      return labels_.gather(batch.indices(), batch_labels_);
    else
      return *batch;
  }

 private:
  Labels labels_;
  std::vector<Index> batch_labels_;
};

/// Adds the value of the loss for a batch and, where the target is labels, how many samples are right.
template <class Value, class Scalar, class Target>
void add_batch(LossMean& mean, const Value& value, const ConstMatrixView<Scalar>& output, const Target& target,
               Reduction reduction) {
  mean.add(value, output.rows(), reduction);
  if constexpr (std::is_same_v<Target, std::span<const Index>>) mean.add_correct(count_correct(output, target));
}

/// Changes a batch (batch, features) in place, with draws from the generator of the pass.
template <class Scalar>
using BatchTransform = std::function<void(MatrixView<Scalar>, Rng&)>;

/// `transform` and `corruption` applied by a pass over batches that draws from `rng`; nothing where they are empty.
template <class Scalar>
[[nodiscard]] BatchOptions<Scalar> batch_options(const BatchTransform<Scalar>& transform,
                                                 const BatchTransform<Scalar>& corruption, Rng& rng) {
  const auto bind = [&rng](const BatchTransform<Scalar>& change) -> std::function<void(MatrixView<Scalar>)> {
    if (!change) return {};
    return [&change, &rng](MatrixView<Scalar> batch) { change(batch, rng); };
  };
  return {.transform = bind(transform), .corruption = bind(corruption)};
}

template <class Model, class Loss>
[[nodiscard]] LossReport evaluate(const Model& model, const Dataset& data, const Loss& loss, Rng& rng,
                                  Workspace<Model>& workspace, const BatchTransform<typename Model::Scalar>& transform,
                                  const BatchTransform<typename Model::Scalar>& corruption) {
  using Scalar = typename Model::Scalar;
  LossMean mean;
  Targets<Loss, Scalar> targets(data, workspace.max_batch());
  auto pass = batches<Scalar>(data.samples(), workspace.max_batch(), batch_options<Scalar>(transform, corruption, rng));
  for (auto batch = pass.begin(); batch != pass.end(); ++batch) {
    const auto output = [&] {
      if constexpr (samples_in_evaluation<Model>)
        return model.forward(batch.input(), workspace, Sampling{rng});
      else
        return model.forward(batch.input(), workspace, Inference{});
    }();
    const auto target = targets.of(batch);
    if constexpr (requires { loss.value(model, output, target, workspace); })
      add_batch(mean, loss.value(model, output, target, workspace), output, target, loss.reduction);
    else if constexpr (requires { loss.value(output, target, workspace); })
      add_batch(mean, loss.value(output, target, workspace), output, target, loss.reduction);
    else
      add_batch(mean, loss(output, target), output, target, loss.reduction);
  }
  return mean.report();
}

}  // namespace detail

/// Mean loss over `data`, each sample weighted equally (a `sum` reduction is divided by the samples), and the accuracy
/// where the loss takes labels. Models with latent variables draw them with `rng`; others leave it alone. Throws
/// DataError for an empty data set, missing labels and labels that are no class of the model, ShapeError for the wrong
/// number of features.
template <class Model, class Loss>
[[nodiscard]] LossReport evaluate(const Model& model, const Dataset& data, const Loss& loss, Rng& rng,
                                  Index batch_size = 256) {
  detail::check_objective<Model, Loss>();
  detail::check_data<Loss>("evaluate", model, data);
  Workspace<Model> workspace(model, batch_size, data.cols(), Purpose::inference);
  return detail::evaluate(model, data, loss, rng, workspace, {}, {});
}

}  // namespace hourglass
