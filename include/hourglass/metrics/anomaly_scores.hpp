// Anomaly scores: how badly a model that has seen normal data only reconstructs a sample, |x - reconstruction(x)|^2 /
// features.
#pragma once

#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/metrics/sample_errors.hpp"

namespace hourglass {

/// Mean squared error of reconstructing each sample of `data` (n, features); the higher, the more anomalous. A
/// variational autoencoder decodes the mean of its posterior. See auc and quantile for what to do with them. Throws
/// ShapeError when the model expects another number of features, DataError when there are no samples.
template <class Model, SampleSource Data>
[[nodiscard]] std::vector<double> anomaly_scores(const Model& model, const Data& data) {
  using Scalar = typename Model::Scalar;
  const Samples samples(data);
  if (samples.empty()) throw DataError("anomaly_scores: there are no samples");
  if (!compatible(samples.cols(), model.in_features()))
    throw ShapeError(detail::message("anomaly_scores: the samples have ", samples.cols(),
                                     " features, the model expects ", model.in_features(),
                                     "; check the image size or the model"));
  std::vector<double> scores;
  for (const ConstMatrixView<Scalar>& x : batches<Scalar>(samples, 256)) {
    const std::vector<double> part = sample_errors(model.reconstruct(x), x);
    scores.insert(scores.end(), part.begin(), part.end());
  }
  return scores;
}

}  // namespace hourglass
