// PNG files from 8-bit pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/io/atomic_file.hpp"
#include "hourglass/io/stb_image_write.hpp"

namespace hourglass {

/// Largest picture that write_png accepts, in bytes of pixels: the encoder counts in int, with room for its tables.
inline constexpr Index max_png_bytes = Index{1} << 28;

/// Writes height x width pixels of `channels` interleaved bytes each (1: grey, 3: RGB), top row first, atomically.
/// Throws ShapeError when the sizes are impossible or disagree with `pixels`, FormatError when the file cannot be
/// written.
inline void write_png(const std::filesystem::path& path, Index height, Index width, Index channels,
                      std::span<const std::uint8_t> pixels) {
  if (channels != 1 && channels != 3)
    throw ShapeError(detail::message("write_png: ", channels, " channels; 1 (grey) and 3 (RGB) are possible"));
  if (height < 1 || width < 1 || width > max_png_bytes / channels / height)
    throw ShapeError(detail::message("write_png: the picture would have ", height, " x ", width,
                                     " pixels; at least 1 x 1 and at most ", max_png_bytes,
                                     " bytes are possible; show fewer images, or smaller ones"));
  if (static_cast<Index>(pixels.size()) != height * width * channels)
    throw ShapeError(detail::message("write_png: ", height, " x ", width, " pixels of ", channels, " channels need ",
                                     height * width * channels, " bytes, not ", pixels.size()));
  struct Free {
    void operator()(unsigned char* block) const noexcept { std::free(block); }
  };
  int size = 0;
  const std::unique_ptr<unsigned char, Free> png{detail::stb_write::stbi_write_png_to_mem(
      pixels.data(), static_cast<int>(width * channels), static_cast<int>(width), static_cast<int>(height),
      static_cast<int>(channels), &size)};
  write_file(path, std::as_bytes(std::span{png.get(), static_cast<std::size_t>(size)}));
}

}  // namespace hourglass
