// What the optimisers that treat each weight for itself share: the learning rate, moments, parameter groups, the step.
//
// An optimiser adds its formula, as the numbers of one step:
//     using Scalar, Options;
//     static constexpr std::string_view name;                    for messages
//     static constexpr std::size_t moments;                      numbers it remembers of each weight
//     static bool remembers(const Options&);                     whether these options need them
//     static void check(const Options&);                         throws DataError
//     static Step of(const Options&, double lr, std::int64_t t);   step t, from 1
//     V operator()(V weight, V gradient, Index i, auto at, const std::array<Scalar*, moments>& moment) const
// which gives the new weights and changes the moments at i, see core/update.hpp.
#pragma once

#include <array>
#include <cstddef>
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

namespace hourglass::detail {

/// Throws DataError unless `valid`, such as "Adam: eps must not be negative, it is -1".
inline void check_option(bool valid, std::string_view optimizer, std::string_view option, double value,
                         std::string_view rule) {
  if (!valid) throw DataError(message(optimizer, ": ", option, " ", rule, ", it is ", value));
}

/// One step on the parameter of a slot, see core/update.hpp.
template <class Step>
struct ElementwiseRule {
  using Scalar = typename Step::Scalar;
  Step step;
  std::array<Scalar*, Step::moments> moment;  // null: none
  GroupSteps<Step> groups;
  HOURGLASS_SIMD(V operator()(V weight, V gradient, Index i, auto at) const,
                 { return step(weight, gradient, i, at, moment); })
  void prefetch(Index i) const noexcept {
    for (Scalar* const values : moment)
      if (values != nullptr) HOURGLASS_PREFETCH(values + i);
  }
  [[nodiscard]] bool frozen() const noexcept { return groups.frozen(); }
  [[nodiscard]] ElementwiseRule at_slot(Index offset) const noexcept {
    const auto own = groups.at_slot(offset);
    auto there = moment;
    for (Scalar*& values : there)
      if (values != nullptr) values += offset;
    return {own.step(), there, own};
  }
};
/// An optimiser with the formula `Step`.
template <class Step>
class ElementwiseOptimizer {
 public:
  using Scalar = typename Step::Scalar;
  using Options = typename Step::Options;
  static constexpr std::string_view name = Step::name;

  ElementwiseOptimizer(const Options& options, ParameterGroups groups)
      : options_{options}, groups_{name, std::move(groups), options.lr}, steps_of_groups_(groups_.count()) {
    check_lr(options.lr);
    Step::check(options);
  }

  /// One step on every parameter of `model` along `gradients` (a ParameterBuffer, or a workspace with
  /// `gradients()`; with a workspace, buffers such as running statistics follow too). Allocates at the first step only.
  /// Throws ShapeError when either belongs to another model.
  template <class Model, GradientSource<Scalar> Gradients>
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
  [[nodiscard]] ElementwiseRule<Step> begin_step(const Model& model) {
    prepare(model);
    std::array<Scalar*, Step::moments> moment{};
    if (Step::remembers(options_))
      for (std::size_t i = 0; i < moment.size(); ++i) {
        check_slots<Scalar>(model, moments_[i].size());
        moment[i] = moments_[i].data();
      }
    ++steps_;
    for (std::size_t group = 0; group < groups_.count(); ++group)
      steps_of_groups_[group] = Step::of(options_, groups_.rate(group, options_.lr), steps_);
    const GroupSteps<Step> own{groups_, steps_of_groups_};
    return {own.step(), moment, own};
  }

  /// Sizes the moments for `model` and finds the members of the parameter groups if that has not been done: step does
  /// it, and so does whoever restores moments. Throws DataError for a group without a parameter, and when all
  /// parameters are frozen.
  template <class Model>
  void prepare(const Model& model) {
    groups_.resolve(model);
    if (!Step::remembers(options_) || !moments_[0].empty()) return;
    for (auto& moment : moments_) moment = ParameterBuffer<Scalar>(model);
  }

  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] double lr() const noexcept { return options_.lr; }
  /// Throws DataError when `lr` is negative or NaN.
  void set_lr(double lr) {
    check_lr(lr);
    options_.lr = lr;
  }

  [[nodiscard]] const ParameterGroups& groups() const noexcept { return groups_.groups(); }
  /// Other groups from the next step on; moments stay as they are. Throws DataError as the constructor does.
  void set_groups(ParameterGroups groups) {
    groups_ = GroupTable{name, std::move(groups), options_.lr};
    steps_of_groups_.resize(groups_.count());
  }
  /// Zeros in the gradients of frozen parameters, for who measures or clips gradients.
  template <class Model, GradientSource<Scalar> Gradients>
  void clear_frozen(const Model& model, Gradients&& gradients) {
    groups_.clear_frozen(model, gradient_buffer(gradients));
  }

  /// Steps taken.
  [[nodiscard]] std::int64_t steps() const noexcept { return steps_; }
  void set_steps(std::int64_t steps) noexcept { steps_ = steps; }
  /// What is remembered of the gradients (empty before the first step, and where the options need nothing), for
  /// checkpoints.
  [[nodiscard]] std::span<ParameterBuffer<Scalar>> moments() noexcept { return moments_; }
  [[nodiscard]] std::span<const ParameterBuffer<Scalar>> moments() const noexcept { return moments_; }

 private:
  static void check_lr(double lr) { check_option(lr >= 0, name, "lr", lr, "must not be negative"); }

  Options options_;
  GroupTable groups_;
  std::vector<Step> steps_of_groups_;
  std::array<ParameterBuffer<Scalar>, Step::moments> moments_;
  std::int64_t steps_ = 0;
};

}  // namespace hourglass::detail
