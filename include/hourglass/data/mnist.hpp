// MNIST and its relatives of the same format (Fashion-MNIST, KMNIST): four IDX files in one folder.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/data/idx.hpp"
#include "hourglass/data/images.hpp"

namespace hourglass {

/// Images and what they show; labels.size() == images.rows().
struct LabelledImages {
  Images images;
  std::vector<std::uint8_t> labels;
};

/// The two parts of MNIST: 60,000 training and 10,000 test images of 28 x 28 in the original.
struct Mnist {
  LabelledImages train;
  LabelledImages test;
};

namespace detail {

[[nodiscard]] inline IdxArray read_idx_bytes(const std::filesystem::path& path, std::size_t rank,
                                             std::size_t other_rank, const char* meaning) {
  IdxArray array = read_idx(path);
  const std::size_t actual = array.dimensions.size();
  if (actual != rank && actual != other_rank)
    throw FormatError(message(path.string(), ": byte 3: the file has ", actual, " dimensions, ", meaning, " have ",
                              rank, "; is it the right file?"));
  if (!std::holds_alternative<std::vector<std::uint8_t>>(array.elements))
    throw FormatError(message(path.string(), ": byte 2: the elements are ", array.type_name(), ", ", meaning,
                              " are uint8; is it the right file?"));
  return array;
}

/// The file called `stem` + "idx" + `rank` + "-ubyte", in any of its spellings.
[[nodiscard]] inline std::filesystem::path find_mnist_file(const std::filesystem::path& folder, const std::string& stem,
                                                           int rank) {
  const std::string end = "idx" + std::to_string(rank) + "-ubyte";
  const std::array<std::string, 4> names{stem + "-" + end, stem + "." + end, stem + "-" + end + ".gz",
                                         stem + "." + end + ".gz"};
  std::error_code ignored;
  for (const std::string& name : names)
    if (std::filesystem::exists(folder / name, ignored)) return folder / name;
  throw FormatError(message(folder.string(), ": the folder has no ", names[0], ", ", names[1], ", ", names[2], " or ",
                            names[3], "; scripts/download_mnist fetches MNIST, or name another folder"));
}

}  // namespace detail

/// Images from an IDX file of uint8: (count, height, width), or (count, height, width, channels). Throws FormatError
/// as read_idx does, and for another rank or type; DataError when there is no image.
[[nodiscard]] inline Images load_idx_images(const std::filesystem::path& path) {
  IdxArray array = detail::read_idx_bytes(path, 3, 4, "images");
  const auto& size = array.dimensions;
  const Index channels = size.size() == 4 ? size[3] : 1;
  if (array.size() == 0)
    throw DataError(detail::message(path.string(), ": the file holds no image: ", size[0], " of ", size[1], " x ",
                                    size[2], " x ", channels, " pixels; fetch it again"));
  auto& pixels = std::get<std::vector<std::uint8_t>>(array.elements);
  if (channels > 1) {
    std::vector<std::uint8_t> planar(pixels.size());
    const Index features = size[1] * size[2] * channels;
    for (Index i = 0; i < size[0]; ++i)
      detail::interleaved_to_planar(pixels.data() + i * features, size[1] * size[2], channels,
                                    planar.data() + i * features);
    pixels = std::move(planar);
  }
  return Images(std::move(pixels), size[0], size[1], size[2], channels);
}

/// Labels from an IDX file of uint8 of rank 1. Throws FormatError as read_idx does, and for another rank or type;
/// DataError when there is no label.
[[nodiscard]] inline std::vector<std::uint8_t> load_idx_labels(const std::filesystem::path& path) {
  IdxArray array = detail::read_idx_bytes(path, 1, 1, "labels");
  if (array.size() == 0) throw DataError(detail::message(path.string(), ": the file holds 0 labels; fetch it again"));
  return std::get<std::vector<std::uint8_t>>(std::move(array.elements));
}

namespace detail {

[[nodiscard]] inline LabelledImages load_mnist_part(const std::filesystem::path& folder, const std::string& part) {
  const auto images_path = find_mnist_file(folder, part + "-images", 3);
  const auto labels_path = find_mnist_file(folder, part + "-labels", 1);
  LabelledImages data{load_idx_images(images_path), load_idx_labels(labels_path)};
  if (static_cast<Index>(data.labels.size()) != data.images.rows())
    throw FormatError(message(labels_path.string(), ": ", data.labels.size(), " labels, but ", images_path.string(),
                              " holds ", data.images.rows(), " images; fetch both files again"));
  const auto bad = std::find_if(data.labels.begin(), data.labels.end(), [](std::uint8_t label) { return label > 9; });
  if (bad != data.labels.end()) {
    const auto index = bad - data.labels.begin();
    throw FormatError(message(labels_path.string(), ": byte ", 8 + index, ": label ", index, " is ", int{*bad},
                              ", MNIST has 0 to 9; fetch the file again, or read it with load_idx_labels"));
  }
  return data;
}

}  // namespace detail

/// Reads MNIST from `folder`: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...`, or with a dot instead
/// of the dash before `idx`, each plain or `.gz`. Throws FormatError when the folder or a file is missing or damaged,
/// when the numbers of images and labels differ, a label is above 9, or training and test images differ in size;
/// DataError when a set is empty.
[[nodiscard]] inline Mnist load_mnist(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored))
    throw FormatError(detail::message(folder.string(),
                                      std::filesystem::exists(folder, ignored) ? ": is no folder" : ": no such folder",
                                      "; name the folder that holds the four MNIST files, scripts/download_mnist "
                                      "fetches them"));
  Mnist mnist{detail::load_mnist_part(folder, "train"), detail::load_mnist_part(folder, "t10k")};
  const Images& train = mnist.train.images;
  const Images& test = mnist.test.images;
  if (train.height() != test.height() || train.width() != test.width() || train.channels() != test.channels())
    throw FormatError(detail::message(folder.string(), ": training images are ", train.height(), " x ", train.width(),
                                      ", test images ", test.height(), " x ", test.width(),
                                      "; do the files belong together?"));
  return mnist;
}

}  // namespace hourglass
