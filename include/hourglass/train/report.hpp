// Reports: what an epoch of training came to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/extent.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// A loss averaged over a data set, its named terms if it has several (reconstruction and kl of an ELBO), and how many
/// samples a classifier got right.
struct LossReport {
  double loss = 0;
  std::vector<std::pair<std::string, double>> parts{};
  std::optional<double> accuracy{};  ///< correct / samples; only for losses that take labels
};

/// One epoch of fit().
struct EpochReport {
  Index epoch = 0;                 ///< counted from 1
  Index epochs = 0;                ///< how many were asked for
  LossReport train;                ///< mean over the epoch's batches, while the weights changed
  std::optional<LossReport> test;  ///< on the validation data after the epoch, if there are any
  double learning_rate = 0;
  double seconds = 0;            ///< of training, validation not included
  double images_per_second = 0;  ///< of training
};

namespace detail {

/// Mean of losses over batches of different sizes, in double, each weighted by its samples.
class LossMean {
 public:
  /// `value` is a number, or a struct with `loss`, `names` and `parts()`. Sums are divided by the samples at the end,
  /// means are weighted with them.
  template <class Value>
  void add(const Value& value, Index samples, Reduction reduction) {
    const double weight = reduction == Reduction::sum ? 1.0 : static_cast<double>(samples);
    samples_ += static_cast<double>(samples);
    if constexpr (requires { value.parts(); }) {
      loss_ += weight * static_cast<double>(value.loss);
      const auto parts = value.parts();
      parts_.resize(parts.size());
      for (std::size_t i = 0; i < parts.size(); ++i) {
        parts_[i].first = Value::names[i];
        parts_[i].second += weight * parts[i];
      }
    } else {
      loss_ += weight * static_cast<double>(value);
    }
  }
  /// Counts the correct ones among samples that were or will be added.
  void add_correct(Index correct) { correct_ = correct_.value_or(0) + correct; }
  [[nodiscard]] double loss() const noexcept { return samples_ > 0 ? loss_ / samples_ : 0; }
  [[nodiscard]] LossReport report() const {
    LossReport result{loss()};
    if (correct_ && samples_ > 0) result.accuracy = static_cast<double>(*correct_) / samples_;
    for (const auto& [name, sum] : parts_) result.parts.emplace_back(std::string(name), sum / samples_);
    return result;
  }

 private:
  double samples_ = 0;
  double loss_ = 0;
  std::optional<Index> correct_;
  std::vector<std::pair<std::string_view, double>> parts_;
};

/// The number of a loss value: itself, or its member `loss`.
template <class Value>
[[nodiscard]] double loss_of(const Value& value) noexcept {
  if constexpr (requires { value.loss; })
    return static_cast<double>(value.loss);
  else
    return static_cast<double>(value);
}

}  // namespace detail
}  // namespace hourglass
