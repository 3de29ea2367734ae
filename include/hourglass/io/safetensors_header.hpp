// The header of a safetensors file: u64 little-endian length N <= 100,000,000, then N bytes of JSON that place tensors
// of shape x dtype bytes one behind the other, from 0 to the end of the file.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/io/safetensors_json.hpp"

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

namespace detail {

/// Position of the first byte that is not UTF-8 (RFC 3629: no overlong forms, no surrogates), or text.size().
[[nodiscard]] inline std::size_t first_invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : '\0'); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    const unsigned next = byte(i + 1);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0) return i;
    for (std::size_t k = 1; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return i;
    const bool overlong = (lead == 0xE0 && next < 0xA0) || (lead == 0xF0 && next < 0x90);
    const bool surrogate = lead == 0xED && next >= 0xA0;
    const bool beyond = lead == 0xF4 && next >= 0x90;
    if (overlong || surrogate || beyond) return i;
    i += length;
  }
  return text.size();
}

/// Bytes that `entry` must occupy; throws FormatError when dtype and shape say nothing sensible.
[[nodiscard]] inline std::uint64_t safetensors_bytes(const std::string& file, const SafetensorsEntry& entry) {
  const auto type = std::ranges::find(safetensors_types, entry.dtype, &SafetensorsType::name);
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
  SafetensorsSax sax;
  if (!nlohmann::json::sax_parse(json.data(), json.data() + json.size(), &sax))
    throw FormatError(message(file, ": ", sax.error, "; save the file again"));

  auto& entries = sax.header.entries;
  std::ranges::sort(entries, {}, [](const SafetensorsEntry& e) { return std::pair{e.begin, e.end}; });
  std::uint64_t position = 0;
  for (const SafetensorsEntry& entry : entries) {
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
  return std::move(sax.header);
}

}  // namespace detail

}  // namespace hourglass
