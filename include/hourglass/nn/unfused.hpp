// Unfused: a layer that keeps to itself.
#pragma once

#include <span>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

/// `Layer` with the same parameters, names and results, which Sequential fuses with no neighbour: each runs as a pass
/// of its own over memory. For comparison: networks of Unfused layers are what the fused ones are tested against.
template <class Layer>
class Unfused : public Layer {
 public:
  static constexpr bool is_affine = false;
  static constexpr bool starts_affine = false;
  using Layer::Layer;
  Unfused() = default;
  explicit Unfused(Layer layer) : Layer(std::move(layer)) {}
};

template <Activation Layer>
class Unfused<Layer> : public Layer {
 public:
  static constexpr bool preserves_width = true;
  // Hides those of the activation, so that this is one no more.
  void value() = delete;
  void derivative() = delete;

  Unfused() = default;
  explicit Unfused(Layer layer) : Layer(std::move(layer)) {}

  [[nodiscard]] static Index in_features() noexcept { return Dynamic; }
  [[nodiscard]] static Index out_features(Index in) noexcept { return in; }

  template <class Scalar, Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar>, const M&) const {
    detail::activation_forward(static_cast<const Layer&>(*this), y.size(), x.data(), y.data());
  }
  template <class Scalar>
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& y, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar>, Scalar*) const {
    if (dx.data() != nullptr)
      detail::activation_backward(static_cast<const Layer&>(*this), dx.size(), x.data(), y.data(), dy.data(),
                                  dx.data());
  }
};

template <class Layer>
Unfused(Layer) -> Unfused<Layer>;

}  // namespace hourglass
