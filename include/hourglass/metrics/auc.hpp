// Area under the ROC curve: the probability that a positive sample scores higher than a negative one, ties counting
// half.
//
// From rank statistics (Mann and Whitney 1947): AUC = (R - p (p + 1) / 2) / (p n), where R is the sum of the mean ranks
// of the p positive scores among all p + n.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/loss/cross_entropy.hpp"
#include "hourglass/metrics/quantile.hpp"

namespace hourglass {

namespace detail {

/// Area for pairs of a score and whether it is a positive one's.
[[nodiscard]] inline double auc(std::vector<std::pair<double, bool>> scores) {
  std::sort(scores.begin(), scores.end());
  double ranks = 0;  // of positives, from 1
  double positives = 0;
  for (std::size_t first = 0; first < scores.size();) {
    std::size_t end = first;
    double tied = 0;
    for (; end < scores.size() && scores[end].first == scores[first].first; ++end) tied += scores[end].second ? 1 : 0;
    ranks += tied * 0.5 * static_cast<double>(first + 1 + end);
    positives += tied;
    first = end;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0)
    throw DataError(message("auc: ", positives == 0 ? "no sample is positive" : "no sample is negative",
                            "; the area needs scores of both kinds"));
  return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace detail

/// Area under the ROC curve of `scores`, where labels other than 0 mark the positive samples: 1 when all of them score
/// highest, 0.5 by chance. scikit-learn: roc_auc_score(labels, scores). Throws ShapeError unless there is one label per
/// score; DataError when a score is NaN, or all samples are of one kind.
template <Scores Values, ClassLabels Labels>
[[nodiscard]] double auc(const Values& scores, const Labels& labels) {
  const std::vector<double> values = detail::checked_scores("auc", scores);
  const std::span marks{labels};
  if (marks.size() != values.size())
    throw ShapeError(
        detail::message("auc: ", values.size(), " scores, ", marks.size(), " labels; give one label per score"));
  std::vector<std::pair<double, bool>> pairs;
  for (std::size_t i = 0; i < values.size(); ++i) pairs.emplace_back(values[i], marks[i] != 0);
  return detail::auc(std::move(pairs));
}

/// The same for scores in two lists: `auc(anomaly_scores(model, normal), anomaly_scores(model, anomalous))`.
template <Scores Negatives, Scores Positives>
[[nodiscard]] double auc(const Negatives& negatives, const Positives& positives) {
  std::vector<std::pair<double, bool>> pairs;
  for (const double value : detail::checked_scores("auc", negatives)) pairs.emplace_back(value, false);
  for (const double value : detail::checked_scores("auc", positives)) pairs.emplace_back(value, true);
  return detail::auc(std::move(pairs));
}

}  // namespace hourglass
