// fit: the training loop. For each epoch and batch: forward, loss, backward, optimiser step.
//
//     fit(autoencoder, images, BCELoss{}, Adam{}, {}, rng);                            the target is the input
//     fit(autoencoder, images, BCELoss{}, Adam{}, {.corruption = MaskingNoise{}}, rng);   ... before the noise
//     fit(classifier, images, labels, CrossEntropyLoss{}, Adam{}, {}, rng);            the target is the class
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <ostream>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/dataset.hpp"
#include "hourglass/nn/workspace.hpp"
#include "hourglass/optim/clip.hpp"
#include "hourglass/optim/penalty.hpp"
#include "hourglass/train/callbacks.hpp"
#include "hourglass/train/evaluate.hpp"
#include "hourglass/train/metrics_csv.hpp"
#include "hourglass/train/progress.hpp"
#include "hourglass/train/report.hpp"

namespace hourglass {

/// How fit() trains.
template <class Scalar = float>
struct FitOptions {
  Index epochs = 10;
  Index batch_size = 128;
  bool drop_last = false;  ///< leave out a last batch with fewer rows, for layers that cannot do with few: BatchNorm1d
  Dataset validation{};    ///< evaluated after every epoch; empty: nothing is
  std::vector<Callback> callbacks{};
  /// Changes every batch (batch, features) before it is used, for training and validation data alike: binarisation.
  detail::BatchTransform<Scalar> transform{};
  /// Changes a copy of every batch, after `transform`: the model sees the copy, the loss compares with the batch
  /// itself. For training and validation data alike: denoising, see data/corrupt.hpp.
  detail::BatchTransform<Scalar> corruption{};
  double l1 = 0;                        ///< adds l1 * sum |w| over the weights to the objective
  double l2 = 0;                        ///< adds l2 * sum w^2 over the weights to the objective
  double clip_grad_norm = 0;            ///< above 0: the gradient is scaled down to at most this norm
  std::filesystem::path metrics_csv{};  ///< where to write metrics; empty: nowhere
  std::ostream* log = &std::cout;       ///< one line an epoch, and a progress bar on a terminal; null: silence
};

namespace detail {

/// Whether there are parameters that initialize() draws, and whether one of them is not zero.
struct Drawn {
  bool any = false;
  bool nonzero = false;
};
template <class Module>
void find_drawn(const Module& module, Drawn& drawn) {
  if constexpr (!requires(Module & layer) { layer.reset_parameters(); })
    for_each_child(module, [&](const auto&, const auto& child) {
      if constexpr (is_parameter<std::remove_cvref_t<decltype(child)>>) {
        drawn.any = drawn.any || !child.empty();
        for (const auto value : child.values()) drawn.nonzero = drawn.nonzero || value != 0;
      } else {
        find_drawn(child, drawn);
      }
    });
}

template <class Model>
void check_initialized(const Model& model) {
  Drawn drawn;
  find_drawn(model, drawn);
  if (drawn.any && !drawn.nonzero)
    throw DataError("fit: all parameters are zero; call initialize(model, rng) first, or load() a file");
}

template <class Scalar>
void check_options(const FitOptions<Scalar>& options) {
  if (options.epochs < 0)
    throw DataError(message("fit: the number of epochs is ", options.epochs, "; it must be 0 or more"));
  if (options.batch_size < 1)
    throw ShapeError(message("fit: the batch size is ", options.batch_size, "; it must be at least 1"));
  if (!(options.l1 >= 0 && options.l2 >= 0 && options.clip_grad_norm >= 0))
    throw DataError("fit: l1, l2 and clip_grad_norm must be 0 or more");
}

/// A loss that depends on the weights themselves, not through the output alone: its calls take the model first, and it
/// adds the direct gradient after backward(). See ContractiveLoss.
template <class Loss, class Model>
concept LossOfWeights = requires(const Loss& loss, const Model& model, Workspace<Model>& workspace) {
  loss.add_parameter_gradient(model, workspace);
};

/// One pass over the data in a new random order; `steps` counts the batches of all passes.
template <class Model, class Loss, class Optimizer>
[[nodiscard]] LossReport train_epoch(Model& model, const Dataset& data, Loss& loss, Optimizer& optimizer,
                                     const FitOptions<typename Model::Scalar>& options, Rng& rng,
                                     Workspace<Model>& workspace, Index epoch, std::int64_t& steps, ProgressBar& bar) {
  using Scalar = typename Model::Scalar;
  LossMean mean;
  Index number = 0;
  Index images = 0;
  Targets<Loss, Scalar> targets(data, workspace.max_batch());
  BatchOptions<Scalar> how = batch_options<Scalar>(options.transform, options.corruption, rng);
  how.drop_last = options.drop_last;
  auto pass = batches<Scalar>(data.samples(), workspace.max_batch(), rng, how);
  for (auto batch = pass.begin(); batch != pass.end(); ++batch) {
    const auto x = batch.input();
    const auto target = targets.of(batch);
    ++number;
    images += x.rows();
    if constexpr (requires { loss.begin_step(steps); }) loss.begin_step(steps);
    ++steps;
    const auto output = model.forward(x, workspace, Training{rng});
    const auto value = [&] {
      if constexpr (LossOfWeights<Loss, Model>)
        return loss(model, output, target, workspace);
      else
        return loss(output, target, workspace);
    }();
    if (!std::isfinite(loss_of(value)))
      throw DataError(message("fit: the loss is ", loss_of(value), " in epoch ", epoch, ", batch ", number,
                              "; lower the learning rate or clip gradients (.clip_grad_norm = 1)"));
    add_batch(mean, value, output, target, loss.reduction);
    if (LossOfWeights<Loss, Model> || options.l1 > 0 || options.l2 > 0 || options.clip_grad_norm > 0) {
      model.backward(x, workspace);
      if constexpr (LossOfWeights<Loss, Model>) loss.add_parameter_gradient(model, workspace);
      if (options.l1 > 0) l1_penalty(model, options.l1, workspace.gradients());
      if (options.l2 > 0) l2_penalty(model, options.l2, workspace.gradients());
      if constexpr (requires { optimizer.clear_frozen(model, workspace); }) optimizer.clear_frozen(model, workspace);
      if (options.clip_grad_norm > 0) clip_grad_norm(workspace.gradients(), options.clip_grad_norm);
      optimizer.step(model, workspace);
      workspace.update_buffers(model);  // for optimisers that know nothing of buffers
    } else {
      model.backward(x, workspace, optimizer);
    }
    bar.update(epoch, options.epochs, number, pass.count(), images, mean.loss());
  }
  return mean.report();
}

}  // namespace detail

/// Trains `model` on `data` and returns one report per epoch. The target is the batch itself, before
/// `options.corruption`, or the labels of its samples for a loss that takes labels (CrossEntropyLoss): then the model
/// ends in one logit per class, and the reports hold the accuracy beside the loss. Other losses ignore labels.
///
/// The data are shuffled anew each epoch with `rng`, which also feeds corruption, dropout and latent variables: the
/// same seed gives the same model at any number of threads. Validation draws come from a stream of their own and are
/// the same in every epoch. A loss that has `begin_step(std::int64_t step)` is told, in a copy, before each batch how
/// many steps this fit has taken, 0 for the first: warm-up of a term. Throws DataError for an empty data set, for
/// missing labels and labels that are no class of the model, for NaN or infinity in data or loss and for a model that
/// was never initialised, and ShapeError when the widths do not fit.
template <class Model, class Loss, class Optimizer>
std::vector<EpochReport> fit(Model& model, const Dataset& data, const Loss& loss, Optimizer&& optimizer,
                             const FitOptions<typename Model::Scalar>& options, Rng& rng) {
  using Clock = std::chrono::steady_clock;
  detail::check_objective<Model, Loss>();
  detail::check_options(options);
  detail::check_data<Loss>("fit", model, data);
  data.samples().check_finite();
  if (!options.validation.empty()) {
    detail::check_data<Loss>("fit (validation)", model, options.validation);
    options.validation.samples().check_finite();
  }
  detail::check_initialized(model);
  if constexpr (requires { optimizer.prepare(std::as_const(model)); }) optimizer.prepare(std::as_const(model));

  const Rng validation_rng = rng.split();
  Workspace<Model> workspace(model, std::min(options.batch_size, data.rows()), data.cols());
  std::optional<MetricsCsv> csv;
  if (!options.metrics_csv.empty()) csv.emplace(options.metrics_csv);
  ProgressBar bar(options.log);
  std::vector<EpochReport> history;
  std::int64_t steps = 0;
  Loss objective = loss;  // changes with the steps if it likes
  for (Index epoch = 1; epoch <= options.epochs; ++epoch) {
    EpochReport report;
    report.epoch = epoch;
    report.epochs = options.epochs;
    report.learning_rate = optimizer.lr();
    const auto start = Clock::now();
    keep_threads([&] {
      report.train = detail::train_epoch(model, data, objective, optimizer, options, rng, workspace, epoch, steps, bar);
    });
    report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    report.images_per_second = static_cast<double>(data.rows()) / report.seconds;
    if (!options.validation.empty()) {
      Rng draws = validation_rng;
      keep_threads([&] {
        report.test = detail::evaluate(model, options.validation, std::as_const(objective), draws, workspace,
                                       options.transform, options.corruption);
      });
    }
    bar.clear();
    if (options.log) *options.log << epoch_line(report) << std::endl;
    if (csv) csv->write(report);
    history.push_back(report);
    bool go_on = true;
    for (const Callback& callback : options.callbacks) go_on = callback(report) && go_on;
    if (!go_on) break;
  }
  return history;
}

/// Trains a classifier on images and their labels, which may be of any integral type: see above. Throws ShapeError
/// unless there is one label for each image.
template <class Model, class Loss, class Optimizer>
std::vector<EpochReport> fit(Model& model, const Samples& images, const Labels& labels, const Loss& loss,
                             Optimizer&& optimizer, const FitOptions<typename Model::Scalar>& options, Rng& rng) {
  static_assert(detail::takes_labels<Loss, typename Model::Scalar>,
                "fit: labels are for losses that take them, such as CrossEntropyLoss");
  return fit(model, Dataset(images, labels), loss, std::forward<Optimizer>(optimizer), options, rng);
}

}  // namespace hourglass
