// L-BFGS: minimises a smooth function of few parameters with all of its data at once. The direction is -H g, where the
// inverse Hessian H is rebuilt from the last steps s and changes of the gradient y.
//
// J. Nocedal, "Updating quasi-Newton matrices with limited storage", 1980. The step length meets the weak Wolfe
// conditions, found by bisection: A. Lewis, M. Overton, "Nonsmooth optimization via quasi-Newton methods", 2013.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"

namespace hourglass {

/// Options of lbfgs, named as in torch.optim.LBFGS.
struct LbfgsOptions {
  Index max_iter = 100;
  Index history_size = 10;
  double tolerance_grad = 1e-7;  ///< done when no element of the gradient is larger than this
};

/// Where lbfgs stopped.
struct LbfgsReport {
  double value = 0;         ///< of the function
  double max_gradient = 0;  ///< largest |element| of the gradient
  Index iterations = 0;
  bool converged = false;  ///< max_gradient is within the tolerance
};

namespace detail {

[[nodiscard]] inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return block_sum<double>(0, static_cast<Index>(a.size()), [&](Index first, auto count, double* out) {
    for (Index i = 0; i < count; ++i)
      out[i] = a[static_cast<std::size_t>(first + i)] * b[static_cast<std::size_t>(first + i)];
  });
}

/// The last steps and changes of the gradient, oldest first.
class LbfgsHistory {
 public:
  explicit LbfgsHistory(std::size_t size) : size_{size} {}

  /// Keeps a pair, unless the curvature s^T y is not positive.
  void push(std::vector<double> step, std::vector<double> change) {
    const double curvature = dot(step, change);
    if (!(curvature > 1e-300)) return;
    if (pairs_.size() == size_) pairs_.erase(pairs_.begin());
    pairs_.push_back({std::move(step), std::move(change), 1 / curvature});
  }

  /// -H gradient, by the two-loop recursion.
  [[nodiscard]] std::vector<double> direction(const std::vector<double>& gradient) const {
    std::vector<double> d(gradient.size());
    std::transform(gradient.begin(), gradient.end(), d.begin(), [](double g) { return -g; });
    std::vector<double> factors(pairs_.size());
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      factors[k] = pairs_[k].inverse_curvature * dot(pairs_[k].step, d);
      add(-factors[k], pairs_[k].change, d);
    }
    if (!pairs_.empty()) {
      const Pair& last = pairs_.back();
      const double scale = 1 / (last.inverse_curvature * dot(last.change, last.change));
      for (double& value : d) value *= scale;
    }
    for (std::size_t k = 0; k < pairs_.size(); ++k)
      add(factors[k] - pairs_[k].inverse_curvature * dot(pairs_[k].change, d), pairs_[k].step, d);
    return d;
  }

  /// to += factor * from.
  static void add(double factor, const std::vector<double>& from, std::vector<double>& to) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
  }

  [[nodiscard]] bool empty() const noexcept { return pairs_.empty(); }
  void clear() noexcept { pairs_.clear(); }

 private:
  struct Pair {
    std::vector<double> step;
    std::vector<double> change;
    double inverse_curvature;
  };
  std::size_t size_;
  std::vector<Pair> pairs_;
};

}  // namespace detail

/// Moves x to a minimum of `function(std::span<const double> x, std::span<double> gradient)`, which writes the gradient
/// at x and returns the value there. Stops at the tolerance, after max_iter steps, or where rounding leaves no descent.
/// Throws DataError for options below 1 (the tolerance: below 0), or when the function is not finite at the start.
template <class Function>
LbfgsReport lbfgs(const Function& function, std::span<double> x, const LbfgsOptions& options = {}) {
  if (options.max_iter < 1 || options.history_size < 1 || !(options.tolerance_grad >= 0))
    throw DataError(detail::message("lbfgs: max_iter ", options.max_iter, ", history_size ", options.history_size,
                                    " and tolerance_grad ", options.tolerance_grad,
                                    "; the first two must be at least 1, the last not negative"));
  using Vector = std::vector<double>;
  Vector gradient(x.size());
  Vector trial_gradient(x.size());
  LbfgsReport report{.value = function(std::span<const double>(x), std::span<double>(gradient))};
  if (!std::isfinite(report.value)) throw DataError("lbfgs: the function is not finite at the start; start elsewhere");
  const auto judge = [&] {
    report.max_gradient = 0;
    for (const double g : gradient) report.max_gradient = std::max(report.max_gradient, std::abs(g));
    return report.converged = report.max_gradient <= options.tolerance_grad;
  };
  detail::LbfgsHistory history(static_cast<std::size_t>(options.history_size));
  while (!judge() && report.iterations < options.max_iter) {
    const Vector start(x.begin(), x.end());
    const Vector direction = history.direction(gradient);
    const double slope = detail::dot(gradient, direction);
    // Without a history the gradient says nothing of the length: the first trial moves no element by more than 1.
    double length = history.empty() ? std::min(1.0, 1 / report.max_gradient) : 1.0;
    // Close to the minimum the value shows no descent any more, while the gradient still does.
    const double rounding = 4 * std::numeric_limits<double>::epsilon() * std::abs(report.value);
    double low = 0;
    double high = std::numeric_limits<double>::infinity();
    bool found = false;
    for (int trial = 0; trial < 50 && !found; ++trial) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::fma(length, direction[i], start[i]);
      const double value = function(std::span<const double>(x), std::span<double>(trial_gradient));
      if (!(value <= report.value + 1e-4 * length * slope + rounding)) {
        high = length;
      } else if (detail::dot(trial_gradient, direction) < 0.9 * slope) {
        low = length;
      } else {
        found = true;
        report.value = value;
        continue;
      }
      length = std::isfinite(high) ? (low + high) / 2 : 2 * length;
    }
    if (!found) {
      std::copy(start.begin(), start.end(), x.begin());
      if (history.empty()) break;
      history.clear();  // once more along the gradient
      continue;
    }
    ++report.iterations;
    Vector step(x.begin(), x.end());
    detail::LbfgsHistory::add(-1, start, step);
    Vector change = trial_gradient;
    detail::LbfgsHistory::add(-1, gradient, change);
    history.push(std::move(step), std::move(change));
    gradient.swap(trial_gradient);
  }
  return report;
}

}  // namespace hourglass
