// Image folders: PNG and JPEG files of one size, with their subfolders as classes, like torchvision's ImageFolder.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/data/image_file.hpp"
#include "hourglass/data/images.hpp"

namespace hourglass {

/// How load_image_folder reads.
struct ImageFolderOptions {
  /// 1: grey, 3: red, green, blue, 0: as the first file has them.
  Index channels = 0;
};

/// What load_image_folder read; labels.size() == images.rows().
struct ImageFolder {
  Images images;
  /// Position of each image's subfolder in `classes`; all 0 without subfolders.
  std::vector<Index> labels;
  /// Names of the subfolders, sorted; empty without subfolders.
  std::vector<std::string> classes;
};

namespace detail {

[[nodiscard]] inline bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

/// Entries of a folder, sorted by name; hidden ones (".name") are left out.
[[nodiscard]] inline std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder) {
  std::error_code code;
  std::vector<std::filesystem::path> entries;
  for (std::filesystem::directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
    if (it->path().filename().string().front() != '.') entries.push_back(it->path());
  if (code)
    throw FormatError(
        message(folder.string(), ": the folder cannot be listed (", code.message(), "); check its permissions"));
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.filename().string() < b.filename().string(); });
  return entries;
}

/// Images of a folder, then those of its subfolders, each sorted by name: torchvision's order.
inline void collect_images(const std::filesystem::path& folder, std::vector<std::filesystem::path>& files) {
  const auto entries = sorted_entries(folder);
  std::error_code ignored;
  for (const auto& entry : entries)
    if (is_image_name(entry) && !std::filesystem::is_directory(entry, ignored)) files.push_back(entry);
  for (const auto& entry : entries)
    // A link to a folder above would lead round in circles.
    if (std::filesystem::is_directory(entry, ignored) && !std::filesystem::is_symlink(entry, ignored))
      collect_images(entry, files);
}

}  // namespace detail

/// Reads every PNG and JPEG (by extension, in any case) below `folder`. Its subfolders are the classes, in sorted
/// order; without any, the images of `folder` itself are read. Hidden entries are skipped, transparency is dropped,
/// 16-bit samples become 8-bit. Throws FormatError when the folder is missing, an image is damaged or of another size
/// than the first, or images lie beside class folders; DataError when the folder or a class has no image; ShapeError
/// when `channels` is not 0, 1 or 3.
[[nodiscard]] inline ImageFolder load_image_folder(const std::filesystem::path& folder,
                                                   const ImageFolderOptions& options = {}) {
  const std::string name = folder.string();
  if (options.channels != 0 && options.channels != 1 && options.channels != 3)
    throw ShapeError(detail::message("load_image_folder: channels is ", options.channels,
                                     "; use 1 (grey), 3 (RGB) or 0 (as in the first file)"));
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    throw FormatError(detail::message(name,
                                      std::filesystem::exists(folder, ignored) ? ": is no folder" : ": no such folder",
                                      "; name a folder of PNG or JPEG files"));

  ImageFolder result;
  std::vector<std::filesystem::path> files;
  std::vector<std::filesystem::path> unclassed;
  for (const auto& entry : detail::sorted_entries(folder)) {
    if (!std::filesystem::is_directory(entry, ignored)) {
      if (detail::is_image_name(entry)) unclassed.push_back(entry);
      continue;
    }
    const std::size_t before = files.size();
    detail::collect_images(entry, files);
    if (files.size() == before)
      throw DataError(detail::message(entry.string(),
                                      ": the class has no PNG or JPEG file; add images or remove the "
                                      "folder"));
    result.labels.resize(files.size(), static_cast<Index>(result.classes.size()));
    result.classes.push_back(entry.filename().string());
  }
  if (result.classes.empty()) {
    files = std::move(unclassed);
    result.labels.resize(files.size(), 0);
  } else if (!unclassed.empty()) {
    throw FormatError(detail::message(name, ": ", unclassed.size(),
                                      " images (the first: ", unclassed.front().filename().string(), ") lie beside ",
                                      result.classes.size(), " class folders; move them into a class"));
  }
  if (files.empty()) throw DataError(detail::message(name, ": the folder has no PNG or JPEG file; check the path"));

  std::vector<std::uint8_t> pixels;
  Index height = 0;
  Index width = 0;
  Index channels = options.channels;
  for (const auto& file : files) {
    const detail::DecodedImage image = detail::read_image_file(file, channels);
    if (pixels.empty()) {
      std::tie(height, width, channels) = std::tie(image.height, image.width, image.channels);
      pixels.reserve(files.size() * static_cast<std::size_t>(height * width * channels));
    } else if (image.height != height || image.width != width) {
      throw FormatError(detail::message(file.string(), ": the image is ", image.width, " x ", image.height, ", but ",
                                        files.front().string(), " is ", width, " x ", height,
                                        "; bring all images to one size"));
    }
    const std::size_t offset = pixels.size();
    pixels.resize(offset + static_cast<std::size_t>(height * width * channels));
    detail::interleaved_to_planar(image.pixels.get(), height * width, channels, pixels.data() + offset);
  }
  result.images = Images(std::move(pixels), static_cast<Index>(files.size()), height, width, channels);
  return result;
}

}  // namespace hourglass
