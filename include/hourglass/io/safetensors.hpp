// Saving and loading models: one safetensors file, with the names and layouts of PyTorch's state_dict.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/buffer.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/io/name_map.hpp"
#include "hourglass/io/safetensors_file.hpp"
#include "hourglass/io/safetensors_writer.hpp"

namespace hourglass {

/// Writes every parameter and buffer of `model` under its hierarchical name ("encoder.0.weight"), row-major, as F32 or
/// F64 (I64 for counters). Atomic: whatever happens, `path` holds the old file or the whole new one. Throws
/// FormatError.
template <class Model>
void save(const Model& model, const std::filesystem::path& path) {
  SafetensorsWriter writer;
  for_each_tensor(model, [&](const ParameterName& name, const auto& tensor) { writer.add(name.str(), tensor); });
  writer.write(path);
}

namespace detail {

/// Finds the tensors of the file for each one of the model, and collects everything that does not fit into one message.
class LoadPlan {
 public:
  using Parts = std::vector<SafetensorsTensor>;

  /// `part`: the tensors under this prefix are for the model, all of them; the others of the file are not. Empty: all
  /// are.
  LoadPlan(const SafetensorsFile& file, const NameMap& names, std::string_view part = {})
      : file_{file}, names_{names}, part_{part} {}

  void add(const std::string& name, const Shape& shape, bool integers) {
    if (const NameMap::Entry* entry = names_.find(name)) used_entries_.insert(entry->model);
    Parts parts;
    std::string absent;
    for (const std::string& part : names_.file_names(name)) {
      used_tensors_.insert(part);
      if (file_.contains(part))
        parts.push_back(file_.tensor(part));
      else
        absent += message(absent.empty() ? "" : " and ", part);
    }
    if (!absent.empty())
      missing_.push_back(absent == name ? message(name, " ", shape.str())
                                        : message(absent, " (for ", name, " ", shape.str(), ")"));
    else
      compare(name, shape, parts, integers);
    parts_.push_back(std::move(parts));
  }

  /// Throws FormatError unless everything in the model has its tensors in the file and these all have their place.
  void check() const {
    std::vector<std::string> unexpected;
    for (const std::string& name : file_.names())
      if (!used_tensors_.contains(name) && begins_with_components(name, part_))
        unexpected.push_back(message(name, " ", file_.tensor(name).entry.shape_string()));
    std::vector<std::string> idle;
    for (const NameMap::Entry& entry : names_.entries())
      if (!used_entries_.contains(entry.model)) idle.push_back(message("\"", entry.model, "\""));
    std::string text;
    append(text, "missing from the file: ", missing_);
    append(text, "unexpected in the file: ", unexpected);
    append(text, "different: ", different_);
    append(text, "name map entries without a parameter: ", idle);
    if (!text.empty())
      throw FormatError(message(file_.path(), ": does not fit the model, which is unchanged", text,
                                "; build the model that was saved, or map the names with a NameMap"));
  }
  /// The tensors for what was added as number `i`.
  [[nodiscard]] const Parts& parts(std::size_t i) const { return parts_[i]; }

 private:
  // Stacked along the first axis, the parts must have exactly the shape in the model; a single number is one part.
  void compare(const std::string& name, const Shape& shape, const Parts& parts, bool integers) {
    const bool single = shape.rank() == 0;
    bool fits = !single || parts.size() == 1;
    std::uint64_t rows = 0;
    std::string found;
    for (const SafetensorsTensor& part : parts) {
      const auto& sizes = part.entry.shape;
      const bool readable = integers ? part.is_integer() : part.is_real();
      fits = fits && sizes.size() == shape.rank() && readable;
      for (std::size_t axis = 1; fits && axis < sizes.size(); ++axis)
        fits = sizes[axis] == static_cast<std::uint64_t>(shape[axis]);
      // With a zero among the other sizes the first one may be anything, so the sum could wrap around.
      fits = fits && (single || sizes[0] <= static_cast<std::uint64_t>(shape[0]) - rows);
      if (fits && !single) rows += sizes[0];
      found += message(found.empty() ? "" : " over ", part.entry.name == name ? "" : part.entry.name + " ",
                       part.entry.shape_string(), readable ? "" : " of dtype " + part.entry.dtype);
    }
    if (!fits || (!single && rows != static_cast<std::uint64_t>(shape[0])))
      different_.push_back(message(name, " is ", shape.str(), " in the model and ", found, " in the file"));
  }

  static void append(std::string& text, std::string_view title, const std::vector<std::string>& items) {
    constexpr std::size_t most = 12;
    for (std::size_t i = 0; i < std::min(items.size(), most); ++i)
      text += message(i == 0 ? "; " : ", ", i == 0 ? title : "", items[i]);
    if (items.size() > most) text += message(" and ", items.size() - most, " more");
  }

  const SafetensorsFile& file_;
  const NameMap& names_;
  std::string_view part_;
  std::vector<Parts> parts_;
  std::set<std::string, std::less<>> used_tensors_;
  std::set<std::string, std::less<>> used_entries_;
  std::vector<std::string> missing_;
  std::vector<std::string> different_;
};

}  // namespace detail

namespace detail {

template <class Model>
void load(Model& model, const SafetensorsFile& file, const NameMap& names, std::string_view part) {
  LoadPlan plan{file, names, part};
  hourglass::for_each_tensor(std::as_const(model), [&](const ParameterName& name, const auto& tensor) {
    plan.add(name.str(), tensor.shape(), std::is_integral_v<typename std::remove_cvref_t<decltype(tensor)>::Scalar>);
  });
  plan.check();
  std::size_t i = 0;
  hourglass::for_each_tensor(model, [&](const ParameterName&, auto& tensor) {
    using Scalar = typename std::remove_cvref_t<decltype(tensor)>::Scalar;
    Index element = 0;
    const auto store = [&](auto value) {
      tensor.data()[tensor.offset_of_row_major(element++)] = static_cast<Scalar>(value);
    };
    for (const SafetensorsTensor& piece : plan.parts(i++))
      if constexpr (std::is_integral_v<Scalar>)
        piece.for_each_integer(store);
      else
        piece.for_each_value(store);
  });
}

}  // namespace detail

/// Fills every parameter and buffer of `model` from an open file. Strict: each must be there with exactly its shape,
/// and each tensor of the file must be used; otherwise throws FormatError that lists all missing, unexpected and
/// different tensors, and the model is unchanged. F32, F64, F16 and BF16 convert to the model's scalar; counters are
/// I64.
template <class Model>
void load(Model& model, const SafetensorsFile& file, const NameMap& names = {}) {
  detail::load(model, file, names, {});
}

/// The same from the file `path`; `names` says what the file calls the parameters (see NameMap, two_heads). Throws
/// FormatError also when the file itself is damaged.
template <class Model>
void load(Model& model, const std::filesystem::path& path, const NameMap& names = {}) {
  load(model, SafetensorsFile{path}, names);
}

/// Fills `part`, which stands alone or in another model, from the tensors of the file whose names begin with the
/// components of `prefix`: `load_part(encoder, "autoencoder.safetensors", "encoder")` reads "0.weight" from
/// "encoder.0.weight" and leaves the decoder in the file. As strict as load() about all tensors under the prefix.
template <class Part>
void load_part(Part& part, const std::filesystem::path& path, const std::string& prefix) {
  detail::load(part, SafetensorsFile{path}, NameMap{{"", {prefix}}}, prefix);
}

}  // namespace hourglass
