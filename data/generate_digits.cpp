// Writes the digits set: 6,000 training and 1,000 test images with their labels, as four IDX .gz files.
//
//   generate_digits [FOLDER]      (default data/digits)
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "digits.hpp"
#include "hourglass/data/idx.hpp"

namespace {

namespace digits = hourglass::digits;

void write_set(const std::filesystem::path& folder, const std::string& prefix, digits::Set set, std::size_t count) {
  std::vector<std::uint8_t> labels = digits::labels(set, count);
  std::vector<std::uint8_t> pixels;  // (count, 28, 28)
  pixels.reserve(count * digits::pixels);
  for (std::size_t i = 0; i < count; ++i) {
    const digits::Image image = digits::image(set, i, labels[i]);
    pixels.insert(pixels.end(), image.begin(), image.end());
  }
  const auto rows = static_cast<hourglass::Index>(count);
  constexpr auto side = static_cast<hourglass::Index>(digits::side);
  hourglass::write_idx(folder / (prefix + "-images-idx3-ubyte.gz"), {{rows, side, side}, std::move(pixels)});
  hourglass::write_idx(folder / (prefix + "-labels-idx1-ubyte.gz"), {{rows}, std::move(labels)});
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string argument = argc > 1 ? argv[1] : "data/digits";
  if (argc > 2 || argument.starts_with('-')) {
    const bool help = argument == "--help" || argument == "-h";
    (help ? std::cout : std::cerr) << "usage: generate_digits [FOLDER]      (default data/digits)\n";
    return help ? 0 : 2;
  }
  const std::filesystem::path folder = argument;
  std::filesystem::create_directories(folder);
  write_set(folder, "train", digits::Set::train, digits::train_count);
  write_set(folder, "t10k", digits::Set::test, digits::test_count);
  std::cout << "wrote " << digits::train_count << " training and " << digits::test_count << " test images to "
            << folder.string() << '\n';
} catch (const std::exception& error) {
  std::cerr << "generate_digits: " << error.what() << '\n';
  return 1;
}
