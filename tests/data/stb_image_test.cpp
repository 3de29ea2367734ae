// A user's unit: it implements stb_image for itself, with other settings, around our inclusion of it. That this
// program links, and that both copies work, is the test.
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_JPEG
#define STBI_MAX_DIMENSIONS 4096
#include <stb_image.h>

#include "hourglass/data/stb_image.hpp"

#ifndef STB_IMAGE_IMPLEMENTATION
#error "the includer's macros are gone"
#endif
#if STBI_MAX_DIMENSIONS != 4096 || !defined(STBI_NO_JPEG) || defined(STBI_ONLY_PNG) || STBI_VERSION != 1
#error "the includer's macros have changed"
#endif

#define STB_IMAGE_WRITE_IMPLEMENTATION
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#include <stb_image_write.h>
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

#include <doctest/doctest.h>

#include "files.hpp"
#include "hourglass/data/image_folder.hpp"
#include "png.hpp"

namespace png {

void write_png(const std::filesystem::path& path, int width, int height, int channels,
               const std::vector<std::uint8_t>& pixels) {
  std::filesystem::create_directories(path.parent_path());
  REQUIRE(pixels.size() == static_cast<std::size_t>(width * height * channels));
  REQUIRE(stbi_write_png(path.string().c_str(), width, height, channels, pixels.data(), 0) != 0);
}

void write_jpg(const std::filesystem::path& path, int width, int height, int channels,
               const std::vector<std::uint8_t>& pixels) {
  std::filesystem::create_directories(path.parent_path());
  REQUIRE(pixels.size() == static_cast<std::size_t>(width * height * channels));
  REQUIRE(stbi_write_jpg(path.string().c_str(), width, height, channels, pixels.data(), 100) != 0);
}

int width_by_own_stb(const std::filesystem::path& path) {
  int width = 0;
  int height = 0;
  int channels = 0;
  stbi_uc* pixels = stbi_load(path.string().c_str(), &width, &height, &channels, 0);
  REQUIRE(pixels != nullptr);
  stbi_image_free(pixels);
  return width;
}

int width_by_hourglass(const std::filesystem::path& folder) {
  return static_cast<int>(hourglass::load_image_folder(folder).images.width());
}

}  // namespace png

TEST_CASE("stb_image: a user's own copy, with other settings, lives beside ours") {
  const files::Folder folder("stb_image");
  png::write_png(folder / "p/a.png", 3, 1, 1, {1, 2, 3});
  png::write_jpg(folder / "j/a.jpg", 8, 8, 1, std::vector<std::uint8_t>(64, 99));
  CHECK(png::width_by_own_stb(folder / "p/a.png") == 3);
  CHECK(png::width_by_hourglass(folder / "p") == 3);
  CHECK(png::width_by_hourglass(folder / "j") == 8);
  // The user's copy has no JPEG decoder; ours has.
  int width = 0;
  int height = 0;
  int channels = 0;
  CHECK(stbi_load((folder / "j/a.jpg").string().c_str(), &width, &height, &channels, 0) == nullptr);
}

TEST_CASE("stb_image: a broken invariant is an error in every build") {
  hourglass::detail::stb::require(true);
  CHECK_THROWS_AS(hourglass::detail::stb::require(false), hourglass::FormatError);
}
