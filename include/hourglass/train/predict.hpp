// Prediction: the class that a classifier gives each sample, and how often that is right.
#pragma once

#include <span>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/dataset.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

namespace detail {

/// The place of the greatest of `count` values, the first one of several.
template <class Scalar>
[[nodiscard]] Index argmax(const Scalar* values, Index count) noexcept {
  Index best = 0;
  for (Index j = 1; j < count; ++j)
    if (values[j] > values[best]) best = j;
  return best;
}

/// Rows of the output (batch, classes) whose greatest element is that of their label.
template <class Scalar>
[[nodiscard]] Index count_correct(const ConstMatrixView<Scalar>& output, std::span<const Index> labels) noexcept {
  Index correct = 0;
  for (Index row = 0; row < output.rows(); ++row)
    correct += argmax(output.data() + row * output.cols(), output.cols()) == labels[static_cast<std::size_t>(row)];
  return correct;
}

}  // namespace detail

/// For each sample the class with the greatest output, the first one of several. Throws ShapeError for the wrong number
/// of features, DataError for an empty data set.
template <class Model>
[[nodiscard]] std::vector<Index> predict(const Model& model, const Samples& data, Index batch_size = 256) {
  using Scalar = typename Model::Scalar;
  Workspace<Model> workspace(model, batch_size, data.cols(), Purpose::inference);
  std::vector<Index> classes;
  classes.reserve(static_cast<std::size_t>(data.rows()));
  for (const auto& x : batches<Scalar>(data, batch_size)) {
    const auto output = model.forward(x, workspace);
    for (Index row = 0; row < output.rows(); ++row)
      classes.push_back(detail::argmax(output.data() + row * output.cols(), output.cols()));
  }
  return classes;
}

/// The fraction of the samples whose predicted class is their label. Throws as predict does, and DataError when labels
/// are missing or are no class of the model.
template <class Model>
[[nodiscard]] double accuracy(const Model& model, const Dataset& data, Index batch_size = 256) {
  detail::check_labels("accuracy", "it", data, model.out_features(data.cols()));
  const std::vector<Index> classes = predict(model, data.samples(), batch_size);
  Index correct = 0;
  for (Index i = 0; i < data.rows(); ++i) correct += classes[static_cast<std::size_t>(i)] == data.labels()[i];
  return static_cast<double>(correct) / static_cast<double>(data.rows());
}

}  // namespace hourglass
