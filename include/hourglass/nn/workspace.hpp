// Workspace: every buffer that a pass through a model needs, made once.
#pragma once

#include <string>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

/// Activations, gradients and scratch memory of one model for batches of up to `max_batch` rows. Models are const while
/// they compute, so one model serves any number of threads, each with a workspace of its own.
template <class Model>
class Workspace {
 public:
  using Scalar = typename Model::Scalar;
  using Cache = typename Model::Cache;

  /// Throws ShapeError when max_batch is below 1, or when no layer of the model states its width.
  Workspace(const Model& model, Index max_batch, Purpose purpose = Purpose::training)
      : Workspace(model, max_batch, model.in_features(), purpose) {}
  /// For a model of activations alone, which take any number of features.
  Workspace(const Model& model, Index max_batch, Index in_features, Purpose purpose = Purpose::training)
      : max_batch_{checked(max_batch, in_features)},
        in_{in_features},
        out_{model.out_features(in_features)},
        purpose_{purpose},
        cache_(model.plan(max_batch, in_features, purpose)) {
    if (purpose == Purpose::inference) return;
    gradients_ = ParameterBuffer<Scalar>(model);
    output_gradient_ = Matrix<Scalar>(max_batch, out_);
  }

  [[nodiscard]] Index max_batch() const noexcept { return max_batch_; }
  /// Rows of the last forward pass; 0 before the first.
  [[nodiscard]] Index rows() const noexcept { return rows_; }
  [[nodiscard]] Index in_features() const noexcept { return in_; }
  [[nodiscard]] Index out_features() const noexcept { return out_; }

  /// d loss / d parameters after backward(): one slot per parameter, see zip_parameters. Overwritten by each
  /// backward().
  [[nodiscard]] ParameterBuffer<Scalar>& gradients() noexcept { return gradients_; }
  [[nodiscard]] const ParameterBuffer<Scalar>& gradients() const noexcept { return gradients_; }

  /// d loss / d output (rows, out): losses write it, backward() reads it.
  [[nodiscard]] MatrixView<Scalar> output_gradient(Index rows) {
    if (rows != rows_ || purpose_ == Purpose::inference)
      throw ShapeError(detail::message(
          "Workspace: a gradient for ", rows, " rows does not belong to the last forward pass, ",
          purpose_ == Purpose::inference ? "which was inference" : "which had another number: ", rows_));
    return first_rows(output_gradient_, rows);
  }

  /// Buffers of the model's own layout.
  [[nodiscard]] Cache& cache() noexcept { return cache_; }
  [[nodiscard]] const Cache& cache() const noexcept { return cache_; }

  /// Memory of all buffers.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return cache_.bytes() + gradients_.bytes() + static_cast<std::size_t>(output_gradient_.size()) * sizeof(Scalar);
  }

  /// What `model.forward(x, workspace, mode)` does.
  template <Mode M>
  ConstMatrixView<Scalar> forward(const Model& model, const ConstMatrixView<Scalar>& x, const M& mode) {
    if (x.cols() != in_ || x.rows() > max_batch_)
      throw ShapeError(detail::message("Workspace: input of shape ", shape_string(x.rows(), x.cols()), ", room for (",
                                       max_batch_, ", ", in_,
                                       x.cols() != in_ ? "); the number of features must be that of the model"
                                                       : "); make the workspace for the largest batch"));
    rows_ = x.rows();
    return model.forward(x, cache_, mode);
  }

  /// What `model.backward(x, workspace)` does.
  void backward(const Model& model, const ConstMatrixView<Scalar>& x) {
    if (x.rows() != rows_ || x.cols() != in_)
      throw ShapeError(detail::message("Workspace: backward on input of shape ", shape_string(x.rows(), x.cols()),
                                       ", the last forward pass had ", shape_string(rows_, in_),
                                       "; pass the same batch to both"));
    const MatrixView<Scalar> dy = output_gradient(rows_);
    model.backward(x, dy, cache_, gradients_.data(), no_gradient<Scalar>());
  }

 private:
  static Index checked(Index max_batch, Index in_features) {
    if (max_batch < 1)
      throw ShapeError(detail::message("Workspace: the largest batch must have at least 1 row, not ", max_batch));
    if (in_features < 1)
      throw ShapeError(
          "Workspace: no layer of the model states its width; give it: Workspace{model, max_batch, features}");
    return max_batch;
  }

  Index max_batch_;
  Index in_;
  Index out_;
  Purpose purpose_;
  Index rows_ = 0;
  Cache cache_;
  ParameterBuffer<Scalar> gradients_;
  Matrix<Scalar> output_gradient_;  // (max_batch, out)
};

}  // namespace hourglass
