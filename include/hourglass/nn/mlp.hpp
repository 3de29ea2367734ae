// Mlp: linear layers of run-time number and widths, each followed by an activation.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/identity.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

/// Multi-layer perceptron widths[0] -> widths[1] -> ... -> widths[n]: `Hidden` after every linear layer but the last,
/// `Last` after that. Parameters have the names of the Sequential that PyTorch users would write: linear layer i is
/// "2i.weight", "2i.bias".
template <Activation Hidden = ReLU, Activation Last = Identity, class Scalar_ = float>
class Mlp {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "Mlp";
  static constexpr Index static_in = Dynamic;
  static constexpr Index static_out = Dynamic;

  struct Cache {
    std::vector<LayerCache<Scalar>> layers;  // linear, activation, linear, activation, ...
    std::array<Matrix<Scalar>, 2> between;   // (max_batch, widest inner width)

    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return layers.back().output(rows); }
    [[nodiscard]] std::size_t bytes() const noexcept {
      auto total = static_cast<std::size_t>(between[0].size() + between[1].size()) * sizeof(Scalar);
      for (const auto& layer : layers) total += layer.bytes();
      return total;
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
    Cache cache;
    Index widest = 1;
    for (const auto& linear : linears_) {
      const Index width = linear.out_features();
      cache.layers.push_back(detail::plan<Scalar>(linear, max_batch, linear.in_features(), purpose));
      cache.layers.push_back(detail::plan<Scalar>(hidden_, max_batch, width, purpose));
      widest = std::max(widest, width);
    }
    if (purpose == Purpose::training)
      for (Matrix<Scalar>& buffer : cache.between) buffer = Matrix<Scalar>(max_batch, widest);
    return cache;
  }

  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Workspace<Mlp>& workspace,
                                  const M& mode = {}) const {
    return workspace.forward(*this, x, mode);
  }
  void backward(const ConstMatrixView<Scalar>& x, Workspace<Mlp>& workspace) const { workspace.backward(*this, x); }

  /// y (batch, out) for x (batch, in), in inference, without a workspace.
  [[nodiscard]] Matrix<Scalar> operator()(const ConstMatrixView<Scalar>& x) const { return detail::apply(*this, x); }

  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode) const {
    for (std::size_t i = 0; i < depth(); ++i) {
      auto& linear = cache.layers[2 * i];
      auto& activation = cache.layers[2 * i + 1];
      const auto sum = detail::propagate<Scalar>(linears_[i], input_of(i, x, cache), linear, mode);
      if (i + 1 < depth())
        detail::propagate<Scalar>(hidden_, sum, activation, mode);
      else
        detail::propagate<Scalar>(last_, sum, activation, mode);
    }
    return cache.output(x.rows());
  }

  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache, Scalar* gradient,
                MatrixView<Scalar> dx) const {
    const Index rows = x.rows();
    gradient += slots_size<Scalar>(*this);
    for (std::size_t i = depth(); i-- > 0;) {
      const auto& linear = linears_[i];
      gradient -= slots_size<Scalar>(linear);
      const Index width = linear.out_features();
      const ConstMatrixView<Scalar> sum = cache.layers[2 * i].output(rows);
      const MatrixView<Scalar> dsum(cache.between[0].data(), rows, width);
      const bool last = i + 1 == depth();
      if (last)
        detail::backpropagate<Scalar>(last_, sum, dy, cache.layers[2 * i + 1], gradient, dsum);
      else
        detail::backpropagate<Scalar>(hidden_, sum, ConstMatrixView<Scalar>(cache.between[1].data(), rows, width),
                                      cache.layers[2 * i + 1], gradient, dsum);
      const MatrixView<Scalar> din =
          i == 0 ? dx : MatrixView<Scalar>(cache.between[1].data(), rows, linear.in_features());
      detail::backpropagate<Scalar>(linear, input_of(i, x, cache), dsum, cache.layers[2 * i], gradient, din);
    }
  }

 private:
  static ConstMatrixView<Scalar> input_of(std::size_t i, const ConstMatrixView<Scalar>& x, const Cache& cache) {
    return i == 0 ? x : cache.layers[2 * i - 1].output(x.rows());
  }

  std::vector<Linear<Dynamic, Dynamic, Scalar>> linears_;
  Hidden hidden_;
  Last last_;
};

}  // namespace hourglass
