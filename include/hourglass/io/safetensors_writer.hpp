// Writing safetensors: tensors are collected, then one atomic file is made of all of them.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hourglass/core/buffer.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/io/atomic_file.hpp"

namespace hourglass {

/// The element type of files for `Scalar`: F32 for float, F64 for double, I64 for std::int64_t.
template <class Scalar>
requires(std::same_as<Scalar, float> || std::same_as<Scalar, double> ||
         std::same_as<Scalar, std::int64_t>) inline constexpr std::string_view safetensors_type_of =
    std::same_as<Scalar, float>    ? "F32"
    : std::same_as<Scalar, double> ? "F64"
                                   : "I64";

namespace detail {

/// `text` between quotes, as JSON writes it.
[[nodiscard]] inline std::string json_string(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    if (const auto code = static_cast<unsigned char>(c); code < 0x20) {
      quoted += "\\u00";
      quoted += digits[code / 16U];
      quoted += digits[code % 16U];
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace detail

/// Holds copies of tensors until write() makes a file of them. Names are UTF-8.
class SafetensorsWriter {
 public:
  /// Adds a tensor whose `values` are in row-major order. Throws ShapeError when their number is not that of `shape`,
  /// FormatError when the name is taken.
  template <class Scalar>
  void add(std::string name, const std::vector<std::uint64_t>& shape, std::span<const Scalar> values) {
    std::uint64_t count = 1;
    for (const std::uint64_t size : shape) count *= size;
    if (count != values.size())
      throw ShapeError(detail::message("SafetensorsWriter: tensor \"", name, "\" has ", values.size(),
                                       " values, its shape ", count));
    const auto bytes = std::as_bytes(values);
    insert(std::move(name), {safetensors_type_of<Scalar>, shape, {bytes.begin(), bytes.end()}});
  }
  /// Adds a parameter or a buffer, row-major whatever its order in memory.
  template <class Source>
  requires(is_parameter<Source> || is_buffer<Source>) void add(std::string name, const Source& source) {
    using Scalar = typename Source::Scalar;
    Tensor tensor{safetensors_type_of<Scalar>, {}, std::vector<std::byte>(source.values().size_bytes())};
    for (const Index size : source.shape()) tensor.shape.push_back(static_cast<std::uint64_t>(size));
    std::byte* next = tensor.bytes.data();
    for (Index i = 0; i < source.size(); ++i, next += sizeof(Scalar))
      std::memcpy(next, source.data() + source.offset_of_row_major(i), sizeof(Scalar));
    insert(std::move(name), std::move(tensor));
  }
  /// Sets one line of `__metadata__`, which has {"format", "pt"} from the start: the sign by which PyTorch's tools know
  /// that the tensors are theirs.
  void set_metadata(std::string key, std::string value) { metadata_[std::move(key)] = std::move(value); }

  /// Writes all tensors to `path`, atomically (see AtomicFile). Throws FormatError.
  void write(const std::filesystem::path& path) const {
    std::vector<const std::pair<std::string, Tensor>*> order;
    for (const auto& named : tensors_) order.push_back(&named);
    // Wide elements first, so that all of them are aligned when the file is mapped into memory.
    std::stable_partition(order.begin(), order.end(),
                          [](const auto* named) { return named->second.dtype != safetensors_type_of<float>; });

    std::string json = "{\"__metadata__\":{";
    std::string_view comma;
    for (const auto& [key, value] : metadata_) {
      json += detail::message(comma, detail::json_string(key), ":", detail::json_string(value));
      comma = ",";
    }
    json += "}";
    std::size_t offset = 0;
    for (const auto* named : order) {
      const auto& [name, tensor] = *named;
      json += detail::message(",", detail::json_string(name), ":{\"dtype\":\"", tensor.dtype, "\",\"shape\":[");
      for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis)
        json += detail::message(axis ? "," : "", tensor.shape[axis]);
      json += detail::message("],\"data_offsets\":[", offset, ",", offset + tensor.bytes.size(), "]}");
      offset += tensor.bytes.size();
    }
    json += "}";
    json.append((8 - json.size() % 8) % 8, ' ');

    AtomicFile file{path};
    const std::uint64_t length = json.size();
    file.write(std::as_bytes(std::span{&length, 1}));
    file.write(std::as_bytes(std::span{json}));
    for (const auto* named : order) file.write(named->second.bytes);
    file.commit();
  }

 private:
  struct Tensor {
    std::string_view dtype;
    std::vector<std::uint64_t> shape;
    std::vector<std::byte> bytes;
  };

  void insert(std::string name, Tensor tensor) {
    const bool taken =
        std::any_of(tensors_.begin(), tensors_.end(), [&](const auto& named) { return named.first == name; });
    if (taken || name == "__metadata__")
      throw FormatError(
          detail::message("SafetensorsWriter: the name \"", name, "\" is taken; each tensor has its own"));
    tensors_.emplace_back(std::move(name), std::move(tensor));
  }

  std::map<std::string, std::string> metadata_{{"format", "pt"}};
  std::vector<std::pair<std::string, Tensor>> tensors_;
};

}  // namespace hourglass
