// Sequential: layers one after another, y = layer_n(... layer_1(x)).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

namespace detail {

/// Checks the static widths of neighbours; instantiating it with a mismatch does not compile and prints
/// widths_match<index of the layer, width before it, width it expects>.
template <Index layer, Index width, class... Layers>
struct SequentialWidth {
  static constexpr Index value = width;
};
template <Index layer, Index width, class First, class... Rest>
struct SequentialWidth<layer, width, First, Rest...> {
  static_assert(MatchingWidths<layer, width, static_in<First>()>::value);
  static constexpr Index value = SequentialWidth<layer + 1, static_out<First>(width), Rest...>::value;
};

/// Width that the network expects: that of the first layer that states one, when only width-preserving ones precede it.
template <class First, class... Rest>
constexpr Index sequential_in() noexcept {
  if constexpr (static_in<First>() != Dynamic || sizeof...(Rest) == 0)
    return static_in<First>();
  else if constexpr (preserves_width<First>)
    return sequential_in<Rest...>();
  else
    return Dynamic;
}

}  // namespace detail

/// Layers one after another. Widths known to the compiler must fit or the program does not compile; widths known at
/// run time are checked once, at construction. Parameters are named by position, as in PyTorch: "0.weight", "2.bias".
template <class... Layers>
class Sequential {
  static_assert(sizeof...(Layers) > 0, "Sequential needs at least one layer");
  static constexpr std::size_t count = sizeof...(Layers);

 public:
  using Scalar = typename detail::ScalarOf<Layers...>::type;
  static_assert((detail::same_scalar<Layers, Scalar>() && ...), "Sequential: all layers must share one scalar type");
  static constexpr std::string_view name = "Sequential";
  static constexpr Index static_in = detail::sequential_in<Layers...>();
  static constexpr Index static_out = detail::SequentialWidth<0, static_in, Layers...>::value;
  static_assert(static_out != 0);  // uses the constant, so that the widths are checked as soon as the type is named

  /// Buffers of all layers, and two more for the gradients between them.
  struct Cache {
    std::tuple<typename detail::CacheOf<Scalar, Layers>::type...> layers;
    std::array<Matrix<Scalar>, 2> between;  // (max_batch, widest inner width)

    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept {
      return std::get<count - 1>(layers).output(rows);
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
      const auto inner = static_cast<std::size_t>(between[0].size() + between[1].size()) * sizeof(Scalar);
      return std::apply([&](const auto&... layer) { return (inner + ... + layer.bytes()); }, layers);
    }
  };

  Sequential() = default;
  /// Throws ShapeError when run-time widths of neighbours differ; the message names both layers and numbers.
  explicit Sequential(Layers... layers) : layers_{std::move(layers)...} { check_widths(); }

  template <std::size_t index>
  [[nodiscard]] auto& layer() noexcept {
    return std::get<index>(layers_);
  }
  template <std::size_t index>
  [[nodiscard]] const auto& layer() const noexcept {
    return std::get<index>(layers_);
  }

  template <class Self, class Visit>
  static void for_each_child(Self& self, Visit&& visit) {
    std::apply(
        [&](auto&... layer) {
          Index index = 0;
          (visit(index++, layer), ...);
        },
        self.layers_);
  }

  /// Features that the first layers expect; Dynamic when all of them take any number.
  [[nodiscard]] Index in_features() const {
    Index in = Dynamic;
    bool open = true;
    for_each_child(*this, [&](Index, const auto& layer) {
      if (!open) return;
      in = detail::in_features(layer);
      open = in == Dynamic && detail::preserves_width<std::remove_cvref_t<decltype(layer)>>;
    });
    return in;
  }
  /// Throws ShapeError when a layer does not accept the width before it.
  [[nodiscard]] Index out_features(Index in) const {
    for_each_child(*this, [&](Index, const auto& layer) { in = detail::out_features(layer, in); });
    return in;
  }

  /// Buffers for batches of up to max_batch rows of `in` features.
  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    Cache cache;
    Index widest = 1;
    plan_from<0>(cache, max_batch, in, purpose, widest);
    if (purpose == Purpose::training && count > 1)
      for (Matrix<Scalar>& buffer : cache.between) buffer = Matrix<Scalar>(max_batch, widest);
    return cache;
  }

  /// y (batch, out) for x (batch, in); the result lies in the workspace and lasts until its next use.
  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Workspace<Sequential>& workspace,
                                  const M& mode = {}) const {
    return workspace.forward(*this, x, mode);
  }
  /// Gradients of all parameters, from workspace.output_gradient() and the batch x of the last forward().
  void backward(const ConstMatrixView<Scalar>& x, Workspace<Sequential>& workspace) const {
    workspace.backward(*this, x);
  }

  /// y (batch, out) for x (batch, in), in inference, without a workspace.
  [[nodiscard]] Matrix<Scalar> operator()(const ConstMatrixView<Scalar>& x) const { return detail::apply(*this, x); }

  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode) const {
    return forward_from<0>(x, cache, mode);
  }
  /// `gradient` points to this module's slots; dx (batch, in) is computed unless it is empty.
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache, Scalar* gradient,
                MatrixView<Scalar> dx) const {
    backward_from<count - 1>(x, dy, cache, gradient + slots_before<count - 1>(), dx);
  }

 private:
  void check_widths() const {
    Index width = Dynamic;
    Index giver = 0;
    std::string_view giver_name;
    for_each_child(*this, [&](Index index, const auto& layer) {
      const Index expected = detail::in_features(layer);
      if (!compatible(width, expected))
        throw ShapeError(detail::message("Sequential: layer ", giver, " (", giver_name, ") gives ", width,
                                         " features, layer ", index, " (", detail::layer_name(layer), ") expects ",
                                         expected, "; make the two numbers equal"));
      const Index in = expected == Dynamic ? width : expected;
      const Index out = in == Dynamic ? Dynamic : detail::out_features(layer, in);
      if (out != width) {
        giver = index;
        giver_name = detail::layer_name(layer);
      }
      width = out;
    });
  }

  template <std::size_t index>
  void plan_from(Cache& cache, Index max_batch, Index in, Purpose purpose, Index& widest) const {
    const auto& layer = std::get<index>(layers_);
    if (index > 0) widest = std::max(widest, in);
    std::get<index>(cache.layers) = detail::plan<Scalar>(layer, max_batch, in, purpose);
    if constexpr (index + 1 < count)
      plan_from<index + 1>(cache, max_batch, detail::out_features(layer, in), purpose, widest);
  }

  template <std::size_t index, Mode M>
  ConstMatrixView<Scalar> forward_from(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode) const {
    const auto y = detail::propagate<Scalar>(std::get<index>(layers_), x, std::get<index>(cache.layers), mode);
    if constexpr (index + 1 < count)
      return forward_from<index + 1>(y, cache, mode);
    else
      return y;
  }

  template <std::size_t index>
  void backward_from(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                     Scalar* gradient, MatrixView<Scalar> dx) const {
    const auto& layer = std::get<index>(layers_);
    auto& own = std::get<index>(cache.layers);
    if constexpr (index == 0) {
      detail::backpropagate<Scalar>(layer, x, dy, own, gradient, dx);
    } else {
      const ConstMatrixView<Scalar> in = std::get<index - 1>(cache.layers).output(x.rows());
      const MatrixView<Scalar> between(cache.between[index % 2].data(), in.rows(), in.cols());
      detail::backpropagate<Scalar>(layer, in, dy, own, gradient, between);
      const Index step = slots_size<Scalar>(std::get<index - 1>(layers_));
      backward_from<index - 1>(x, between, cache, gradient - step, dx);
    }
  }

  template <std::size_t index>
  [[nodiscard]] Index slots_before() const {
    Index total = 0;
    for_each_child(*this, [&](Index i, const auto& layer) {
      if (i < static_cast<Index>(index)) total += slots_size<Scalar>(layer);
    });
    return total;
  }

  std::tuple<Layers...> layers_;
};

template <class... Layers>
Sequential(Layers...) -> Sequential<Layers...>;

}  // namespace hourglass
