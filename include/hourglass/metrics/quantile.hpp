// Quantiles of scores, for thresholds: score > quantile(normal scores, 0.95) calls 5 % of normal samples anomalous.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

#include "hourglass/core/error.hpp"

namespace hourglass {

/// A std::span, std::vector or std::array of floats or doubles.
template <class T>
concept Scores = requires(const T& scores) {
  std::span{scores};
  requires std::floating_point<typename decltype(std::span{scores})::value_type>;
};

namespace detail {

/// The scores as doubles, in their order. Throws DataError when there are none, or one is NaN.
template <Scores Values>
[[nodiscard]] std::vector<double> checked_scores(const char* name, const Values& values) {
  std::vector<double> result;
  for (const auto value : std::span{values}) {
    if (std::isnan(value)) throw DataError(message(name, ": score ", result.size(), " is NaN; repair the scores"));
    result.push_back(static_cast<double>(value));
  }
  if (result.empty()) throw DataError(message(name, ": there are no scores"));
  return result;
}

}  // namespace detail

/// The value below which a share q of `values` lies: with the values in ascending order v_0 ... v_(n-1) and
/// h = (n - 1) q, linear between v_floor(h) and v_ceil(h), as NumPy has it (Hyndman and Fan 1996, definition 7). Throws
/// DataError unless there are values, none of them NaN, and q lies in [0, 1].
template <Scores Values>
[[nodiscard]] double quantile(const Values& values, double q) {
  if (!(q >= 0 && q <= 1)) throw DataError(detail::message("quantile: q must lie in [0, 1], it is ", q));
  std::vector<double> sorted = detail::checked_scores("quantile", values);
  const double place = static_cast<double>(sorted.size() - 1) * q;
  const auto below = sorted.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(sorted.begin(), below, sorted.end());
  if (below + 1 == sorted.end() || place == std::floor(place)) return *below;
  return std::lerp(*below, *std::min_element(below + 1, sorted.end()), place - std::floor(place));
}

/// Share of the scores above `threshold`: the false positive rate of normal samples, the detection rate of anomalous
/// ones. Throws DataError when there are no scores, or one is NaN.
template <Scores Values>
[[nodiscard]] double share_above(const Values& scores, double threshold) {
  const std::vector<double> values = detail::checked_scores("share_above", scores);
  const auto above = std::count_if(values.begin(), values.end(), [&](double value) { return value > threshold; });
  return static_cast<double>(above) / static_cast<double>(values.size());
}

}  // namespace hourglass
