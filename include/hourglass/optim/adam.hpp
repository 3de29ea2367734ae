// Adam: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
//
// Sources: Kingma and Ba, "Adam: a method for stochastic optimization", 2015; Loshchilov and Hutter, "Decoupled weight
// decay regularization", 2019; the arithmetic is that of torch.optim: eps is added after the bias correction.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/optim/gradients.hpp"
#include "hourglass/optim/parameter_groups.hpp"

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

/// The numbers that one step of Adam uses for every element.
template <class Scalar>
struct AdamStep {
  Scalar beta1, one_minus_beta1, beta2, one_minus_beta2;
  Scalar coupled_decay;  // of the gradient
  Scalar keep;           // of the weight: 1 - lr * decoupled decay
  Scalar step_size;      // lr / (1 - beta1^t)
  Scalar correction;     // 1 / sqrt(1 - beta2^t)
  Scalar eps;
};

/// One step on elements of one parameter, see core/update.hpp. Moments below the smallest normal number become zero,
/// as kernels flush denormals: what they could move a weight by, lr * 1e-38 / eps, is lost in its rounding anyway.
template <class Scalar>
struct AdamRule {
  AdamStep<Scalar> step;
  Scalar* first;
  Scalar* second;
  GroupSteps<AdamStep<Scalar>> groups;
  HOURGLASS_SIMD(V operator()(V weight, V gradient, Index i, auto at) const, {
    const V g = fma(V(step.coupled_decay), weight, gradient);
    const V m = fma(V(step.beta1), at.template load<V>(first + i), V(step.one_minus_beta1) * g);
    const V v = fma(V(step.beta2), at.template load<V>(second + i), V(step.one_minus_beta2) * g * g);
    const V denominator = fma(sqrt(v), V(step.correction), V(step.eps));
    at.template store<V>(m, first + i);
    at.template store<V>(v, second + i);
    return fma(V(step.keep), weight, V(-step.step_size) * m / denominator);
  })
  void prefetch(Index i) const noexcept {
    HOURGLASS_PREFETCH(first + i);
    HOURGLASS_PREFETCH(second + i);
  }
  [[nodiscard]] bool frozen() const noexcept { return groups.frozen(); }
  [[nodiscard]] AdamRule at_slot(Index offset) const noexcept {
    const auto own = groups.at_slot(offset);
    return {own.step(), first + offset, second + offset, own};
  }
};

/// What Adam and AdamW share; `decoupled`: weight decay acts on the weights, not on the gradients.
template <class Scalar_, class Options_, bool decoupled>
class AdamCore {
 public:
  using Scalar = Scalar_;
  using Options = Options_;
  static constexpr std::string_view name = decoupled ? "AdamW" : "Adam";

  AdamCore(const Options& options, ParameterGroups groups)
      : options_{options}, groups_{name, std::move(groups), options.lr}, steps_of_groups_(groups_.count()) {
    check(options.lr >= 0, "lr", options.lr, "must not be negative");
    check(options.betas[0] >= 0 && options.betas[0] < 1, "betas[0]", options.betas[0], "must lie in [0, 1)");
    check(options.betas[1] >= 0 && options.betas[1] < 1, "betas[1]", options.betas[1], "must lie in [0, 1)");
    check(options.eps >= 0, "eps", options.eps, "must not be negative");
    check(options.weight_decay >= 0, "weight_decay", options.weight_decay, "must not be negative");
  }

  /// One step on every parameter of `model` along `gradients` (a ParameterBuffer, or a workspace with
  /// `gradients()`; with a workspace, buffers such as running statistics follow too). Allocates at the first step only.
  /// Throws ShapeError when either belongs to another model.
  template <class Model, GradientSource<Scalar_> Gradients>
  void step(Model& model, Gradients&& gradients) {
    static_assert(std::is_same_v<typename Model::Scalar, Scalar>, "optimiser and model have the same scalar");
    const auto& gradient = gradient_buffer(gradients);
    check_slots<Scalar>(model, gradient.size());
    update_parameters(model, gradient, begin_step(model));
    step_buffers(model, gradients);
  }

  /// Counts a step and gives its rule, for whoever updates the weights while it makes their gradients: see
  /// core/update.hpp. Throws ShapeError when the moments belong to another model.
  template <class Model>
  [[nodiscard]] AdamRule<Scalar> begin_step(const Model& model) {
    prepare(model);
    check_slots<Scalar>(model, moments_[0].size());
    ++steps_;
    for (std::size_t group = 0; group < groups_.count(); ++group)
      steps_of_groups_[group] = constants_of(steps_, groups_.rate(group, options_.lr));
    const GroupSteps<AdamStep<Scalar>> own{groups_, steps_of_groups_};
    return {own.step(), moments_[0].data(), moments_[1].data(), own};
  }

  /// Sizes the moments for `model` and finds the members of the parameter groups if that has not been done: step does
  /// it, and so does whoever restores moments. Throws DataError for a group without a parameter, and when all
  /// parameters are frozen.
  template <class Model>
  void prepare(const Model& model) {
    groups_.resolve(model);
    if (!moments_[0].empty()) return;
    for (auto& moment : moments_) moment = ParameterBuffer<Scalar>(model);
  }

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] double lr() const noexcept { return options_.lr; }
  /// Throws DataError when `lr` is negative or NaN.
  void set_lr(double lr) {
    check(lr >= 0, "lr", lr, "must not be negative");
    options_.lr = lr;
  }

  [[nodiscard]] const ParameterGroups& groups() const noexcept { return groups_.groups(); }
  /// Other groups from the next step on; moments stay as they are. Throws DataError as the constructor does.
  void set_groups(ParameterGroups groups) {
    groups_ = GroupTable{name, std::move(groups), options_.lr};
    steps_of_groups_.resize(groups_.count());
  }
  /// Zeros in the gradients of frozen parameters, for who measures or clips gradients.
  template <class Model, GradientSource<Scalar_> Gradients>
  void clear_frozen(const Model& model, Gradients&& gradients) {
    groups_.clear_frozen(model, gradient_buffer(gradients));
  }

  /// Steps taken; the t of the bias correction is one more.
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  void set_steps(std::int64_t steps) noexcept { steps_ = steps; }
  /// First and second moment (empty before the first step), for checkpoints.
  [[nodiscard]] std::span<ParameterBuffer<Scalar>> moments() noexcept { return moments_; }
  [[nodiscard]] std::span<const ParameterBuffer<Scalar>> moments() const noexcept { return moments_; }

 private:
  static void check(bool valid, std::string_view option, double value, std::string_view rule) {
    if (!valid) throw DataError(message(name, ": ", option, " ", rule, ", it is ", value));
  }

  [[nodiscard]] AdamStep<Scalar> constants_of(std::int64_t t, double lr) const {
    const auto time = static_cast<double>(t);
    const double beta1 = options_.betas[0];
    const double beta2 = options_.betas[1];
    const auto narrow = [](double x) { return static_cast<Scalar>(x); };
    return {narrow(beta1),
            narrow(1.0 - beta1),
            narrow(beta2),
            narrow(1.0 - beta2),
            narrow(decoupled ? 0.0 : options_.weight_decay),
            narrow(decoupled ? 1.0 - lr * options_.weight_decay : 1.0),
            narrow(lr / (1.0 - std::pow(beta1, time))),
            narrow(1.0 / std::sqrt(1.0 - std::pow(beta2, time))),
            narrow(options_.eps)};
  }

  Options options_;
  GroupTable groups_;
  std::vector<AdamStep<Scalar>> steps_of_groups_;
  std::array<ParameterBuffer<Scalar>, 2> moments_;
  std::int64_t steps_ = 0;
};

}  // namespace detail

/// Adam with PyTorch's options, defaults and arithmetic (torch.optim.Adam without amsgrad). One step counter for all
/// parameters. Parts of a model may have rates of their own or be frozen, see optim/parameter_groups.hpp. Throws
/// DataError for options that PyTorch rejects.
template <class Scalar = float>
class Adam : public detail::AdamCore<Scalar, AdamOptions, false> {
 public:
  explicit Adam(const AdamOptions& options = {}, ParameterGroups groups = {})
      : detail::AdamCore<Scalar, AdamOptions, false>(options, std::move(groups)) {}
};

/// Adam with decoupled weight decay (torch.optim.AdamW), and parameter groups. Throws DataError for options that
/// PyTorch rejects.
template <class Scalar = float>
class AdamW : public detail::AdamCore<Scalar, AdamWOptions, true> {
 public:
  explicit AdamW(const AdamWOptions& options = {}, ParameterGroups groups = {})
      : detail::AdamCore<Scalar, AdamWOptions, true>(options, std::move(groups)) {}
};

}  // namespace hourglass
