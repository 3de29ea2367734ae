// TiedDecoder: the mirror of an Mlp, with the transposes of its weights and biases of its own.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/mlp.hpp"
#include "hourglass/nn/transposed_linear.hpp"

namespace hourglass {

/// Layers y = x W + b in the reverse order of those of the encoder, whose weights W they read: `Hidden` after every
/// layer but the last, `Last` after that. Parameters are named "0.bias", "2.bias", ... and start as zeros, which
/// initialize() leaves alone. Passes take the encoder that the weights belong to.
template <Activation Hidden, Activation Last, class Scalar_>
class TiedDecoder {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "TiedDecoder";
  static constexpr bool rows_independent = true;
  static constexpr Index row_group = 1;
  using LastActivation = Last;
  /// Buffers of each layer, as in Mlp.
  using Cache = typename Mlp<Hidden, Last, Scalar>::Cache;

  template <class Code>
  TiedDecoder(const Mlp<Hidden, Code, Scalar>& encoder, Last last) : hidden_{encoder.hidden_activation()}, last_{last} {
    for (std::size_t i = encoder.depth(); i-- > 0;)
      layers_.emplace_back(encoder.linear(i).out_features(), encoder.linear(i).in_features());
  }

  [[nodiscard]] std::size_t depth() const noexcept { return layers_.size(); }
  [[nodiscard]] auto& layer(std::size_t index) { return layers_.at(index); }
  [[nodiscard]] const auto& layer(std::size_t index) const { return layers_.at(index); }
  [[nodiscard]] Index in_features() const noexcept { return layers_.front().in_features(); }
  [[nodiscard]] Index out_features() const noexcept { return layers_.back().bias().cols(); }
  [[nodiscard]] const Hidden& hidden_activation() const noexcept { return hidden_; }
  [[nodiscard]] const Last& last_activation() const noexcept { return last_; }
  [[nodiscard]] const Scalar* last_input(const Cache& cache) const noexcept { return cache.sums.back().data(); }
  void update_buffers(const Cache&) noexcept {}  // there are none

  template <class Self, class Visit>
  static void for_each_child(Self& self, Visit&& visit) {
    Index index = 0;
    for (auto& layer : self.layers_) {
      visit(index, layer);
      const bool last = index / 2 + 1 == static_cast<Index>(self.layers_.size());
      last ? visit(index + 1, self.last_) : visit(index + 1, self.hidden_);
      index += 2;
    }
  }

  [[nodiscard]] Cache plan(Index max_batch, Purpose purpose) const {
    const bool training = purpose == Purpose::training;
    Cache cache;
    for (std::size_t i = 0; i < depth(); ++i) {
      const Index width = layers_[i].bias().cols();
      const bool last = i + 1 == depth();
      const bool kept = training && !(last ? DerivativeFromOutput<Last> : DerivativeFromOutput<Hidden>);
      cache.sums.push_back(kept ? Matrix<Scalar>(max_batch, width) : Matrix<Scalar>());
      cache.outputs.emplace_back(max_batch, width);
      cache.gradients.push_back(training && !last ? Matrix<Scalar>(max_batch, width) : Matrix<Scalar>());
    }
    return cache;
  }

  /// Rows `rows` of the output for those of a code.
  template <class Encoder>
  ConstMatrixView<Scalar> forward(const Encoder& encoder, const ConstMatrixView<Scalar>& code, Cache& cache,
                                  RowRange rows) const {
    for (std::size_t i = 0; i < depth(); ++i) {
      const auto multiply = [&]<class A>(const A& activation) {
        const MatrixView<Scalar> y = rows_of(cache.outputs[i], rows);
        Scalar* const sums = rows_of(cache.sums[i], rows).data();
        linear(encoder, i)
            .input_gradient(input_of(i, code, cache, rows), y,
                            epilogue::BiasActivation<Scalar, A>{layers_[i].bias().data(), activation, sums, y.cols()});
      };
      i + 1 < depth() ? multiply(hidden_) : multiply(last_);
    }
    return rows_of(std::as_const(cache.outputs.back()), rows);
  }

  /// Rows of the gradient of the code, on its way through the activation `before` that made it; dy is that before the
  /// last activation.
  template <class Encoder, class Before>
  void backward_inputs(const Encoder& encoder, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       MatrixView<Scalar> dcode, RowRange rows, const Before& before) const {
    for (std::size_t i = depth(); i-- > 0;) {
      const ConstMatrixView<Scalar> dsum = gradient_of(i, dy, cache, rows);
      if (i == 0) {
        linear(encoder, i).product(dsum, dcode, before.epilogue(dcode.cols()));
      } else {
        const MatrixView<Scalar> din = rows_of(cache.gradients[i - 1], rows);
        const detail::Behind<Scalar, Hidden> activation{hidden_, rows_of(cache.sums[i - 1], rows).data(),
                                                        rows_of(cache.outputs[i - 1], rows).data()};
        linear(encoder, i).product(dsum, din, activation.epilogue(din.cols()));
      }
    }
  }

  /// Rows of what goes into layer `i`, and of the gradient of its sums.
  [[nodiscard]] static ConstMatrixView<Scalar> input_of(std::size_t i, const ConstMatrixView<Scalar>& code,
                                                        const Cache& cache, RowRange rows) noexcept {
    return i == 0 ? code : rows_of(cache.outputs[i - 1], rows);
  }
  [[nodiscard]] ConstMatrixView<Scalar> gradient_of(std::size_t i, const ConstMatrixView<Scalar>& dy,
                                                    const Cache& cache, RowRange rows) const noexcept {
    return i + 1 == depth() ? dy : rows_of(cache.gradients[i], rows);
  }

 private:
  /// The layer of the encoder whose weight layer `i` transposes.
  template <class Encoder>
  [[nodiscard]] const auto& linear(const Encoder& encoder, std::size_t i) const {
    return encoder.linear(depth() - 1 - i);
  }

  std::vector<TransposedLinear<Scalar>> layers_;
  Hidden hidden_;
  Last last_;
};

}  // namespace hourglass
