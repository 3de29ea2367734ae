// Sequential: layers one after another, y = layer_n(... layer_1(x)).
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/sequential_shapes.hpp"
#include "hourglass/nn/shape_flow.hpp"
#include "hourglass/nn/workspace_passes.hpp"

namespace hourglass {

/// Layers one after another. A Linear or convolution and the activation behind it run as one product, both ways; the
/// results are those of the layers one by one (see Unfused). Widths known to the compiler must fit or the program does
/// not compile; widths known at run time are checked once, at construction. Parameters are named by position, as in
/// PyTorch: "0.weight", "2.bias".
template <class... Layers>
class Sequential : public WorkspacePasses<Sequential<Layers...>, typename detail::ScalarOf<Layers...>::type> {
  static_assert(sizeof...(Layers) > 0, "Sequential needs at least one layer");
  static constexpr std::size_t count = sizeof...(Layers);
  template <std::size_t index>
  using Layer = std::tuple_element_t<index, std::tuple<Layers...>>;

 public:
  using Scalar = typename detail::ScalarOf<Layers...>::type;
  static_assert((detail::same_scalar<Layers, Scalar>() && ...), "Sequential: all layers must share one scalar type");
  static constexpr std::string_view name = "Sequential";
  static constexpr bool preserves_width = (detail::preserves_width<Layers> && ...);
  static constexpr bool preserves_image = (detail::preserves_image<Layers> && ...);
  static constexpr Index static_in = detail::sequential_in<Layers...>();
  static constexpr Index static_out = detail::SequentialWidth<0, static_in, Layers...>::value;
  static constexpr ImageShape static_in_image = detail::sequential_in_image<Layers...>();
  static constexpr ImageShape static_out_image = detail::SequentialImage<0, any_image, Layers...>::value;
  // Uses the constants, so that widths and images are checked as soon as the type is named.
  static_assert(static_out != 0 && static_out_image.channels != 0);

  static constexpr bool starts_affine = detail::starts_affine<Layer<0>>;
  static constexpr bool rows_independent = (detail::rows_independent<Layers> && ...);
  static constexpr Index row_group = std::max({detail::row_group<Layers>()...});
  /// The activation that the network ends in, if it stands behind another layer.
  using LastActivation = typename detail::LastOf<(count > 1), Layer<count - 1>>::type;

  /// Buffers of all layers.
  struct Cache {
    std::tuple<typename detail::CacheOf<Scalar, Layers>::type...> layers;
    // d loss / d output of each layer (max_batch, out); empty where that never reaches memory, and for the last layer.
    std::array<Matrix<Scalar>, count> gradients;

    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept {
      return std::get<count - 1>(layers).output(rows);
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
      Index inner = 0;
      for (const Matrix<Scalar>& gradient : gradients) inner += gradient.size();
      const std::size_t total = static_cast<std::size_t>(inner) * sizeof(Scalar);
      return std::apply([&](const auto&... layer) { return (total + ... + layer.bytes()); }, layers);
    }
  };

  Sequential() = default;
  /// Throws ShapeError when run-time widths or images of neighbours differ; the message names both layers and shapes.
  explicit Sequential(Layers... layers) : layers_{std::move(layers)...} {
    detail::ShapeCheck check{name, "layer "};
    (void)detail::follow_shapes(*this, ParameterName{}, {}, check);
  }

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

  /// What is known of the images that the network expects.
  [[nodiscard]] ImageShape in_image() const {
    ImageShape image;
    bool open = true;
    for_each_child(*this, [&](Index, const auto& layer) {
      if (open) image = merged(image, detail::in_image(layer));
      open = open && detail::preserves_image<std::remove_cvref_t<decltype(layer)>>;
    });
    return image;
  }
  /// What is known of the images that it gives for those of shape `in`.
  [[nodiscard]] ImageShape out_image(const ImageShape& in = any_image) const {
    ImageShape image = in;
    for_each_child(*this, [&](Index, const auto& layer) { image = detail::out_image(layer, image); });
    return image;
  }

  /// Buffers for batches of up to max_batch rows of `in` features.
  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    Cache cache;
    plan_from<0>(cache, max_batch, in, purpose);
    return cache;
  }

  /// y (batch, out) for x (batch, in), in inference, without a workspace.
  [[nodiscard]] Matrix<Scalar> operator()(const ConstMatrixView<Scalar>& x) const { return detail::apply(*this, x); }

  // The passes of a container, see nn/container.hpp.
  using Sequential::WorkspacePasses::forward;
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    return forward_from<0>(x, cache, mode, rows);
  }
  template <class Before = detail::Nothing>
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows, const Before& before = {}) const {
    inputs_from<last_dy>(x, dy, cache, gradient, dx, rows, before);
  }
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    parameters_from<0>(self, x, dy, cache, sink, part);
  }
  void update_buffers(const Cache& cache) {
    [&]<std::size_t... index>(std::index_sequence<index...>) {
      (detail::update_buffers<Scalar>(std::get<index>(layers_), std::get<index>(cache.layers)), ...);
    }
    (std::index_sequence_for<Layers...>{});
  }
  [[nodiscard]] const auto& last_activation() const noexcept {
    if constexpr (Activation<Layer<count - 1>>)
      return std::get<count - 1>(layers_);
    else
      return std::get<count - 1>(layers_).last_activation();
  }
  /// Sums before that activation, or null where they are not kept.
  [[nodiscard]] const Scalar* last_input(const Cache& cache) const noexcept {
    if constexpr (Activation<Layer<count - 1>>)
      return std::get<count - 2>(cache.layers).output(0).data();
    else
      return std::get<count - 1>(layers_).last_input(std::get<count - 1>(cache.layers));
  }

 private:
  /// Linear and the activation behind it: one product.
  template <std::size_t index>
  static constexpr bool fused = [] {
    if constexpr (index + 1 < count)
      return Affine<Layer<index>> && Activation<Layer<index + 1>>;
    else
      return false;
  }();
  /// The layer whose output `dy` is the gradient of: the one before an activation at the end.
  static constexpr std::size_t last_dy = count > 1 && Activation<Layer<count - 1>> ? count - 2 : count - 1;
  /// The gradient of the layer's output never exists: the product that makes it goes on to that of the layer's input.
  template <std::size_t index>
  static constexpr bool passed_over = [] {
    if constexpr (index < last_dy)
      return Activation<Layer<index>> && detail::starts_affine<Layer<index + 1>>;
    else
      return true;
  }();

  template <std::size_t index>
  void plan_from(Cache& cache, Index max_batch, Index in, Purpose purpose) const {
    const auto& layer = std::get<index>(layers_);
    const Index out = detail::out_features(layer, in);
    bool kept = true;  // the sums between a Linear and its activation: only if the derivative needs them
    if constexpr (fused<index>) kept = purpose == Purpose::training && !DerivativeFromOutput<Layer<index + 1>>;
    if constexpr (TakesRows<Layer<index>>)
      std::get<index>(cache.layers) = detail::plan<Scalar>(layer, max_batch, in, purpose, kept);
    else if (kept)
      std::get<index>(cache.layers) = detail::plan<Scalar>(layer, max_batch, in, purpose);
    if (purpose == Purpose::training && !passed_over<index>) cache.gradients[index] = Matrix<Scalar>(max_batch, out);
    if constexpr (index + 1 < count) plan_from<index + 1>(cache, max_batch, out, purpose);
  }

  template <std::size_t index, Mode M>
  ConstMatrixView<Scalar> forward_from(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode,
                                       RowRange rows) const {
    const auto& layer = std::get<index>(layers_);
    auto& own = std::get<index>(cache.layers);
    constexpr std::size_t next = index + (fused<index> ? 2 : 1);
    const auto y = [&]() -> ConstMatrixView<Scalar> {
      if constexpr (fused<index>) {
        const MatrixView<Scalar> out = rows_of(std::get<index + 1>(cache.layers).values, rows);
        MatrixView<Scalar> sums = rows_of(own.values, rows);
        epilogue::BiasActivation<Scalar, Layer<index + 1>> end{nullptr, std::get<index + 1>(layers_), sums.data(),
                                                               out.cols()};
        if constexpr (TakesRows<Layer<index>>) {
          layer.product(x, out, std::span<Scalar>(own.scratch), rows, end);
        } else {
          end.bias = layer.bias_data();
          layer.product(x, out, end);
        }
        return out;
      } else {
        return detail::propagate<Scalar>(layer, x, own, mode, rows);
      }
    }();
    if constexpr (next < count)
      return forward_from<next>(y, cache, mode, rows);
    else
      return y;
  }

  /// Rows of the output of a layer.
  template <std::size_t index>
  [[nodiscard]] static ConstMatrixView<Scalar> output_of(const Cache& cache, RowRange rows) noexcept {
    return rows_of(std::get<index>(cache.layers).output(rows.first + rows.count), rows);
  }
  /// What went into a layer: x, or the output of the one before.
  template <std::size_t index>
  [[nodiscard]] static ConstMatrixView<Scalar> input_of(const ConstMatrixView<Scalar>& x, const Cache& cache,
                                                        RowRange rows) noexcept {
    if constexpr (index == 0)
      return x;
    else
      return output_of<index - 1>(cache, rows);
  }

  /// dy is the gradient of the output of layer `index`.
  template <std::size_t index, class Before>
  void inputs_from(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache, Scalar* gradient,
                   MatrixView<Scalar> dx, RowRange rows, const Before& before) const {
    const auto& layer = std::get<index>(layers_);
    auto& own = std::get<index>(cache.layers);
    Scalar* const slots = gradient + slots_before<index>();
    const auto in = input_of<index>(x, cache, rows);
    if constexpr (index == 0) {
      detail::backward_inputs<Scalar>(layer, in, dy, own, slots, dx, rows, before);
    } else if constexpr (passed_over<index - 1>) {
      using A = Layer<index - 1>;
      const auto sums = input_of<index - 1>(x, cache, rows);
      const detail::Behind<Scalar, A> activation{std::get<index - 1>(layers_),
                                                 DerivativeFromOutput<A> ? nullptr : sums.data(), in.data()};
      if constexpr (index == 1) {
        detail::backward_inputs<Scalar>(layer, in, dy, own, slots, dx, rows, activation);
      } else {
        const auto din = rows_of(cache.gradients[index - 2], rows);
        detail::backward_inputs<Scalar>(layer, in, dy, own, slots, din, rows, activation);
        inputs_from<index - 2>(x, ConstMatrixView<Scalar>(din), cache, gradient, dx, rows, before);
      }
    } else {
      const auto din = rows_of(cache.gradients[index - 1], rows);
      detail::backward_inputs<Scalar>(layer, in, dy, own, slots, din, rows);
      detail::before_last_activation<Scalar>(std::get<index - 1>(layers_), std::get<index - 1>(cache.layers), rows,
                                             din);
      inputs_from<index - 1>(x, ConstMatrixView<Scalar>(din), cache, gradient, dx, rows, before);
    }
  }

  template <std::size_t index, class Self, class Sink>
  static void parameters_from(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy,
                              Cache& cache, const Sink& sink, WorkPart part) {
    if constexpr (!Activation<Layer<index>>) {
      const RowRange rows{0, x.rows()};
      const ConstMatrixView<Scalar> own =
          index == last_dy ? dy : ConstMatrixView<Scalar>(rows_of(cache.gradients[index], rows));
      detail::backward_parameters<Scalar>(std::get<index>(self.layers_), input_of<index>(x, cache, rows), own,
                                          std::get<index>(cache.layers),
                                          sink.at_slot(self.template slots_before<index>()), part);
    }
    if constexpr (index < last_dy) parameters_from<index + 1>(self, x, dy, cache, sink, part);
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
