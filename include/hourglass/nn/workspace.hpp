// Workspace: every buffer that a pass through a model needs, made once.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/sigmoid.hpp"

namespace hourglass {

namespace detail {

/// Fewer rows than this per thread do not fill the machine's registers: each product is cut instead.
inline constexpr Index least_rows_per_thread = 24;

}  // namespace detail

/// Activations, gradients and scratch memory of one model for batches of up to `max_batch` rows. Models are const while
/// they compute, so one model serves any number of threads, each with a workspace of its own.
template <class Model>
class Workspace {
 public:
  using Scalar = typename Model::Scalar;
  using Cache = typename Model::Cache;
  /// The model ends in a Sigmoid.
  static constexpr bool gives_probabilities = std::is_same_v<detail::LastActivation<Model>, Sigmoid>;

  /// Throws ShapeError when max_batch is below 1, or when no layer of the model states its width.
  Workspace(const Model& model, Index max_batch, Purpose purpose = Purpose::training)
      : Workspace(model, max_batch, model.in_features(), purpose) {}
  /// For a model of activations alone, which take any number of features.
  Workspace(const Model& model, Index max_batch, Index in_features, Purpose purpose = Purpose::training)
      : max_batch_{checked(max_batch, in_features)},
        in_{in_features},
        out_{model.out_features(in_features)},
        purpose_{purpose},
        work_per_row_{detail::work_per_row(model)},
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

  /// d loss / d output (rows, out): losses write it, backward() uses it up.
  [[nodiscard]] MatrixView<Scalar> output_gradient(Index rows) {
    check_gradient(rows);
    MatrixView<Scalar> gradient = first_rows(output_gradient_, rows);
    if constexpr (gives_probabilities)
      if (of_logits_) {
        const auto y = cache_.output(rows).array();
        gradient.array() /= (y * (Scalar(1) - y)).max(Scalar(1e-12));
      }
    of_logits_ = false;
    return gradient;
  }
  /// d loss / d logits (rows, out), for models that end in a Sigmoid and losses that know this gradient exactly:
  /// backward() then leaves the derivative of the Sigmoid out. Written instead of output_gradient().
  [[nodiscard]] MatrixView<Scalar> logit_gradient(Index rows) requires gives_probabilities {
    check_gradient(rows);
    of_logits_ = true;
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
    of_logits_ = false;
    buffers_wait_ = std::is_same_v<M, Training>;
    if constexpr (requires { model.draw(cache_, mode, rows_); }) model.draw(cache_, mode, rows_);
    by_rows(rows_, can_cut<M>(model),
            [&](RowRange rows) { (void)model.forward(rows_of(x, rows), cache_, mode, rows); });
    return cache_.output(rows_);
  }

  /// What part of a model, whose buffers in cache() are `own`, makes of x: encode(x, workspace) and its like. There is
  /// no forward pass to go back from afterwards. Throws ShapeError when x does not fit the part or has too many rows.
  template <class Part, class PartCache>
  ConstMatrixView<Scalar> infer(const Part& part, const ConstMatrixView<Scalar>& x, PartCache& own) {
    (void)detail::out_features(part, x.cols());
    require_room(x.rows());
    rows_ = 0;
    buffers_wait_ = false;
    by_rows(x.rows(), can_cut<Inference>(part),
            [&](RowRange rows) { (void)detail::propagate<Scalar>(part, rows_of(x, rows), own, Inference{}, rows); });
    return own.output(x.rows());
  }
  /// Throws ShapeError when there are too many rows.
  void require_room(Index rows) const {
    if (rows > max_batch_)
      throw ShapeError(detail::message("Workspace: ", rows, " rows, room for ", max_batch_,
                                       "; make the workspace for the largest batch"));
  }

  /// What `model.backward(x, workspace)` does.
  void backward(const Model& model, const ConstMatrixView<Scalar>& x) {
    backward_inputs(model, x);
    parameters_into(model, x, GradientStore<Scalar>{gradients_.data()});
  }

  /// What `model.backward(x, workspace, optimizer)` does: these two passes.
  template <class Optimizer>
  void backward(Model& model, const ConstMatrixView<Scalar>& x, Optimizer& optimizer) {
    backward_inputs(model, x);
    backward_parameters(model, x, optimizer);
  }

  /// The first pass of backward(): gradients of what lies between the layers.
  void backward_inputs(const Model& model, const ConstMatrixView<Scalar>& x) {
    check_backward(x);
    by_rows(rows_, detail::rows_independent<Model>, [&](RowRange rows) {
      const MatrixView<Scalar> own = rows_of(output_gradient_, rows);
      if (!of_logits_) detail::before_last_activation<Scalar>(model, std::as_const(cache_), rows, own);
      model.backward_inputs(rows_of(x, rows), ConstMatrixView<Scalar>(own), cache_, gradients_.data(),
                            no_gradient<Scalar>(), rows);
    });
    of_logits_ = true;  // the derivative of the last activation is in there now
  }

  /// The second pass of backward(): gradients of the parameters, used up at once by a step of `optimizer`.
  template <class Optimizer>
  void backward_parameters(Model& model, const ConstMatrixView<Scalar>& x, Optimizer& optimizer) {
    if constexpr (StepwiseOptimizer<Optimizer, Model>) {
      auto rule = optimizer.begin_step(std::as_const(model));
      parameters_into(model, x, GradientUpdate<Scalar, decltype(rule)>{gradients_.data(), rule});
    } else {
      parameters_into(std::as_const(model), x, GradientStore<Scalar>{gradients_.data()});
      optimizer.step(model, *this);
    }
    update_buffers(model);
  }

  /// Lets the buffers of the model, such as the running statistics of BatchNorm1d, follow the last forward pass, once,
  /// if that was one in training. `optimizer.step(model, workspace)` does it; whoever gives an optimiser
  /// `workspace.gradients()` alone does it here.
  void update_buffers(Model& model) {
    if (std::exchange(buffers_wait_, false)) model.update_buffers(std::as_const(cache_));
  }

 private:
  void check_gradient(Index rows) const {
    if (rows != rows_ || purpose_ == Purpose::inference)
      throw ShapeError(detail::message(
          "Workspace: a gradient for ", rows, " rows does not belong to the last forward pass, ",
          purpose_ == Purpose::inference ? "which was inference" : "which had another number: ", rows_));
  }

  void check_backward(const ConstMatrixView<Scalar>& x) const {
    if (x.rows() != rows_ || x.cols() != in_)
      throw ShapeError(detail::message("Workspace: backward on input of shape ", shape_string(x.rows(), x.cols()),
                                       ", the last forward pass had ", shape_string(rows_, in_),
                                       "; pass the same batch to both"));
    check_gradient(rows_);
  }

  template <class Self, class Sink>
  void parameters_into(Self& model, const ConstMatrixView<Scalar>& x, const Sink& sink) {
    check_backward(x);
    const ConstMatrixView<Scalar> dy(first_rows(output_gradient_, rows_));
    const int parts = is_worth_threads(rows_) ? num_threads() : 1;
    parallel_for(parts, parts, [&](Index part) {
      Model::backward_parameters(model, x, dy, cache_, sink, WorkPart{static_cast<int>(part), parts});
    });
  }

  /// Below some 50 microseconds of work a second thread costs more than it gives.
  [[nodiscard]] bool is_worth_threads(Index rows) const noexcept {
    return work_per_row_ * static_cast<double>(rows) > 4e6;
  }

  /// Whether a forward pass through the module can be cut into ranges of rows.
  template <Mode M, class Module>
  [[nodiscard]] bool can_cut(const Module& module) const {
    if constexpr (std::is_same_v<M, Training>)
      return detail::rows_independent<Module>;
    else
      return detail::rows_independent<Module> ||
             (purpose_ == Purpose::inference && detail::takes_rows_in_inference(module));
  }

  /// body(rows) for `count` rows, cut into one range for each thread where that `can` be and pays. Otherwise each
  /// product is cut.
  template <class Body>
  void by_rows(Index count, bool can, const Body& body) const {
    constexpr Index group = detail::row_group<Model>();
    const Index groups = (count + group - 1) / group;
    Index parts = 1;
    const Index threads = num_threads();
    if (can && count >= threads * detail::least_rows_per_thread && is_worth_threads(count))
      parts = std::min(threads, groups);
    parallel_for(parts, static_cast<int>(parts), [&](Index part) {
      const Index first = groups * part / parts * group;
      body(RowRange{first, std::min(count, groups * (part + 1) / parts * group) - first});
    });
  }

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
  double work_per_row_;        // multiplications, about
  bool of_logits_ = false;     // output_gradient_ is that before the last activation
  bool buffers_wait_ = false;  // the buffers of the model have not seen the last pass in training
  Cache cache_;
  ParameterBuffer<Scalar> gradients_;
  Matrix<Scalar> output_gradient_;  // (max_batch, out)
};

}  // namespace hourglass
