// Adam: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
//
// Sources: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; Loshchilov and Hutter, "Decoupled weight
// decay regularization", 2019; the arithmetic is that of torch.optim: eps is added after the bias correction.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/optim/elementwise_optimizer.hpp"

namespace hourglass {

/// Options of Adam, named as in PyTorch.
struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< adds weight_decay * w to every gradient
};

/// Options of AdamW, named as in PyTorch.
struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;  ///< multiplies every w by 1 - lr * weight_decay, beside the gradient step
};

namespace detail {

/// The formula of Adam and AdamW, see optim/elementwise_optimizer.hpp. Moments below the smallest normal number become
/// zero, as kernels flush denormals: what they could move a weight by, lr * 1e-38 / eps, is lost in its rounding
/// anyway.
template <class Scalar_, class Options_>
struct AdamStep {
  using Scalar = Scalar_;
  using Options = Options_;
  static constexpr bool decoupled = std::is_same_v<Options, AdamWOptions>;
  static constexpr std::string_view name = decoupled ? "AdamW" : "Adam";
  static constexpr std::size_t moments = 2;

  Scalar beta1, one_minus_beta1, beta2, one_minus_beta2;
  Scalar coupled_decay;  // of the gradient
  Scalar keep;           // of the weight: 1 - lr * decoupled decay
  Scalar step_size;      // lr / (1 - beta1^t)
  Scalar correction;     // 1 / sqrt(1 - beta2^t)
  Scalar eps;

  static bool remembers(const Options&) noexcept { return true; }
  static void check(const Options& options) {
    const auto [beta1, beta2] = options.betas;
    check_option(beta1 >= 0 && beta1 < 1, name, "betas[0]", beta1, "must lie in [0, 1)");
    check_option(beta2 >= 0 && beta2 < 1, name, "betas[1]", beta2, "must lie in [0, 1)");
    check_option(options.eps >= 0, name, "eps", options.eps, "must not be negative");
    check_option(options.weight_decay >= 0, name, "weight_decay", options.weight_decay, "must not be negative");
  }
  static AdamStep of(const Options& options, double lr, std::int64_t t) noexcept {
    const auto time = static_cast<double>(t);
    const auto [beta1, beta2] = options.betas;
    const auto narrow = [](double x) { return static_cast<Scalar>(x); };
    return {narrow(beta1),
            narrow(1.0 - beta1),
            narrow(beta2),
            narrow(1.0 - beta2),
            narrow(decoupled ? 0.0 : options.weight_decay),
            narrow(decoupled ? 1.0 - lr * options.weight_decay : 1.0),
            narrow(lr / (1.0 - std::pow(beta1, time))),
            narrow(1.0 / std::sqrt(1.0 - std::pow(beta2, time))),
            narrow(options.eps)};
  }

  HOURGLASS_SIMD(V operator()(V weight, V gradient, Index i, auto at, const std::array<Scalar*, 2>& moment) const, {
    const V g = fma(V(coupled_decay), weight, gradient);
    const V m = fma(V(beta1), at.template load<V>(moment[0] + i), V(one_minus_beta1) * g);
    const V v = fma(V(beta2), at.template load<V>(moment[1] + i), V(one_minus_beta2) * g * g);
    const V denominator = fma(sqrt(v), V(correction), V(eps));
    at.template store<V>(m, moment[0] + i);
    at.template store<V>(v, moment[1] + i);
    return fma(V(keep), weight, V(-step_size) * m / denominator);
  })
};

}  // namespace detail

/// Adam with PyTorch's options, defaults and arithmetic (torch.optim.Adam without amsgrad). One step counter for all
/// parameters. Parts of a model may have rates of their own or be frozen, see optim/parameter_groups.hpp. Throws
/// DataError for options that PyTorch rejects.
template <class Scalar = float>
class Adam : public detail::ElementwiseOptimizer<detail::AdamStep<Scalar, AdamOptions>> {
 public:
  explicit Adam(const AdamOptions& options = {}, ParameterGroups groups = {})
      : detail::ElementwiseOptimizer<detail::AdamStep<Scalar, AdamOptions>>(options, std::move(groups)) {}
};

/// Adam with decoupled weight decay (torch.optim.AdamW), and parameter groups. Throws DataError for options that
/// PyTorch rejects.
template <class Scalar = float>
class AdamW : public detail::ElementwiseOptimizer<detail::AdamStep<Scalar, AdamWOptions>> {
 public:
  explicit AdamW(const AdamWOptions& options = {}, ParameterGroups groups = {})
      : detail::ElementwiseOptimizer<detail::AdamStep<Scalar, AdamWOptions>>(options, std::move(groups)) {}
};

}  // namespace hourglass
