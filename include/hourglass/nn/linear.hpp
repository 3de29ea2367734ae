// Linear: y = x W^T + b.
#pragma once

#include <span>
#include <string_view>
#include <tuple>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/gemm/gemm.hpp"

namespace hourglass {

struct LinearOptions {
  bool bias = true;
};

/// Fully connected layer y = x W^T + b: x is (batch, in), W (out, in), b (out), y (batch, out).
///
/// `Linear<784, 256>{}` has widths that the compiler checks, `Linear{in, out}` widths known at run time. W is held
/// column-major, contiguous over the outputs, so that the forward product reads it in order; files hold it row-major,
/// as PyTorch does. Zeros until initialize() or load().
template <Index In = Dynamic, Index Out = Dynamic, class Scalar_ = float>
class Linear {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "Linear";
  static constexpr Index static_in = In;
  static constexpr Index static_out = Out;

  Linear() requires(In != Dynamic && Out != Dynamic) : Linear(In, Out) {}
  explicit Linear(const LinearOptions& options) requires(In != Dynamic && Out != Dynamic) : Linear(In, Out, options) {}
  /// Throws ShapeError unless both widths are at least 1 and agree with the static ones.
  Linear(Index in, Index out, const LinearOptions& options = {})
      : in_{in}, out_{out}, weight_{Shape{out, in}, StorageOrder::column_major} {
    if (options.bias) bias_ = Parameter<Scalar>{Shape{out}};
  }

  static constexpr auto fields() {
    return std::tuple{Field{"weight", &Linear::weight_}, Field{"bias", &Linear::bias_}};
  }

  [[nodiscard]] Index in_features() const noexcept { return in_.value(); }
  [[nodiscard]] Index out_features() const noexcept { return out_.value(); }
  /// Throws ShapeError unless `in` is in_features().
  [[nodiscard]] Index out_features(Index in) const {
    check_input(in);
    return out_.value();
  }
  [[nodiscard]] bool has_bias() const noexcept { return !bias_.empty(); }

  using WeightMap = Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>>;
  using ConstWeightMap = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>>;
  /// W, shape (out, in).
  [[nodiscard]] WeightMap weight() noexcept { return {weight_.data(), out_.value(), in_.value()}; }
  [[nodiscard]] ConstWeightMap weight() const noexcept { return {weight_.data(), out_.value(), in_.value()}; }
  /// b as a row, shape (1, out); (1, 0) without bias.
  [[nodiscard]] MatrixView<Scalar> bias() noexcept { return {bias_.data(), 1, bias_.size()}; }
  [[nodiscard]] ConstMatrixView<Scalar> bias() const noexcept { return {bias_.data(), 1, bias_.size()}; }

  template <Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar>, const M&) const {
    check_input(x.cols());
    const Index in = in_.value();
    const Index out = out_.value();
    const Output<Scalar> result{y.data(), out};
    if (has_bias())
      gemm(x.rows(), out, in, row_major(x.data(), in), weight_transposed(), result,
           epilogue::Bias<Scalar>{bias_.data()});
    else
      gemm(x.rows(), out, in, row_major(x.data(), in), weight_transposed(), result);
  }

  /// dW = dy^T x and db = column sums of dy into the slots at `gradient`; dx = dy W unless dx is empty.
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar>, Scalar* gradient) const {
    const Index batch = x.rows();
    const Index in = in_.value();
    const Index out = out_.value();
    // dW has the storage of W: contiguous over the outputs, so it is the row-major (in, out) matrix x^T dy.
    // The product sums the columns of dy while it reads them.
    Scalar* db = has_bias() ? gradient + slot_size<Scalar>(weight_.size()) : nullptr;
    gemm(in, out, batch, transpose(row_major(x.data(), in)), row_major(dy.data(), out), Output<Scalar>{gradient, out},
         {}, {.column_sums = db});
    if (dx.data() != nullptr)
      gemm(batch, in, out, row_major(dy.data(), out), transpose(weight_transposed()), Output<Scalar>{dx.data(), in});
  }

 private:
  [[nodiscard]] Operand<Scalar> weight_transposed() const noexcept { return row_major(weight_.data(), out_.value()); }
  void check_input(Index in) const {
    if (in != in_.value())
      throw ShapeError(detail::message("Linear: input has ", in, " features, weight ", weight_.shape().str(),
                                       " expects ", in_.value(), "; check the width of the layer before it"));
  }

  [[no_unique_address]] Extent<In> in_;
  [[no_unique_address]] Extent<Out> out_;
  Parameter<Scalar> weight_;  // (out, in)
  Parameter<Scalar> bias_;    // (out)
};

}  // namespace hourglass
