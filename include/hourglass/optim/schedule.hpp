// Schedules: learning rates that change with the epoch, by PyTorch's names and recurrences (torch.optim.lr_scheduler).
//
// A schedule refers to its optimiser, which must outlive it, and needs only its lr() and set_lr(). Call step() once
// after each epoch.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"

namespace hourglass {

/// lr *= gamma after every `step_size` epochs. Throws DataError unless step_size >= 1 and gamma >= 0.
template <class Optimizer>
class StepLR {
 public:
  StepLR(Optimizer& optimizer, Index step_size, double gamma = 0.1)
      : optimizer_{&optimizer}, step_size_{step_size}, gamma_{gamma} {
    if (step_size < 1) throw DataError(detail::message("StepLR: step_size must be at least 1, it is ", step_size));
    if (!(gamma >= 0)) throw DataError(detail::message("StepLR: gamma must not be negative, it is ", gamma));
  }

  void step() {
    if (++epoch_ % step_size_ == 0) optimizer_->set_lr(optimizer_->lr() * gamma_);
  }
  /// Steps taken.
  [[nodiscard]] Index epoch() const noexcept { return epoch_; }

 private:
  Optimizer* optimizer_;
  Index step_size_;
  double gamma_;
  Index epoch_ = 0;
};

/// lr = eta_min + (lr_0 - eta_min) (1 + cos(pi epoch / T_max)) / 2, as a recurrence on the optimiser's present lr; past
/// T_max it rises again. lr_0 is the rate at construction. Throws DataError unless T_max >= 1 and eta_min >= 0.
template <class Optimizer>
class CosineAnnealingLR {
 public:
  CosineAnnealingLR(Optimizer& optimizer, Index T_max, double eta_min = 0.0)
      : optimizer_{&optimizer}, T_max_{T_max}, eta_min_{eta_min}, base_lr_{optimizer.lr()} {
    if (T_max < 1) throw DataError(detail::message("CosineAnnealingLR: T_max must be at least 1, it is ", T_max));
    if (!(eta_min >= 0))
      throw DataError(detail::message("CosineAnnealingLR: eta_min must not be negative, it is ", eta_min));
  }

  void step() {
    ++epoch_;
    const auto period = static_cast<double>(T_max_);
    const double lr = optimizer_->lr();
    // At the bottom of the curve the recurrence would divide zero by zero.
    if ((epoch_ - 1 - T_max_) % (2 * T_max_) == 0) {
      optimizer_->set_lr(lr + (base_lr_ - eta_min_) * (1 - std::cos(std::numbers::pi / period)) / 2);
      return;
    }
    const double now = 1 + std::cos(std::numbers::pi * static_cast<double>(epoch_) / period);
    const double before = 1 + std::cos(std::numbers::pi * static_cast<double>(epoch_ - 1) / period);
    // Rounding may leave the lowest rate a hair below zero, which an optimiser refuses.
    optimizer_->set_lr(std::max(now / before * (lr - eta_min_) + eta_min_, 0.0));
  }
  /// Steps taken.
  [[nodiscard]] Index epoch() const noexcept { return epoch_; }

 private:
  Optimizer* optimizer_;
  Index T_max_;
  double eta_min_;
  double base_lr_;
  Index epoch_ = 0;
};

/// Whether a metric is better when it is lower or when it is higher.
enum class PlateauMode { min, max };
/// Whether an improvement is measured as a fraction of the best metric or in its units.
enum class ThresholdMode { rel, abs };

/// Options of ReduceLROnPlateau, named as in PyTorch.
struct ReduceLROnPlateauOptions {
  PlateauMode mode = PlateauMode::min;
  double factor = 0.1;
  Index patience = 10;      ///< epochs without improvement that are tolerated
  double threshold = 1e-4;  ///< smallest change that counts as an improvement
  ThresholdMode threshold_mode = ThresholdMode::rel;
  Index cooldown = 0;  ///< epochs after a reduction during which none is counted as bad
  double min_lr = 0.0;
  double eps = 1e-8;  ///< smaller reductions are left out
};

/// lr *= factor when a metric has not improved for more than `patience` epochs. A NaN metric is no improvement. Throws
/// DataError unless 0 <= factor < 1.
template <class Optimizer>
class ReduceLROnPlateau {
 public:
  explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {})
      : optimizer_{&optimizer}, options_{options} {
    if (!(options.factor >= 0 && options.factor < 1))
      throw DataError(detail::message("ReduceLROnPlateau: factor must lie in [0, 1), it is ", options.factor));
    if (!(options.min_lr >= 0))
      throw DataError(detail::message("ReduceLROnPlateau: min_lr must not be negative, it is ", options.min_lr));
    best_ = options.mode == PlateauMode::min ? infinity : -infinity;
  }

  void step(double metric) {
    if (better(metric)) {
      best_ = metric;
      bad_epochs_ = 0;
    } else {
      ++bad_epochs_;
    }
    if (cooldown_left_ > 0) {
      --cooldown_left_;
      bad_epochs_ = 0;
    }
    if (bad_epochs_ <= options_.patience) return;
    const double lr = optimizer_->lr();
    const double reduced = std::max(lr * options_.factor, options_.min_lr);
    if (lr - reduced > options_.eps) optimizer_->set_lr(reduced);
    cooldown_left_ = options_.cooldown;
    bad_epochs_ = 0;
  }
  /// Best metric so far.
  [[nodiscard]] double best() const noexcept { return best_; }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  [[nodiscard]] bool better(double metric) const noexcept {
    const bool lower = options_.mode == PlateauMode::min;
    const double threshold = lower ? -options_.threshold : options_.threshold;
    const double bound = options_.threshold_mode == ThresholdMode::rel ? best_ * (1 + threshold) : best_ + threshold;
    return lower ? metric < bound : metric > bound;
  }

  Optimizer* optimizer_;
  ReduceLROnPlateauOptions options_;
  double best_;
  Index bad_epochs_ = 0;
  Index cooldown_left_ = 0;
};

}  // namespace hourglass
