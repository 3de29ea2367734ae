// Initialisers: first values of weights and biases, drawn from a generator that the caller passes in.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "hourglass/core/parameter.hpp"
#include "hourglass/core/rng.hpp"

namespace hourglass {

/// Connections into and out of one unit of a layer, as PyTorch counts them: for a weight of shape (out, in, ...),
/// fan_in = in * product of the rest, fan_out = out * product of the rest.
struct Fans {
  Index in = 0;
  Index out = 0;

  explicit Fans(const Shape& weight) {
    Index rest = 1;
    for (std::size_t axis = 2; axis < weight.rank(); ++axis) rest *= weight[axis];
    in = weight[1] * rest;
    out = weight[0] * rest;
  }
};

namespace detail {

template <class Scalar>
void fill_uniform(Parameter<Scalar>& parameter, double bound, Rng& rng) {
  rng.fill_uniform(parameter.values(), static_cast<Scalar>(-bound), static_cast<Scalar>(bound));
}
template <class Scalar>
void fill_normal(Parameter<Scalar>& parameter, double deviation, Rng& rng) {
  rng.fill_normal(parameter.values(), Scalar(0), static_cast<Scalar>(deviation));
}
template <class Scalar>
void fill_constant(Parameter<Scalar>& parameter, double value) {
  std::ranges::fill(parameter.values(), static_cast<Scalar>(value));
}

}  // namespace detail

/// PyTorch's default for linear and convolutional layers: weight and bias from U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
struct DefaultInit {
  template <class Scalar>
  void operator()(Parameter<Scalar>& parameter, const Fans& fans, Rng& rng) const {
    detail::fill_uniform(parameter, 1 / std::sqrt(static_cast<double>(fans.in)), rng);
  }
};

/// He et al. 2015: weights from U(-b, b), b = sqrt(6 / ((1 + negative_slope^2) fan_in)); zero biases.
struct KaimingUniform {
  double negative_slope = 0;
  template <class Scalar>
  void operator()(Parameter<Scalar>& parameter, const Fans& fans, Rng& rng) const {
    const double variance = 2 / ((1 + negative_slope * negative_slope) * static_cast<double>(fans.in));
    parameter.shape().rank() > 1 ? detail::fill_uniform(parameter, std::sqrt(3 * variance), rng)
                                 : detail::fill_constant(parameter, 0);
  }
};

/// He et al. 2015: weights from N(0, 2 / ((1 + negative_slope^2) fan_in)); zero biases.
struct KaimingNormal {
  double negative_slope = 0;
  template <class Scalar>
  void operator()(Parameter<Scalar>& parameter, const Fans& fans, Rng& rng) const {
    const double variance = 2 / ((1 + negative_slope * negative_slope) * static_cast<double>(fans.in));
    parameter.shape().rank() > 1 ? detail::fill_normal(parameter, std::sqrt(variance), rng)
                                 : detail::fill_constant(parameter, 0);
  }
};

/// Glorot and Bengio 2010: weights from U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)); zero biases.
struct XavierUniform {
  double gain = 1;
  template <class Scalar>
  void operator()(Parameter<Scalar>& parameter, const Fans& fans, Rng& rng) const {
    const double bound = gain * std::sqrt(6 / static_cast<double>(fans.in + fans.out));
    parameter.shape().rank() > 1 ? detail::fill_uniform(parameter, bound, rng) : detail::fill_constant(parameter, 0);
  }
};

/// Glorot and Bengio 2010: weights from N(0, gain^2 2 / (fan_in + fan_out)); zero biases.
struct XavierNormal {
  double gain = 1;
  template <class Scalar>
  void operator()(Parameter<Scalar>& parameter, const Fans& fans, Rng& rng) const {
    const double deviation = gain * std::sqrt(2 / static_cast<double>(fans.in + fans.out));
    parameter.shape().rank() > 1 ? detail::fill_normal(parameter, deviation, rng) : detail::fill_constant(parameter, 0);
  }
};

/// Every weight and bias becomes `value`.
struct Constant {
  double value = 0;
  template <class Scalar>
  void operator()(Parameter<Scalar>& parameter, const Fans&, Rng&) const {
    detail::fill_constant(parameter, value);
  }
};

/// Every weight and bias becomes zero.
struct Zeros {
  template <class Scalar>
  void operator()(Parameter<Scalar>& parameter, const Fans&, Rng&) const {
    detail::fill_constant(parameter, 0);
  }
};

/// Calls `initializer(parameter, fans, rng)` for the tensors of every layer of `module` that has a weight of rank 2 or
/// more, in for_each_parameter's order. `fans` are those of the weight, for its bias too. Layers whose first values are
/// always the same set them in `reset_parameters()`, as BatchNorm1d does. A part of a model can be initialised on its
/// own: `initialize(model.encoder(), rng, XavierUniform{})`.
template <class Module, class Initializer = DefaultInit>
void initialize(Module& module, Rng& rng, const Initializer& initializer = {}) {
  if constexpr (requires { module.reset_parameters(); }) return module.reset_parameters();
  Shape weight;
  detail::for_each_child(module, [&](const auto&, auto& child) {
    if constexpr (is_parameter<std::remove_cvref_t<decltype(child)>>)
      if (child.shape().rank() > weight.rank()) weight = child.shape();
  });
  detail::for_each_child(module, [&](const auto&, auto& child) {
    if constexpr (!is_parameter<std::remove_cvref_t<decltype(child)>>)
      initialize(child, rng, initializer);
    else if (weight.rank() > 1 && !child.empty())
      initializer(child, Fans{weight}, rng);
  });
}

}  // namespace hourglass
