// A safetensors file in memory: tensors by name, each with element type, shape and bytes.
#pragma once

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/storage.hpp"
#include "hourglass/io/atomic_file.hpp"
#include "hourglass/io/safetensors_header.hpp"

namespace hourglass {

static_assert(std::endian::native == std::endian::little, "weight files are little-endian, as this code expects");

namespace detail {

template <class Value>
[[nodiscard]] Value value_at(const std::byte* bytes) {
  Value value;
  std::memcpy(&value, bytes, sizeof(Value));
  return value;
}

/// IEEE binary16 to binary32, exact.
[[nodiscard]] inline float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 31U;
  const std::uint32_t mantissa = half & 1023U;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | (exponent == 31 ? 255U : exponent + 112U) << 23 | mantissa << 13);
}

/// bfloat16 to binary32, exact: its upper half.
[[nodiscard]] inline float float_from_bfloat(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

}  // namespace detail

/// A tensor of an open SafetensorsFile, which owns the bytes.
struct SafetensorsTensor {
  const SafetensorsEntry& entry;
  std::span<const std::byte> bytes;  ///< row-major, little-endian

  /// True for the element types that for_each_value understands: F64, F32, F16, BF16.
  [[nodiscard]] bool is_real() const noexcept {
    return entry.dtype == "F64" || entry.dtype == "F32" || entry.dtype == "F16" || entry.dtype == "BF16";
  }
  /// True for the element type that for_each_integer understands: I64.
  [[nodiscard]] bool is_integer() const noexcept { return entry.dtype == "I64"; }
  /// Calls `visit(value)` for each element in row-major order; F16 and BF16 come as float. Throws FormatError for
  /// element types that are not real numbers.
  template <class Visit>
  void for_each_value(Visit&& visit) const {
    const std::byte* const first = bytes.data();
    const std::size_t size = bytes.size();
    if (entry.dtype == "F64")
      for (std::size_t i = 0; i < size; i += 8) visit(detail::value_at<double>(first + i));
    else if (entry.dtype == "F32")
      for (std::size_t i = 0; i < size; i += 4) visit(detail::value_at<float>(first + i));
    else if (entry.dtype == "F16")
      for (std::size_t i = 0; i < size; i += 2)
        visit(detail::float_from_half(detail::value_at<std::uint16_t>(first + i)));
    else if (entry.dtype == "BF16")
      for (std::size_t i = 0; i < size; i += 2)
        visit(detail::float_from_bfloat(detail::value_at<std::uint16_t>(first + i)));
    else
      throw FormatError(detail::message("tensor \"", entry.name, "\": dtype ", entry.dtype,
                                        " holds no real numbers; F64, F32, F16 and BF16 do"));
  }
  /// The same for integers. Throws FormatError for element types other than I64.
  template <class Visit>
  void for_each_integer(Visit&& visit) const {
    if (!is_integer())
      throw FormatError(detail::message("tensor \"", entry.name, "\": dtype ", entry.dtype,
                                        " where integers are expected; convert it to I64"));
    for (std::size_t i = 0; i < bytes.size(); i += 8) visit(detail::value_at<std::int64_t>(bytes.data() + i));
  }
};

/// Reads and checks the whole file: header length at most 100 MB and inside of the file, UTF-8 JSON without duplicate
/// keys, known element types, shapes whose size does not overflow and equals their bytes, tensors that follow each
/// other without hole or overlap and end with the file. All of it is checked before the data are read. Throws
/// FormatError with the path, the numbers and the remedy.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path) : path_{path.string()} {
    const auto fail = [&](const auto&... parts) { throw FormatError(detail::message(path_, ": ", parts...)); };
    std::error_code error;
    const auto type = std::filesystem::status(path, error).type();
    if (type == std::filesystem::file_type::not_found) fail("no such file; check the path");
    if (type == std::filesystem::file_type::directory) fail("is a folder; give the name of a .safetensors file");
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error) detail::throw_file_error(path, "cannot read", error.value(), "check the path and its permissions");
    const detail::FileHandle file{std::fopen(path_.c_str(), "rb")};
    if (!file) detail::throw_file_error(path, "cannot open", errno, "check the path and its permissions");

    if (size < 8) fail("has ", size, " bytes, the length of a safetensors header alone takes 8; this is none");
    std::uint64_t length = 0;
    read(file.get(), &length, 8);
    if (length > max_safetensors_header)
      fail("the header would have ", length, " bytes, at most ", max_safetensors_header,
           " are allowed; this is no safetensors file");
    if (length > size - 8)
      fail("the header would have ", length, " bytes, only ", size - 8,
           " follow its length; the file is cut short, copy or download it again");
    std::string json(length, '\0');
    read(file.get(), json.data(), json.size());
    header_ = detail::parse_safetensors_header(path_, json, size - 8 - length);
    bytes_.resize(size - 8 - length);
    read(file.get(), bytes_.data(), bytes_.size());
    for (std::size_t i = 0; i < header_.entries.size(); ++i) index_.emplace(header_.entries[i].name, i);
  }

  /// Names of all tensors, in the order of the file.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const SafetensorsEntry& entry : header_.entries) result.push_back(entry.name);
    return result;
  }
  [[nodiscard]] bool contains(std::string_view name) const { return index_.contains(name); }
  /// The tensor called `name`, valid as long as this object. Throws FormatError when there is none.
  [[nodiscard]] SafetensorsTensor tensor(std::string_view name) const {
    const auto found = index_.find(name);
    if (found == index_.end())
      throw FormatError(detail::message(path_, ": has no tensor \"", name, "\"; names() lists those it has"));
    const SafetensorsEntry& entry = header_.entries[found->second];
    return {entry, std::span{bytes_}.subspan(entry.begin, entry.end - entry.begin)};
  }
  /// The `__metadata__` of the file: {"format", "pt"} and the like.
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept { return header_.metadata; }
  /// The path it was read from.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  void read(std::FILE* file, void* target, std::size_t size) const {
    if (size != 0 && std::fread(target, 1, size, file) != size)
      throw FormatError(
          detail::message(path_, ": reading ", size, " bytes failed; another program may be changing it"));
  }

  std::string path_;
  SafetensorsHeader header_;
  std::map<std::string, std::size_t, std::less<>> index_;
  AlignedVector<std::byte> bytes_;  // all tensors, as in the file
};

}  // namespace hourglass
