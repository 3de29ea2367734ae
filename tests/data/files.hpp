// Files for the tests of data/: a scratch folder, bytes, and the message that an error carries.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <vector>

#include "hourglass/core/error.hpp"

#ifdef HOURGLASS_WITH_ZLIB
#include <zlib.h>
#endif

namespace files {

using Bytes = std::vector<std::uint8_t>;

/// An empty folder, removed at the end of the test.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_{std::filesystem::path(HOURGLASS_TEST_OUTPUT_DIR) / ("data_" + name)} {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path write(const std::filesystem::path& path, const Bytes& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.good());
  return path;
}

inline Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return {text.begin(), text.end()};
}

/// The bytes of an IDX file.
inline Bytes idx(std::uint8_t type, std::initializer_list<std::uint32_t> sizes, const Bytes& payload) {
  Bytes bytes{0, 0, type, static_cast<std::uint8_t>(sizes.size())};
  for (const std::uint32_t size : sizes)
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

#ifdef HOURGLASS_WITH_ZLIB
/// One gzip member.
inline Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 64);
  Bytes input = bytes;
  stream.next_in = input.data();
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}
#endif

/// Requires that `action` throws exactly `Expected` and returns its message.
template <class Expected, class Action>
std::string thrown(const Action& action) {
  try {
    action();
  } catch (const hourglass::Error& error) {
    CHECK_MESSAGE(dynamic_cast<const Expected*>(&error) != nullptr, "another kind of error: ", error.what());
    return error.what();
  }
  FAIL_CHECK("nothing was thrown");
  return {};
}

/// True when `text` has every one of `parts`.
inline bool contains(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts)
    if (text.find(part) == std::string::npos) {
      MESSAGE("'", text, "' lacks '", part, "'");
      return false;
    }
  return true;
}

}  // namespace files
