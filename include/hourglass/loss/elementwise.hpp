// Elementwise losses: value = scale * sum_ij l(output_ij, target_ij), gradient_ij = scale * dl/d output_ij, in one
// pass.
//
// A loss states l once, as `term(output, target)` over vectors (HOURGLASS_SIMD) or over numbers, and forwards its call
// operator to detail::elementwise_loss, which checks shapes, sums in a fixed order and writes the gradient. The forms
// of a call:
//     loss(output, target)             the value
//     loss(output, target, gradient)   the value; the gradient goes to `gradient` (batch, features)
//     loss(output, target, workspace)  the same, to workspace.output_gradient(batch)
#pragma once

#include <cmath>
#include <concepts>
#include <string_view>
#include <type_traits>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// Loss of one element, or a vector of them, and its derivative with respect to the output.
template <class Scalar>
struct LossTerm {
  Scalar value;
  Scalar gradient;
};

/// A contiguous row-major batch that lies in memory: Matrix, views, Eigen's row-major matrices.
template <class T>
concept Batch = requires(const T& batch) {
  typename T::Scalar;
  requires std::floating_point<typename T::Scalar>;
  requires std::convertible_to<const T&, ConstMatrixView<typename T::Scalar>>;
};

/// A batch of the same scalar as `Other`.
template <class T, class Other>
concept BatchLike = Batch<T> && std::same_as<typename T::Scalar, typename Other::Scalar>;

/// Anything that offers room for the gradient of a model's output, such as a Workspace.
template <class T, class Scalar>
concept OutputGradientSource = requires(T& workspace, Index rows) {
  { workspace.output_gradient(rows) } -> std::convertible_to<MatrixView<Scalar>>;
};

/// Where a loss may write its gradient: a MatrixView, a Matrix that is not const, or a workspace.
template <class T, class Scalar>
concept GradientSink = std::same_as<std::remove_cvref_t<T>, MatrixView<Scalar>> ||
    std::same_as<std::remove_reference_t<T>, Matrix<Scalar>> || OutputGradientSource<T, Scalar>;

namespace detail {

/// Throws ShapeError when the shapes differ, DataError when there is nothing to average.
template <class Scalar>
void check_loss_shapes(std::string_view name, std::string_view what, const ConstMatrixView<Scalar>& output,
                       const ConstMatrixView<Scalar>& other) {
  if (output.rows() != other.rows() || output.cols() != other.cols())
    throw ShapeError(message(name, ": the output has shape ", shape_string(output.rows(), output.cols()), ", the ",
                             what, " ", shape_string(other.rows(), other.cols()), "; they must be the same"));
  if (output.size() == 0)
    throw DataError(message(name, ": the batch of shape ", shape_string(output.rows(), output.cols()),
                            " is empty; leave empty batches out"));
}

/// Memory of a sink for a gradient of shape (rows, cols).
template <class Scalar, class Sink>
[[nodiscard]] Scalar* gradient_data(std::string_view name, Index rows, Index cols, Sink& sink) {
  if constexpr (OutputGradientSource<Sink, Scalar>) {
    MatrixView<Scalar> gradient = sink.output_gradient(rows);
    return gradient_data<Scalar>(name, rows, cols, gradient);
  } else {
    MatrixView<Scalar> gradient = sink;
    if (gradient.rows() != rows || gradient.cols() != cols)
      throw ShapeError(message(name, ": the output has shape ", shape_string(rows, cols), ", its gradient ",
                               shape_string(gradient.rows(), gradient.cols()), "; they must be the same"));
    return gradient.data();
  }
}

// Out of line, so that products and sums are fused neither more nor less than the compiler does anywhere else.
template <class Loss, class Scalar>
HOURGLASS_NOINLINE void number_terms(const Loss& loss, Index count, Scalar* outputs, Scalar* targets) {
  for (Index i = 0; i < count; ++i) {
    const LossTerm<Scalar> term = loss.term(outputs[i], targets[i]);
    outputs[i] = term.value;
    targets[i] = term.gradient;
  }
}

/// term(output, target) of a loss, which states it over vectors or over numbers.
HOURGLASS_SIMD(LossTerm<V> loss_term(const auto& loss, V output, V target), {
  using Scalar = typename V::Scalar;
  if constexpr (requires(Scalar number) { loss.term(number, number); }) {
    Scalar values[V::lanes];
    Scalar gradients[V::lanes];
    output.store(values);
    target.store(gradients);
    number_terms(loss, V::lanes, values, gradients);
    return {V::load(values), V::load(gradients)};
  } else {
    return loss.term(output, target);
  }
})

/// The terms of a loss, scale * gradient on the way to memory unless `gradient` is null.
template <class Loss, class Scalar>
struct LossTerms {
  const Loss& loss;
  const Scalar* output;
  const Scalar* target;
  Scalar* gradient;
  Scalar scale;
  HOURGLASS_SIMD(V operator()(Index i, Index n) const, {
    const LossTerm<V> term = loss_term(loss, V::load(output + i, n), V::load(target + i, n));
    if (gradient != nullptr) (term.gradient * V(scale)).store(gradient + i, n);
    return term.value;
  })
};

/// What every elementwise loss's call operator does. A loss with a member `diagnose(output, target)` has it called
/// when the sum is not finite, to throw an error that names the element at fault: a check at no cost.
template <class Loss, class Output, class Target, class... Sink>
[[nodiscard]] typename Output::Scalar elementwise_loss(const Loss& loss, const Output& output_batch,
                                                       const Target& target_batch, Sink&... sink) {
  using Scalar = typename Output::Scalar;
  static_assert(sizeof...(Sink) <= 1, "a loss is called with output, target and at most one place for the gradient");
  const ConstMatrixView<Scalar> output(output_batch);
  const ConstMatrixView<Scalar> target(target_batch);
  check_loss_shapes(Loss::name, "target", output, target);
  if constexpr (requires { loss.check_options(); }) loss.check_options();
  const double scale = reduction_scale(loss.reduction, output.rows(), output.cols());
  Scalar* gradient = nullptr;
  ((gradient = gradient_data<Scalar>(Loss::name, output.rows(), output.cols(), sink)), ...);
  const LossTerms<Loss, Scalar> terms{loss, output.data(), target.data(), gradient, static_cast<Scalar>(scale)};
  const double sum = parallel_vector_sum<Scalar>(output.size(), terms);
  if constexpr (requires { loss.diagnose(output, target); })
    if (!std::isfinite(sum)) loss.diagnose(output, target);
  return static_cast<Scalar>(sum * scale);
}

}  // namespace detail
}  // namespace hourglass
