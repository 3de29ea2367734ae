// fit: the training loop. For each epoch and batch: forward, loss, backward, optimiser step.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <optional>
#include <ostream>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/samples.hpp"
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
  Samples validation{};  ///< evaluated after every epoch; empty: nothing is
  std::vector<Callback> callbacks{};
  /// Changes every batch (batch, features) before it is used, for training and validation data alike: binarisation.
  detail::BatchTransform<Scalar> transform{};
  double l1 = 0;                        ///< adds l1 * sum |w| over the weights to the objective
  double l2 = 0;                        ///< adds l2 * sum w^2 over the weights to the objective
  double clip_grad_norm = 0;            ///< above 0: the gradient is scaled down to at most this norm
  std::filesystem::path metrics_csv{};  ///< where to write metrics; empty: nowhere
  std::ostream* log = &std::cout;       ///< one line an epoch, and a progress bar on a terminal; null: silence
};

namespace detail {

template <class Model>
void check_initialized(const Model& model) {
  bool any = parameter_count(model) == 0;
  for_each_parameter(model, [&](const ParameterName&, const auto& parameter) {
    for (const auto value : parameter.values()) any = any || value != 0;
  });
  if (!any) throw DataError("fit: all parameters are zero; call initialize(model, rng) first, or load() a file");
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

/// One pass over the data in a new random order.
template <class Model, class Loss, class Optimizer>
[[nodiscard]] LossReport train_epoch(Model& model, const Samples& data, const Loss& loss, Optimizer& optimizer,
                                     const FitOptions<typename Model::Scalar>& options, Rng& rng,
                                     Workspace<Model>& workspace, Index epoch, ProgressBar& bar) {
  using Scalar = typename Model::Scalar;
  LossMean mean;
  Index number = 0;
  Index images = 0;
  auto epoch_batches = batches<Scalar>(data, workspace.max_batch(), rng, batch_options<Scalar>(options.transform, rng));
  for (const auto& x : epoch_batches) {
    ++number;
    images += x.rows();
    const auto output = model.forward(x, workspace, Training{rng});
    const auto value = loss(output, x, workspace);
    if (!std::isfinite(loss_of(value)))
      throw DataError(message("fit: the loss is ", loss_of(value), " in epoch ", epoch, ", batch ", number,
                              "; lower the learning rate or clip gradients (.clip_grad_norm = 1)"));
    if (options.l1 > 0 || options.l2 > 0 || options.clip_grad_norm > 0) {
      model.backward(x, workspace);
      if (options.l1 > 0) l1_penalty(model, options.l1, workspace.gradients());
      if (options.l2 > 0) l2_penalty(model, options.l2, workspace.gradients());
      if (options.clip_grad_norm > 0) clip_grad_norm(workspace.gradients(), options.clip_grad_norm);
      optimizer.step(model, workspace);
    } else {
      model.backward(x, workspace, optimizer);
    }
    mean.add(value, x.rows(), loss.reduction);
    bar.update(epoch, options.epochs, number, epoch_batches.count(), images, mean.loss());
  }
  return mean.report();
}

}  // namespace detail

/// Trains `model` to reconstruct `data` and returns one report per epoch.
///
/// The data are shuffled anew each epoch with `rng`, which also feeds dropout and latent variables: the same seed gives
/// the same model at any number of threads. Validation draws come from a stream of their own and are the same in every
/// epoch. Throws DataError for an empty data set, for NaN or infinity in data or loss and for a model that was never
/// initialised, and ShapeError when the widths do not fit.
template <class Model, class Loss, class Optimizer>
std::vector<EpochReport> fit(Model& model, const Samples& data, const Loss& loss, Optimizer&& optimizer,
                             const FitOptions<typename Model::Scalar>& options, Rng& rng) {
  using Clock = std::chrono::steady_clock;
  detail::check_objective<Model, Loss>();
  detail::check_options(options);
  detail::check_samples("fit", model, data);
  data.check_finite();
  if (!options.validation.empty()) {
    detail::check_samples("fit (validation)", model, options.validation);
    options.validation.check_finite();
  }
  detail::check_initialized(model);

  const Rng validation_rng = rng.split();
  Workspace<Model> workspace(model, std::min(options.batch_size, data.rows()), data.cols());
  std::optional<MetricsCsv> csv;
  if (!options.metrics_csv.empty()) csv.emplace(options.metrics_csv);
  ProgressBar bar(options.log);
  std::vector<EpochReport> history;
  for (Index epoch = 1; epoch <= options.epochs; ++epoch) {
    EpochReport report;
    report.epoch = epoch;
    report.epochs = options.epochs;
    report.learning_rate = optimizer.lr();
    const auto start = Clock::now();
    keep_threads(
        [&] { report.train = detail::train_epoch(model, data, loss, optimizer, options, rng, workspace, epoch, bar); });
    report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    report.images_per_second = static_cast<double>(data.rows()) / report.seconds;
    if (!options.validation.empty()) {
      Rng draws = validation_rng;
      keep_threads([&] {
        report.test = detail::evaluate(model, options.validation, loss, draws, workspace, options.transform);
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

}  // namespace hourglass
