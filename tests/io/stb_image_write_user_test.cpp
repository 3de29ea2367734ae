// A program that implements stb_image_write for itself, with settings of its own, before it includes the library.
#include <cstddef>
#include <cstdlib>

namespace {

int allocations = 0;  // of the program's copy alone

void* counted(void* block, std::size_t size) {
  ++allocations;
  return std::realloc(block, size);
}

}  // namespace

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBIW_MALLOC(size) counted(nullptr, size)
#define STBIW_REALLOC(block, size) counted(block, size)
#define STBIW_FREE(block) std::free(block)
#include <stb_image_write.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "hourglass/io/png.hpp"
#include "io/files.hpp"

#ifndef STB_IMAGE_WRITE_IMPLEMENTATION
#error "the program's settings are lost"
#endif

namespace fs = std::filesystem;
using hourglass_test::fresh_folder;
using hourglass_test::read_text;

TEST_CASE("both copies write the same picture, each with its own settings") {
  const fs::path folder = fresh_folder("stb_user");
  const std::vector<std::uint8_t> pixels{0, 50, 100, 150, 200, 250};
  allocations = 0;
  hourglass::write_png(folder / "ours.png", 2, 3, 1, pixels);
  CHECK(allocations == 0);
  REQUIRE(::stbi_write_png((folder / "theirs.png").c_str(), 3, 2, 1, pixels.data(), 3) == 1);
  CHECK(allocations > 0);
  CHECK(read_text(folder / "ours.png") == read_text(folder / "theirs.png"));

  const int before = allocations;
  STBIW_FREE(STBIW_MALLOC(1));
  CHECK(allocations == before + 1);
}
