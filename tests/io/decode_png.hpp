// Reads a PNG back with stb_image, for the tests of io/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#include <stb_image.h>
#undef STBI_ONLY_PNG
#undef STB_IMAGE_IMPLEMENTATION
#undef STB_IMAGE_STATIC

#include "io/files.hpp"

namespace hourglass_test {

struct Picture {
  int height = 0;
  int width = 0;
  int channels = 0;
  std::vector<std::uint8_t> pixels;

  [[nodiscard]] std::vector<int> at(int y, int x) const {
    const auto first = pixels.begin() + (y * width + x) * channels;
    return {first, first + channels};
  }
};

inline Picture decode_png(const std::filesystem::path& path) {
  const std::string bytes = read_text(path);
  Picture picture;
  unsigned char* const pixels =
      stbi_load_from_memory(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()),
                            &picture.width, &picture.height, &picture.channels, 0);
  if (pixels) picture.pixels.assign(pixels, pixels + picture.height * picture.width * picture.channels);
  stbi_image_free(pixels);
  return picture;
}

}  // namespace hourglass_test
