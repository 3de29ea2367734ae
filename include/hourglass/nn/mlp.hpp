// Mlp: linear layers of run-time number and widths, each followed by an activation.
#pragma once

#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/identity.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/workspace_passes.hpp"

namespace hourglass {

/// Multi-layer perceptron widths[0] -> widths[1] -> ... -> widths[n]: `Hidden` after every linear layer but the last,
/// `Last` after that. Parameters have the names of the Sequential that PyTorch users would write: linear layer i is
/// "2i.weight", "2i.bias".
template <Activation Hidden = ReLU, Activation Last = Identity, class Scalar_ = float>
class Mlp : public WorkspacePasses<Mlp<Hidden, Last, Scalar_>, Scalar_> {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "Mlp";
  static constexpr Index static_in = Dynamic;
  static constexpr Index static_out = Dynamic;

  static constexpr bool starts_affine = true;
  static constexpr bool rows_independent = true;
  static constexpr Index row_group = 1;
  using LastActivation = Last;

  /// Buffers of each linear layer and the activation behind it.
  struct Cache {
    std::vector<Matrix<Scalar>> sums;       // (max_batch, out): only if a derivative needs them
    std::vector<Matrix<Scalar>> outputs;    // (max_batch, out)
    std::vector<Matrix<Scalar>> gradients;  // (max_batch, out): d loss / d sums, but for the last layer

    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return first_rows(outputs.back(), rows); }
    [[nodiscard]] std::size_t bytes() const noexcept {
      Index total = 0;
      for (const auto* buffers : {&sums, &outputs, &gradients})
        for (const auto& buffer : *buffers) total += buffer.size();
      return static_cast<std::size_t>(total) * sizeof(Scalar);
    }
  };

  /// Throws ShapeError unless there are at least two widths, each at least 1.
  explicit Mlp(const std::vector<Index>& widths, Hidden hidden = {}, Last last = {}) : hidden_{hidden}, last_{last} {
    if (widths.size() < 2)
      throw ShapeError(
          detail::message("Mlp: ", widths.size(), " widths make no layer; give at least input and output"));
    linears_.reserve(widths.size() - 1);
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) linears_.emplace_back(widths[i], widths[i + 1]);
  }

  /// Number of linear layers.
  [[nodiscard]] std::size_t depth() const noexcept { return linears_.size(); }
  [[nodiscard]] auto& linear(std::size_t index) { return linears_.at(index); }
  [[nodiscard]] const auto& linear(std::size_t index) const { return linears_.at(index); }

  template <class Self, class Visit>
  static void for_each_child(Self& self, Visit&& visit) {
    Index index = 0;
    for (auto& linear : self.linears_) {
      visit(index, linear);
      const bool last = index / 2 + 1 == static_cast<Index>(self.linears_.size());
      last ? visit(index + 1, self.last_) : visit(index + 1, self.hidden_);
      index += 2;
    }
  }

  [[nodiscard]] Index in_features() const noexcept { return linears_.front().in_features(); }
  [[nodiscard]] Index out_features() const noexcept { return linears_.back().out_features(); }
  [[nodiscard]] Index out_features(Index in) const {
    (void)linears_.front().out_features(in);
    return out_features();
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    (void)out_features(in);
    const bool training = purpose == Purpose::training;
    Cache cache;
    for (std::size_t i = 0; i < depth(); ++i) {
      const Index width = linears_[i].out_features();
      const bool last = i + 1 == depth();
      const bool kept = training && !(last ? DerivativeFromOutput<Last> : DerivativeFromOutput<Hidden>);
      cache.sums.push_back(kept ? Matrix<Scalar>(max_batch, width) : Matrix<Scalar>());
      cache.outputs.emplace_back(max_batch, width);
      cache.gradients.push_back(training && !last ? Matrix<Scalar>(max_batch, width) : Matrix<Scalar>());
    }
    return cache;
  }

  /// y (batch, out) for x (batch, in), in inference, without a workspace.
  [[nodiscard]] Matrix<Scalar> operator()(const ConstMatrixView<Scalar>& x) const { return detail::apply(*this, x); }

  // The passes of a container, see nn/container.hpp.
  using Mlp::WorkspacePasses::forward;
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M&, RowRange rows) const {
    for (std::size_t i = 0; i < depth(); ++i) {
      const auto multiply = [&]<class A>(const A& activation) {
        const MatrixView<Scalar> y = rows_of(cache.outputs[i], rows);
        Scalar* const sums = rows_of(cache.sums[i], rows).data();
        linears_[i].product(input_of(i, x, cache, rows), y,
                            epilogue::BiasActivation<Scalar, A>{linears_[i].bias_data(), activation, sums, y.cols()});
      };
      i + 1 < depth() ? multiply(hidden_) : multiply(last_);
    }
    return rows_of(cache.outputs.back(), rows);
  }
  template <class Before = detail::Nothing>
  void backward_inputs(const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy, Cache& cache, Scalar*,
                       MatrixView<Scalar> dx, RowRange rows, const Before& before = {}) const {
    ConstMatrixView<Scalar> dsum = dy;
    for (std::size_t i = depth() - 1; i > 0; --i) {
      const MatrixView<Scalar> din = rows_of(cache.gradients[i - 1], rows);
      const detail::Behind<Scalar, Hidden> activation{hidden_, rows_of(cache.sums[i - 1], rows).data(),
                                                      rows_of(cache.outputs[i - 1], rows).data()};
      linears_[i].input_gradient(dsum, din, activation.epilogue(din.cols()));
      ::new (static_cast<void*>(&dsum)) ConstMatrixView<Scalar>(din);
    }
    if (dx.data() != nullptr) linears_[0].input_gradient(dsum, dx, before.epilogue(dx.cols()));
  }
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    const RowRange rows{0, x.rows()};
    Index offset = 0;
    for (std::size_t i = 0; i < self.depth(); ++i) {
      const bool last = i + 1 == self.depth();
      detail::backward_parameters<Scalar>(self.linears_[i], input_of(i, x, cache, rows),
                                          last ? dy : ConstMatrixView<Scalar>(rows_of(cache.gradients[i], rows)), cache,
                                          sink.at_slot(offset), part);
      offset += slots_size<Scalar>(self.linears_[i]);
    }
  }
  void update_buffers(const Cache&) noexcept {}  // there are none
  [[nodiscard]] const Hidden& hidden_activation() const noexcept { return hidden_; }
  [[nodiscard]] const Last& last_activation() const noexcept { return last_; }
  [[nodiscard]] const Scalar* last_input(const Cache& cache) const noexcept { return cache.sums.back().data(); }

 private:
  static ConstMatrixView<Scalar> input_of(std::size_t i, const ConstMatrixView<Scalar>& x, const Cache& cache,
                                          RowRange rows) {
    return i == 0 ? x : rows_of(cache.outputs[i - 1], rows);
  }

  std::vector<Linear<Dynamic, Dynamic, Scalar>> linears_;
  Hidden hidden_;
  Last last_;
};

}  // namespace hourglass
