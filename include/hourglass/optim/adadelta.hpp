// Adadelta: v = rho v + (1 - rho) g^2, d = sqrt(u + eps) / sqrt(v + eps) g, u = rho u + (1 - rho) d^2, w -= lr d.
//
// Source: M. Zeiler, "ADADELTA: an adaptive learning rate method", 2012; the arithmetic is that of torch.optim.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/optim/elementwise_optimizer.hpp"

namespace hourglass {

/// Options of Adadelta, named as in PyTorch.
struct AdadeltaOptions {
  double lr = 1.0;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0.0;  ///< adds weight_decay * w to every gradient
};

namespace detail {

/// The formula of Adadelta, see optim/elementwise_optimizer.hpp.
template <class Scalar_>
struct AdadeltaStep {
  using Scalar = Scalar_;
  using Options = AdadeltaOptions;
  static constexpr std::string_view name = "Adadelta";
  static constexpr std::size_t moments = 2;

  Scalar rate, decay, rho, one_minus_rho, eps;

  static bool remembers(const Options&) noexcept { return true; }
  static void check(const Options& options) {
    check_option(options.rho >= 0 && options.rho <= 1, name, "rho", options.rho, "must lie in [0, 1]");
    check_option(options.eps >= 0, name, "eps", options.eps, "must not be negative");
    check_option(options.weight_decay >= 0, name, "weight_decay", options.weight_decay, "must not be negative");
  }
  static AdadeltaStep of(const Options& options, double lr, std::int64_t) noexcept {
    const auto narrow = [](double x) { return static_cast<Scalar>(x); };
    return {narrow(lr), narrow(options.weight_decay), narrow(options.rho), narrow(1.0 - options.rho),
            narrow(options.eps)};
  }

  HOURGLASS_SIMD(V operator()(V weight, V gradient, Index i, auto at, const std::array<Scalar*, 2>& moment) const, {
    const V g = fma(V(decay), weight, gradient);
    const V v = fma(V(rho), at.template load<V>(moment[0] + i), V(one_minus_rho) * g * g);
    const V u = at.template load<V>(moment[1] + i);
    const V d = sqrt(u + V(eps)) / sqrt(v + V(eps)) * g;
    at.template store<V>(v, moment[0] + i);
    at.template store<V>(fma(V(rho), u, V(one_minus_rho) * d * d), moment[1] + i);
    return fma(V(-rate), d, weight);
  })
};

}  // namespace detail

/// Adadelta with PyTorch's options, defaults and arithmetic (torch.optim.Adadelta): needs no learning rate, as steps
/// have the size of the steps before. Parts of a model may have rates of their own or be frozen, see
/// optim/parameter_groups.hpp. Throws DataError for options that PyTorch rejects.
template <class Scalar = float>
class Adadelta : public detail::ElementwiseOptimizer<detail::AdadeltaStep<Scalar>> {
 public:
  explicit Adadelta(const AdadeltaOptions& options = {}, ParameterGroups groups = {})
      : detail::ElementwiseOptimizer<detail::AdadeltaStep<Scalar>>(options, std::move(groups)) {}
};

}  // namespace hourglass
