// InputFile: a regular file opened for reading; every failure names the file, the place and the remedy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <system_error>

#include "hourglass/core/error.hpp"

namespace hourglass::detail {

/// Bytes of a file, in order.
class InputFile {
 public:
  /// Throws FormatError when `path` is missing, a folder or another special file, empty, or not readable.
  explicit InputFile(const std::filesystem::path& path) : name_{path.string()} {
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (!std::filesystem::exists(status)) throw FormatError(message(name_, ": no such file; check the path"));
    if (std::filesystem::is_directory(status))
      throw FormatError(message(name_, ": is a folder, a file is expected; name a file inside of it"));
    if (!std::filesystem::is_regular_file(status))
      throw FormatError(message(name_, ": is no regular file; copy its content to one"));
    size_ = std::filesystem::file_size(path, code);
    if (code) throw FormatError(message(name_, ": its size is unknown: ", code.message()));
    if (size_ == 0) throw FormatError(message(name_, ": the file is empty (0 bytes); fetch or write it again"));
    stream_.open(path, std::ios::binary);
    if (!stream_) throw FormatError(message(name_, ": the file cannot be opened; check its permissions"));
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Bytes in the file.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Bytes read so far.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

  /// Reads up to `count` bytes, fewer only where the file ends. Throws FormatError when the device fails.
  std::size_t read(void* to, std::size_t count) {
    stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    if (stream_.bad())
      throw FormatError(message(name_, ": byte ", offset_, ": reading failed; check the disk or copy the file again"));
    const auto done = static_cast<std::size_t>(stream_.gcount());
    offset_ += done;
    return done;
  }

  /// Back to the first byte.
  void rewind() {
    stream_.clear();
    stream_.seekg(0);
    offset_ = 0;
  }

 private:
  std::string name_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  std::ifstream stream_;
};

}  // namespace hourglass::detail
