// Pictures for the tests of image folders, made by stb_image_write in a unit of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace png {

/// Writes a PNG of (height, width, channels).
void write_png(const std::filesystem::path& path, int width, int height, int channels,
               const std::vector<std::uint8_t>& pixels);

/// Writes a JPEG of (height, width, channels) at quality 100.
void write_jpg(const std::filesystem::path& path, int width, int height, int channels,
               const std::vector<std::uint8_t>& pixels);

/// Width of an image by an stb_image that this unit implements for itself, and by ours through load_image_folder.
int width_by_own_stb(const std::filesystem::path& path);
int width_by_hourglass(const std::filesystem::path& folder);

}  // namespace png
