// SGD: b = momentum * b + (1 - dampening) * g, w -= lr * b, with g the gradient plus weight_decay * w.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/optim/elementwise_optimizer.hpp"

namespace hourglass {

/// Options of SGD, named as in PyTorch.
struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0.0;
  double dampening = 0.0;
  double weight_decay = 0.0;  ///< adds weight_decay * w to every gradient
  bool nesterov = false;      ///< steps along g + momentum * b; needs momentum > 0 and dampening == 0
};

namespace detail {

/// The formula of SGD, see optim/elementwise_optimizer.hpp.
template <class Scalar_>
struct SGDStep {
  using Scalar = Scalar_;
  using Options = SGDOptions;
  static constexpr std::string_view name = "SGD";
  static constexpr std::size_t moments = 1;

  Scalar rate;
  Scalar decay;
  Scalar keep;   // of the momentum
  Scalar take;   // of the gradient into the momentum
  Scalar ahead;  // the step goes along ahead * g + follow * b
  Scalar follow;

  static bool remembers(const Options& options) noexcept { return options.momentum != 0; }
  static void check(const Options& options) {
    check_option(options.momentum >= 0, name, "momentum", options.momentum, "must not be negative");
    check_option(options.weight_decay >= 0, name, "weight_decay", options.weight_decay, "must not be negative");
    check_option(std::isfinite(options.dampening), name, "dampening", options.dampening, "must be finite");
    if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
      throw DataError("SGD: nesterov needs momentum above 0 and dampening 0; set them, or leave nesterov out");
  }
  static SGDStep of(const Options& options, double lr, std::int64_t t) noexcept {
    const auto narrow = [](double x) { return static_cast<Scalar>(x); };
    return {narrow(lr),
            narrow(options.weight_decay),
            narrow(options.momentum),
            narrow(t == 1 ? 1.0 : 1.0 - options.dampening),
            narrow(options.nesterov || !remembers(options) ? 1.0 : 0.0),
            narrow(options.nesterov ? options.momentum : 1.0)};
  }

  HOURGLASS_SIMD(V operator()(V weight, V gradient, Index i, auto at, const std::array<Scalar*, 1>& moment) const, {
    const V g = fma(V(decay), weight, gradient);
    V along = g;
    if (moment[0] != nullptr) {
      const V b = fma(V(keep), at.template load<V>(moment[0] + i), V(take) * g);
      at.template store<V>(b, moment[0] + i);
      along = fma(V(follow), b, V(ahead) * g);
    }
    return fma(V(-rate), along, weight);
  })
};

}  // namespace detail

/// Stochastic gradient descent with PyTorch's arithmetic (torch.optim.SGD): b starts as the first gradient,
/// undampened. Parts of a model may have rates of their own or be frozen, see optim/parameter_groups.hpp. Throws
/// DataError for options that PyTorch rejects.
template <class Scalar = float>
class SGD : public detail::ElementwiseOptimizer<detail::SGDStep<Scalar>> {
 public:
  explicit SGD(const SGDOptions& options = {}, ParameterGroups groups = {})
      : detail::ElementwiseOptimizer<detail::SGDStep<Scalar>>(options, std::move(groups)) {}
};

}  // namespace hourglass
