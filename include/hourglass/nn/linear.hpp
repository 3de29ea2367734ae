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
#include "hourglass/core/update.hpp"
#include "hourglass/gemm/gemm.hpp"
#include "hourglass/nn/container.hpp"

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
  static constexpr bool is_affine = true;

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
    if (has_bias())
      product(x, y, epilogue::Bias<Scalar>{bias_.data()});
    else
      product(x, y, epilogue::Store{});
  }

  /// dW = dy^T x and db = column sums of dy into the slots at `gradient`; dx = dy W unless dx is empty.
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar>, Scalar* gradient) const {
    parameter_gradient(*this, x, dy, GradientStore<Scalar>{gradient}, {});
    if (dx.data() != nullptr) input_gradient(dy, dx, epilogue::Store{});
  }

  /// b, or null.
  [[nodiscard]] const Scalar* bias_data() const noexcept { return has_bias() ? bias_.data() : nullptr; }
  /// y = epilogue(x W^T). Throws ShapeError when x has another width than W.
  template <class Epilogue>
  void product(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, const Epilogue& epilogue) const {
    check_input(x.cols());
    gemm(x.rows(), out_.value(), in_.value(), row_major(x.data(), in_.value()), weight_transposed(),
         Output<Scalar>{y.data(), out_.value()}, epilogue);
  }
  /// dx = epilogue(dy W).
  template <class Epilogue>
  void input_gradient(const ConstMatrixView<Scalar>& dy, MatrixView<Scalar> dx, const Epilogue& epilogue) const {
    gemm(dy.rows(), in_.value(), out_.value(), row_major(dy.data(), out_.value()), transpose(weight_transposed()),
         Output<Scalar>{dx.data(), in_.value()}, epilogue);
  }
  /// Part of dW = dy^T x and db = column sums of dy, into their slots or into a step of an optimiser on W and b; a step
  /// that leaves both alone costs nothing.
  template <class Self, class Sink>
  static void parameter_gradient(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                 const Sink& sink, WorkPart part) {
    // dW has the storage of W: contiguous over the outputs, so it is the row-major (in, out) matrix x^T dy.
    // The product sums the columns of dy while it reads them.
    const Index in = self.in_.value();
    const Index out = self.out_.value();
    const Index bias_slot = slot_size<Scalar>(self.weight_.size());
    Scalar* db = self.has_bias() ? sink.gradient + bias_slot : nullptr;
    const auto multiply = [&](Scalar* to, const auto& epilogue) {
      gemm(in, out, x.rows(), transpose(row_major(x.data(), in)), row_major(dy.data(), out), Output<Scalar>{to, out},
           epilogue, {.column_sums = db, .part = part.index, .parts = part.count});
    };
    if constexpr (Sink::updates) {
      const bool frozen_weight = detail::is_frozen(sink.rule);
      if (frozen_weight && (db == nullptr || detail::is_frozen(sink.rule.at_slot(bias_slot)))) return;
      if (frozen_weight)
        multiply(sink.gradient, epilogue::Store{});
      else
        multiply(self.weight_.data(), epilogue::Update<typename Sink::Rule>{sink.rule, out});
      const detail::Range sums = detail::column_sums_of_part<Scalar>(in, out, part.index, part.count);
      if (db != nullptr)
        detail::update_range(sink.rule.at_slot(bias_slot), sums.begin, sums.end, self.bias_.data(),
                             static_cast<const Scalar*>(db));
    } else {
      multiply(sink.gradient, epilogue::Store{});
    }
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
