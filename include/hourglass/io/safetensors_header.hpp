// The header of a safetensors file: u64 little-endian length N <= 100,000,000, then N bytes of JSON,
// {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "value"}}.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/io/json_reader.hpp"
#include "hourglass/io/utf8.hpp"

namespace hourglass {

/// Longest header that a safetensors file may have, in bytes.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

/// An element type as safetensors names it.
struct SafetensorsType {
  std::string_view name;
  std::uint64_t bits;
};

/// Every element type of the format (huggingface/safetensors, tensor.rs).
inline constexpr std::array safetensors_types{
    SafetensorsType{"F64", 64},    SafetensorsType{"F32", 32},    SafetensorsType{"F16", 16},
    SafetensorsType{"BF16", 16},   SafetensorsType{"I64", 64},    SafetensorsType{"I32", 32},
    SafetensorsType{"I16", 16},    SafetensorsType{"I8", 8},      SafetensorsType{"U64", 64},
    SafetensorsType{"U32", 32},    SafetensorsType{"U16", 16},    SafetensorsType{"U8", 8},
    SafetensorsType{"BOOL", 8},    SafetensorsType{"C64", 64},    SafetensorsType{"F8_E4M3", 8},
    SafetensorsType{"F8_E5M2", 8}, SafetensorsType{"F8_E8M0", 8}, SafetensorsType{"F6_E2M3", 6},
    SafetensorsType{"F6_E3M2", 6}, SafetensorsType{"F4", 4}};

/// One line of the header.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;                 ///< "F32"
  std::vector<std::uint64_t> shape;  ///< outermost first; empty for a scalar
  std::uint64_t begin = 0;           ///< offset of the first byte from the start of the data
  std::uint64_t end = 0;             ///< offset past the last one

  /// "(256, 784)".
  [[nodiscard]] std::string shape_string() const {
    std::string text = "(";
    for (std::size_t axis = 0; axis < shape.size(); ++axis) text += detail::message(axis ? ", " : "", shape[axis]);
    return text + ")";
  }
};

/// A header that has been found sound.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of the data
  std::map<std::string, std::string> metadata;
};

namespace detail {

/// Reads the value of one tensor. Fields that the format does not know are passed over, as the reference reader does.
[[nodiscard]] inline SafetensorsEntry read_safetensors_entry(JsonReader& json, const std::string& name) {
  const auto fail = [&](const auto&... parts) { json.fail("tensor \"", name, "\"", parts...); };
  if (json.kind() != "an object") fail(" is ", json.kind(), " instead of an object with dtype, shape and data_offsets");
  SafetensorsEntry entry{name, {}, {}, 0, 0};
  std::set<std::string> seen;
  std::vector<std::uint64_t> offsets;
  json.object([&](const std::string& field) {
    if (field != "dtype" && field != "shape" && field != "data_offsets") return json.skip();
    if (!seen.insert(field).second) fail(": \"", field, "\" appears twice");
    if (field == "dtype") {
      if (json.kind() != "a string") fail(": \"dtype\" holds ", json.kind(), " instead of a string");
      entry.dtype = json.string();
      return;
    }
    if (json.kind() != "an array") fail(": \"", field, "\" holds ", json.kind(), " instead of an array");
    auto& numbers = field == "shape" ? entry.shape : offsets;
    json.array([&] {
      std::uint64_t value = 0;
      const std::string_view kind = json.kind();
      if (kind != "a number" || !json.integer(value))
        fail(": \"", field, "\" holds ", kind == "a number" ? "a fraction or a number above 2^64 - 1" : kind,
             " instead of integers from 0 to 2^64 - 1");
      numbers.push_back(value);
    });
  });
  for (const char* field : {"dtype", "shape", "data_offsets"})
    if (!seen.contains(field)) fail(": \"", field, "\" is missing");
  if (offsets.size() != 2) fail(": data_offsets has ", offsets.size(), " numbers instead of 2");
  entry.begin = offsets[0];
  entry.end = offsets[1];
  return entry;
}

/// Reads the JSON; what its numbers mean is not checked here.
[[nodiscard]] inline SafetensorsHeader read_safetensors_json(const std::string& file, std::string_view text) {
  JsonReader json{file, text};
  SafetensorsHeader header;
  std::set<std::string> names;
  json.object([&](const std::string& name) {
    if (!names.insert(name).second) json.fail("the key \"", name, "\" appears twice");
    if (name != "__metadata__") return header.entries.push_back(read_safetensors_entry(json, name));
    if (json.kind() == "null") return json.skip();
    if (json.kind() != "an object") json.fail("__metadata__ is ", json.kind(), " instead of an object");
    json.object([&](const std::string& key) {
      if (json.kind() != "a string")
        json.fail("__metadata__ maps strings to strings, but \"", key, "\" is ", json.kind());
      if (!header.metadata.emplace(key, json.string()).second)
        json.fail("__metadata__ has the key \"", key, "\" twice");
    });
  });
  json.end();
  return header;
}

/// Bytes that `entry` must occupy; throws FormatError when dtype and shape say nothing sensible.
[[nodiscard]] inline std::uint64_t safetensors_bytes(const std::string& file, const SafetensorsEntry& entry) {
  const auto* const type = std::find_if(safetensors_types.begin(), safetensors_types.end(),
                                        [&](const SafetensorsType& t) { return t.name == entry.dtype; });
  if (type == safetensors_types.end())
    throw FormatError(message(file, ": tensor \"", entry.name, "\" has the unknown dtype \"", entry.dtype,
                              "\"; convert it to F32 where the file was made"));
  // As the reference does: the running product must fit, even when a later axis is 0.
  std::uint64_t count = 1;
  bool fits = true;
  for (const std::uint64_t size : entry.shape) {
    fits = fits && (size == 0 || count <= std::numeric_limits<std::uint64_t>::max() / size);
    count *= size;
  }
  if (!fits || count > std::numeric_limits<std::uint64_t>::max() / type->bits)
    throw FormatError(message(file, ": tensor \"", entry.name, "\" of dtype ", entry.dtype, " and shape ",
                              entry.shape_string(), " has more than 2^64 bits; the file is damaged"));
  if (count * type->bits % 8 != 0)
    throw FormatError(message(file, ": tensor \"", entry.name, "\" of dtype ", entry.dtype, " and shape ",
                              entry.shape_string(), " does not fill its last byte; the file is damaged"));
  return count * type->bits / 8;
}

/// Reads the JSON of a header whose data are `data_size` bytes long, and checks all of it against that size: nothing
/// is allocated that the file does not really contain. `file` starts the messages. Throws FormatError.
[[nodiscard]] inline SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json,
                                                                std::uint64_t data_size) {
  if (json.empty() || json.front() != '{')
    throw FormatError(message(file, ": the header does not start with '{'; this is no safetensors file"));
  if (const std::size_t bad = first_invalid_utf8(json); bad != json.size())
    throw FormatError(message(file, ": the header is not UTF-8 at offset ", 8 + bad, "; the file is damaged"));
  SafetensorsHeader header = read_safetensors_json(file, json);
  std::sort(header.entries.begin(), header.entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t position = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    const auto fail = [&](const std::string& what) {
      throw FormatError(message(file, ": tensor \"", entry.name, "\" ", what, "; the file is damaged"));
    };
    const std::uint64_t expected = safetensors_bytes(file, entry);
    if (entry.end < entry.begin) fail(message("ends at offset ", entry.end, ", before it begins at ", entry.begin));
    if (entry.begin < position)
      fail(message("begins at offset ", entry.begin, " and overlaps the tensor that ends at ", position));
    if (entry.begin > position) fail(message("begins at offset ", entry.begin, ", after a hole from ", position));
    if (entry.end - entry.begin != expected)
      fail(message("of dtype ", entry.dtype, " and shape ", entry.shape_string(), " needs ", expected,
                   " bytes, its data_offsets hold ", entry.end - entry.begin));
    position = entry.end;
  }
  if (position > data_size)
    throw FormatError(message(file, ": the tensors need ", position, " bytes of data, the file has ", data_size, ", ",
                              position - data_size, " are missing; copy or download it again"));
  if (position < data_size)
    throw FormatError(message(file, ": ", data_size - position, " trailing bytes follow the ", position,
                              " bytes of the tensors; copy or download the file again"));
  return header;
}

}  // namespace detail

}  // namespace hourglass
