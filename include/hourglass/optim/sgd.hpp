// SGD: b = momentum * b + (1 - dampening) * g, w -= lr * b, with g the gradient plus weight_decay * w.
#pragma once

#include <algorithm>
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
#include "hourglass/core/threads.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/optim/gradients.hpp"
#include "hourglass/optim/parameter_groups.hpp"

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

/// The numbers that one step of SGD uses for every element.
template <class Scalar>
struct SGDStep {
  Scalar rate;
  Scalar decay;
  Scalar keep;   // of the momentum
  Scalar take;   // of the gradient into the momentum
  Scalar ahead;  // the step goes along ahead * g + follow * b
  Scalar follow;
};

/// One step on elements of one parameter, see core/update.hpp.
template <class Scalar>
struct SGDRule {
  SGDStep<Scalar> step;
  Scalar* momenta;  // null: none
  GroupSteps<SGDStep<Scalar>> groups;
  HOURGLASS_SIMD(V operator()(V weight, V gradient, Index i, auto at) const, {
    const V g = fma(V(step.decay), weight, gradient);
    V along = g;
    if (momenta != nullptr) {
      const V b = fma(V(step.keep), at.template load<V>(momenta + i), V(step.take) * g);
      at.template store<V>(b, momenta + i);
      along = fma(V(step.follow), b, V(step.ahead) * g);
    }
    return fma(V(-step.rate), along, weight);
  })
  void prefetch(Index i) const noexcept {
    if (momenta != nullptr) HOURGLASS_PREFETCH(momenta + i);
  }
  [[nodiscard]] bool frozen() const noexcept { return groups.frozen(); }
  [[nodiscard]] SGDRule at_slot(Index offset) const noexcept {
    const auto own = groups.at_slot(offset);
    return {own.step(), momenta == nullptr ? nullptr : momenta + offset, own};
  }
};

}  // namespace detail

/// Stochastic gradient descent with PyTorch's arithmetic (torch.optim.SGD): b starts as the first gradient,
/// undampened. Parts of a model may have rates of their own or be frozen, see optim/parameter_groups.hpp. Throws
/// DataError for options that PyTorch rejects.
template <class Scalar_ = float>
class SGD {
 public:
  using Scalar = Scalar_;
  using Options = SGDOptions;
  static constexpr std::string_view name = "SGD";

  explicit SGD(const SGDOptions& options = {}, ParameterGroups groups = {})
      : options_{options}, groups_{name, std::move(groups), options.lr}, steps_of_groups_(groups_.count()) {
    check(options.lr >= 0, "lr", options.lr, "must not be negative");
    check(options.momentum >= 0, "momentum", options.momentum, "must not be negative");
    check(options.weight_decay >= 0, "weight_decay", options.weight_decay, "must not be negative");
    check(std::isfinite(options.dampening), "dampening", options.dampening, "must be finite");
    if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
      throw DataError("SGD: nesterov needs momentum above 0 and dampening 0; set them, or leave nesterov out");
  }

  /// One step on every parameter of `model` along `gradients` (a ParameterBuffer, or a workspace with
  /// `gradients()`; with a workspace, buffers such as running statistics follow too). Allocates at the first step only.
  /// Throws ShapeError when either belongs to another model.
  template <class Model, GradientSource<Scalar_> Gradients>
  void step(Model& model, Gradients&& gradients) {
    static_assert(std::is_same_v<typename Model::Scalar, Scalar>, "optimiser and model have the same scalar");
    const auto& gradient = detail::gradient_buffer(gradients);
    detail::check_slots<Scalar>(model, gradient.size());
    detail::update_parameters(model, gradient, begin_step(model));
    detail::step_buffers(model, gradients);
  }

  /// Counts a step and gives its rule, for whoever updates the weights while it makes their gradients: see
  /// core/update.hpp. Throws ShapeError when the momentum belongs to another model.
  template <class Model>
  [[nodiscard]] detail::SGDRule<Scalar> begin_step(const Model& model) {
    prepare(model);
    if (!momentum_.empty()) detail::check_slots<Scalar>(model, momentum_.size());
    const bool has_momentum = options_.momentum != 0;
    const auto narrow = [](double x) { return static_cast<Scalar>(x); };
    for (std::size_t group = 0; group < groups_.count(); ++group)
      steps_of_groups_[group] = {
          narrow(groups_.rate(group, options_.lr)),
          narrow(options_.weight_decay),
          narrow(options_.momentum),
          narrow(steps_ == 0 ? 1.0 : 1.0 - options_.dampening),
          narrow(options_.nesterov || !has_momentum ? 1.0 : 0.0),
          narrow(options_.nesterov ? options_.momentum : 1.0),
      };
    ++steps_;
    const detail::GroupSteps<detail::SGDStep<Scalar>> own{groups_, steps_of_groups_};
    return {own.step(), has_momentum ? momentum_.data() : nullptr, own};
  }

  /// Sizes the momentum for `model` and finds the members of the parameter groups if that has not been done: step does
  /// it, and so does whoever restores moments. Throws DataError for a group without a parameter, and when all
  /// parameters are frozen.
  template <class Model>
  void prepare(const Model& model) {
    groups_.resolve(model);
    if (options_.momentum != 0 && momentum_.empty()) momentum_ = ParameterBuffer<Scalar>(model);
  }

  [[nodiscard]] const SGDOptions& options() const noexcept { return options_; }
  [[nodiscard]] double lr() const noexcept { return options_.lr; }
  /// Throws DataError when `lr` is negative or NaN.
  void set_lr(double lr) {
    check(lr >= 0, "lr", lr, "must not be negative");
    options_.lr = lr;
  }

  [[nodiscard]] const ParameterGroups& groups() const noexcept { return groups_.groups(); }
  /// Other groups from the next step on; moments stay as they are. Throws DataError as the constructor does.
  void set_groups(ParameterGroups groups) {
    groups_ = detail::GroupTable{name, std::move(groups), options_.lr};
    steps_of_groups_.resize(groups_.count());
  }
  /// Zeros in the gradients of frozen parameters, for who measures or clips gradients.
  template <class Model, GradientSource<Scalar_> Gradients>
  void clear_frozen(const Model& model, Gradients&& gradients) {
    groups_.clear_frozen(model, detail::gradient_buffer(gradients));
  }

  /// Steps taken.
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  void set_steps(std::int64_t steps) noexcept { steps_ = steps; }
  /// The momentum buffer (empty before the first step and without momentum), for checkpoints.
  [[nodiscard]] std::span<ParameterBuffer<Scalar>> moments() noexcept { return {&momentum_, 1}; }
  [[nodiscard]] std::span<const ParameterBuffer<Scalar>> moments() const noexcept { return {&momentum_, 1}; }

 private:
  static void check(bool valid, std::string_view option, double value, std::string_view rule) {
    if (!valid) throw DataError(detail::message("SGD: ", option, " ", rule, ", it is ", value));
  }

  SGDOptions options_;
  detail::GroupTable groups_;
  std::vector<detail::SGDStep<Scalar>> steps_of_groups_;
  ParameterBuffer<Scalar> momentum_;
  std::int64_t steps_ = 0;
};

}  // namespace hourglass
