// What the tests of io/ share: folders of their own, whole files as text, and the message of an expected error.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "hourglass/core/error.hpp"

namespace hourglass_test {

/// An empty folder under the output folder of the tests.
inline std::filesystem::path fresh_folder(std::string_view name) {
  const std::filesystem::path folder = std::filesystem::path{HOURGLASS_TEST_OUTPUT_DIR} / "io" / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file{path, std::ios::binary};
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
}

/// The message of the `Expected` that `run` throws, or "" when it throws nothing.
template <class Expected = hourglass::FormatError, class Run>
std::string error_of(Run&& run) {
  try {
    run();
  } catch (const Expected& error) {
    return error.what();
  }
  return "";
}

}  // namespace hourglass_test
