// Name maps: which tensors of a file belong to a parameter of the model, when the two name them differently.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/parameter.hpp"

namespace hourglass {

/// Model prefix -> file prefixes. Names that no entry mentions stay as they are; of several entries the longest wins.
///
///     load(vae, "vae.safetensors", {{"encoder.0", {"fc1"}}, {"encoder.2", {"fc21", "fc22"}},
///                                   {"decoder.0", {"fc3"}}, {"decoder.2", {"fc4"}}});
///
/// Here "encoder.0.weight" is read from "fc1.weight", and "encoder.2.weight" from "fc21.weight" with the rows of
/// "fc22.weight" below them: several tensors are stacked along their first axis. Prefixes are whole components, so
/// "encoder.1" does not match "encoder.10.weight". An empty model prefix matches every name, an empty file prefix takes
/// the rest of the name alone: `{{"", {"module"}}}` reads "encoder.0.weight" from "module.encoder.0.weight".
class NameMap {
 public:
  struct Entry {
    std::string model;              ///< prefix of parameters of the model
    std::vector<std::string> file;  ///< what stands there in the file; stacked in this order
  };

  NameMap() = default;
  NameMap(std::initializer_list<Entry> entries) {
    for (const Entry& entry : entries) add(entry);
  }

  /// Adds an entry. Throws ShapeError when it has no file prefix, or its model prefix has an entry already.
  void add(Entry entry) {
    if (entry.file.empty())
      throw ShapeError(detail::message("NameMap: \"", entry.model, "\" maps to 0 prefixes; give at least 1"));
    if (std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) { return other.model == entry.model; }))
      throw ShapeError(
          detail::message("NameMap: \"", entry.model, "\" has 2 entries; give 1 with all of its prefixes"));
    entries_.push_back(std::move(entry));
  }

  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

  /// The entry that decides about the parameter `name`, or nullptr when the name stays as it is.
  [[nodiscard]] const Entry* find(std::string_view name) const noexcept {
    const Entry* longest = nullptr;
    for (const Entry& entry : entries_) {
      const bool longer = !longest || entry.model.size() > longest->model.size();
      if (longer && detail::begins_with_components(name, entry.model)) longest = &entry;
    }
    return longest;
  }
  /// Names of the tensors that the parameter `name` is stacked from.
  [[nodiscard]] std::vector<std::string> file_names(std::string_view name) const {
    const Entry* const entry = find(name);
    if (!entry) return {std::string{name}};
    std::string_view rest = name.substr(entry->model.size());
    if (rest.starts_with('.')) rest.remove_prefix(1);
    std::vector<std::string> names;
    for (const std::string& prefix : entry->file)
      names.push_back(detail::message(prefix, prefix.empty() || rest.empty() ? "" : ".", rest));
    return names;
  }

 private:
  std::vector<Entry> entries_;
};

/// The map for files of VAEs whose encoder ends in two layers, one for the mean and one for the log-variance, where
/// `model` has one of double width: its last layer under "encoder." is stacked from `mu` and `logvar`, everything else
/// keeps its name. Throws ShapeError when the model has no parameters there.
template <class Model>
[[nodiscard]] NameMap two_heads(const Model& model, std::string mu = "fc_mu", std::string logvar = "fc_logvar") {
  std::string last;
  for_each_parameter(model, [&](const ParameterName& name, const auto&) {
    if (std::string text = name.str(); text.starts_with("encoder.")) last = std::move(text);
  });
  if (last.empty())
    throw ShapeError("two_heads: the model has 0 parameters under \"encoder.\"; write the NameMap entry by entry");
  return {{last.substr(0, last.rfind('.')), {std::move(mu), std::move(logvar)}}};
}

}  // namespace hourglass
