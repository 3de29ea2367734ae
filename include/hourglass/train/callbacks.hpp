// Callbacks: code that fit() runs after each epoch, and that may end the training.
#pragma once

#include <concepts>
#include <filesystem>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>

#include "hourglass/io/safetensors.hpp"
#include "hourglass/train/report.hpp"

namespace hourglass {

/// Any callable that takes an EpochReport. If it returns a bool, false ends the training after this epoch.
class Callback {
 public:
  template <std::invocable<const EpochReport&> Function>
  requires(!std::same_as<std::remove_cvref_t<Function>, Callback>)
      // NOLINTNEXTLINE(google-explicit-constructor): a lambda in a list of callbacks is one
      Callback(Function function) {
    if constexpr (std::is_void_v<std::invoke_result_t<Function&, const EpochReport&>>)
      function_ = [f = std::move(function)](const EpochReport& report) mutable {
        f(report);
        return true;
      };
    else
      function_ = std::move(function);
  }

  bool operator()(const EpochReport& report) const { return function_(report); }

 private:
  std::function<bool(const EpochReport&)> function_;
};

/// The loss that tells whether a model got better: on validation data when there are any.
[[nodiscard]] inline double monitored_loss(const EpochReport& report) noexcept {
  return report.test ? report.test->loss : report.train.loss;
}

/// Ends the training when the monitored loss has not fallen by more than `min_delta` for `patience` epochs.
class EarlyStopping {
 public:
  explicit EarlyStopping(Index patience = 5, double min_delta = 0) : patience_{patience}, min_delta_{min_delta} {}

  bool operator()(const EpochReport& report) {
    const double loss = monitored_loss(report);
    if (loss < best_ - min_delta_) {
      best_ = loss;
      waited_ = 0;
      return true;
    }
    return ++waited_ < patience_;
  }

 private:
  Index patience_;
  double min_delta_;
  double best_ = std::numeric_limits<double>::infinity();
  Index waited_ = 0;
};

/// Saves the model whenever the monitored loss is the lowest so far. The model must outlive the callback.
template <class Model>
class ModelCheckpoint {
 public:
  ModelCheckpoint(const Model& model, std::filesystem::path path) : model_{&model}, path_{std::move(path)} {}

  void operator()(const EpochReport& report) {
    const double loss = monitored_loss(report);
    if (!(loss < best_)) return;
    best_ = loss;
    save(*model_, path_);
  }

 private:
  const Model* model_;
  std::filesystem::path path_;
  double best_ = std::numeric_limits<double>::infinity();
};

}  // namespace hourglass
