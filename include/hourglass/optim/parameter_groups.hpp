// Parameter groups: parts of a model with a learning rate of their own, and parts that are frozen.
//
//     hg::Adam slow_encoder{{.lr = 1e-3}, {{.prefix = "encoder", .lr = 1e-4}}};
//     hg::Adam head_only{{.lr = 1e-3}, {hg::frozen("0")}};                     // 0: the first part of a Sequential
//
// Groups belong to the optimiser; the model knows nothing of them. torch.optim has the same under this name.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"

namespace hourglass {

/// The parameters whose names begin with the components of `prefix`, and their learning rate: "encoder.1" is for
/// "encoder.1.weight" and not for "encoder.10.weight"; the empty prefix is for all. Of several groups with a parameter
/// the one with the longest prefix has it; parameters that no group mentions have the optimiser's own rate.
///
/// A rate of 0 freezes: weights and moments keep their bits, under weight decay too. Schedules, which set the
/// optimiser's rate, change the rates of all groups by the same factor.
struct ParameterGroup {
  std::string prefix{};
  double lr = 0.0;
};
using ParameterGroups = std::vector<ParameterGroup>;

/// The group of parameters that do not change.
[[nodiscard]] inline ParameterGroup frozen(std::string prefix) { return {std::move(prefix), 0.0}; }

namespace detail {

/// Which group the parameter of each slot belongs to; number 0 is that of the optimiser's own rate.
class GroupTable {
 public:
  /// Throws DataError for a negative or NaN rate, two groups with one prefix, or groups beside a rate `lr` of 0, which
  /// schedules could not scale.
  GroupTable(std::string_view optimizer, ParameterGroups groups, double lr)
      : optimizer_{optimizer}, groups_{std::move(groups)}, base_lr_{lr} {
    if (!groups_.empty() && !(lr > 0))
      throw DataError(message(optimizer_, ": with parameter groups lr must be above 0, it is ", lr,
                              "; freeze all other parameters with frozen(\"\") instead"));
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (!(groups_[i].lr >= 0))
        throw DataError(message(optimizer_, ": the lr of parameter group \"", groups_[i].prefix,
                                "\" must not be negative, it is ", groups_[i].lr));
      for (std::size_t j = 0; j < i; ++j)
        if (groups_[i].prefix == groups_[j].prefix)
          throw DataError(
              message(optimizer_, ": 2 parameter groups have the prefix \"", groups_[i].prefix, "\"; leave 1"));
    }
  }

  [[nodiscard]] const ParameterGroups& groups() const noexcept { return groups_; }
  /// Groups, that of all other parameters included.
  [[nodiscard]] std::size_t count() const noexcept { return groups_.size() + 1; }
  [[nodiscard]] bool frozen(std::size_t group) const noexcept { return group > 0 && groups_[group - 1].lr == 0; }
  /// Rate of a group when the optimiser's own is `lr`.
  [[nodiscard]] double rate(std::size_t group, double lr) const noexcept {
    if (group == 0) return lr;
    // The same bits as those of an optimiser with this rate, as long as no schedule has changed it.
    return lr == base_lr_ ? groups_[group - 1].lr : lr * (groups_[group - 1].lr / base_lr_);
  }

  /// Finds the group of every parameter of `model`, unless that has been done. Throws DataError for a group without a
  /// parameter, and when every parameter is frozen.
  template <class Model>
  void resolve(const Model& model) {
    using Scalar = typename Model::Scalar;
    if (groups_.empty()) return;
    const Index total = slots_size<Scalar>(model);
    if (total == total_) return;
    std::vector<Index> starts;
    std::vector<std::size_t> members;
    std::vector<bool> used(count());
    std::string names;
    Index offset = 0;
    hourglass::for_each_parameter(model, [&](const ParameterName& name, const auto& parameter) {
      const std::string text = name.str();
      std::size_t longest = 0;
      for (std::size_t i = 0; i < groups_.size(); ++i) {
        if (!begins_with_components(text, groups_[i].prefix)) continue;
        used[i + 1] = true;
        if (longest == 0 || groups_[i].prefix.size() > groups_[longest - 1].prefix.size()) longest = i + 1;
      }
      starts.push_back(offset);
      members.push_back(longest);
      names += message(names.empty() ? "" : ", ", text);
      offset += slot_size<Scalar>(parameter.size());
    });
    for (std::size_t i = 0; i < groups_.size(); ++i)
      if (!used[i + 1])
        throw DataError(message(optimizer_, ": no parameter of the model begins with \"", groups_[i].prefix,
                                "\", the prefix of a parameter group; there are ", names));
    if (std::all_of(members.begin(), members.end(), [this](std::size_t group) { return frozen(group); }))
      throw DataError(message(optimizer_, ": all parameters are frozen, nothing is left to train; there are ", names));
    starts_ = std::move(starts);
    members_ = std::move(members);
    total_ = total;
  }

  /// Group of the parameter whose slot starts at `slot`; of a layer: that of its first parameter.
  [[nodiscard]] std::size_t at(Index slot) const noexcept {
    if (starts_.empty()) return 0;
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), slot);
    return members_[static_cast<std::size_t>(next - starts_.begin()) - 1];
  }

  /// Zeros in the slots of frozen parameters, so that clipping measures what is trained.
  template <class Model, class Scalar>
  void clear_frozen(const Model& model, ParameterBuffer<Scalar>& gradients) {
    if (groups_.empty()) return;
    resolve(model);
    zip_parameters(
        model,
        [&](const ParameterName&, const auto& parameter, Scalar* gradient) {
          if (frozen(at(gradient - gradients.data()))) std::fill_n(gradient, parameter.size(), Scalar(0));
        },
        gradients);
  }

 private:
  std::string_view optimizer_;
  ParameterGroups groups_;
  double base_lr_;
  Index total_ = -1;                  // slots of the model that starts_ and members_ are for
  std::vector<Index> starts_;         // of each parameter
  std::vector<std::size_t> members_;  // group of each parameter
};

/// The constants of one step for the parameter of a slot: each group has its own. Part of an update rule.
template <class Step>
class GroupSteps {
 public:
  /// `steps`: one for each group of `table`; both outlive the rule.
  GroupSteps(const GroupTable& table, std::span<const Step> steps, Index slot = 0) noexcept
      : table_{&table}, steps_{steps}, slot_{slot}, group_{table.at(slot)}, frozen_{table.frozen(group_)} {}

  [[nodiscard]] const Step& step() const noexcept { return steps_[group_]; }
  [[nodiscard]] bool frozen() const noexcept { return frozen_; }
  [[nodiscard]] GroupSteps at_slot(Index offset) const noexcept { return {*table_, steps_, slot_ + offset}; }

 private:
  const GroupTable* table_;
  std::span<const Step> steps_;
  Index slot_;
  std::size_t group_;
  bool frozen_;
};

}  // namespace detail
}  // namespace hourglass
