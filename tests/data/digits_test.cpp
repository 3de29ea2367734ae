#include "../../data/digits.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/data/idx.hpp"

namespace {

namespace digits = hourglass::digits;
using hourglass::Index;

const auto folder = std::filesystem::path(HOURGLASS_SOURCE_DIR) / "data" / "digits";

#ifdef HOURGLASS_WITH_ZLIB

struct File {
  std::string prefix;
  digits::Set set;
  std::size_t count;
};
const std::array<File, 2> files{File{"train", digits::Set::train, digits::train_count},
                                File{"t10k", digits::Set::test, digits::test_count}};

hourglass::IdxArray read_images(const File& file) {
  return hourglass::read_idx(folder / (file.prefix + "-images-idx3-ubyte.gz"));
}
hourglass::IdxArray read_labels(const File& file) {
  return hourglass::read_idx(folder / (file.prefix + "-labels-idx1-ubyte.gz"));
}

std::span<const std::uint8_t> image_at(const hourglass::IdxArray& images, std::size_t i) {
  return images.as<std::uint8_t>().subspan(i * digits::pixels, digits::pixels);
}

TEST_CASE("the committed digits have MNIST's format and every digit equally often") {
  for (const File& file : files) {
    CAPTURE(file.prefix);
    const auto rows = static_cast<Index>(file.count);
    CHECK(read_images(file).dimensions == std::vector<Index>{rows, 28, 28});
    const hourglass::IdxArray labels = read_labels(file);
    REQUIRE(labels.dimensions == std::vector<Index>{rows});
    for (std::uint8_t digit = 0; digit < 10; ++digit)
      CHECK(std::ranges::count(labels.as<std::uint8_t>(), digit) == rows / 10);
  }
}

TEST_CASE("the committed digits have MNIST's statistics: ink, lit pixels, centre of mass, frame") {
  for (const File& file : files) {
    CAPTURE(file.prefix);
    const hourglass::IdxArray images = read_images(file);
    double ink = 0;
    double lit = 0;
    std::size_t framed = 0;
    std::set<std::string> different;
    for (std::size_t i = 0; i < file.count; ++i) {
      const auto image = image_at(images, i);
      double mass = 0;
      double x = 0;
      double y = 0;
      bool on_frame = false;
      for (std::size_t p = 0; p < digits::pixels; ++p) {
        const auto column = p % digits::side;
        const auto row = p / digits::side;
        mass += image[p];
        lit += image[p] > 0 ? 1 : 0;
        x += image[p] * (static_cast<double>(column) + 0.5);
        y += image[p] * (static_cast<double>(row) + 0.5);
        if (column == 0 || row == 0 || column == 27 || row == 27) on_frame = on_frame || image[p] > 0;
      }
      ink += mass;
      CAPTURE(i);
      REQUIRE(mass > 255 * 15);  // a thin one still has fifteen pixels' worth of ink
      REQUIRE(std::abs(x / mass - 14) <= 0.55);
      REQUIRE(std::abs(y / mass - 14) <= 0.55);
      framed += on_frame ? 1u : 0u;
      different.emplace(image.begin(), image.end());
    }
    const double pixels = static_cast<double>(file.count * digits::pixels);
    CHECK(ink / pixels / 255 == doctest::Approx(0.1307).epsilon(0.03));  // MNIST: 0.1307
    CHECK(lit / pixels == doctest::Approx(0.1912).epsilon(0.03));        // MNIST: 0.1912
    CHECK(framed <= file.count / 200);  // sevens with all their weight on top; MNIST has 1.4 %
    CHECK(different.size() == file.count);
  }
}

TEST_CASE("drawing the digits again gives the committed bytes") {
  // Every 20th image: all 7,000 take seconds without optimisation.
  for (const File& file : files) {
    CAPTURE(file.prefix);
    const hourglass::IdxArray images = read_images(file);
    const hourglass::IdxArray committed = read_labels(file);
    const auto labels = digits::labels(file.set, file.count);
    REQUIRE(std::ranges::equal(labels, committed.as<std::uint8_t>()));
    for (std::size_t i = 0; i < file.count; i += 20) {
      CAPTURE(i);
      REQUIRE(std::ranges::equal(digits::image(file.set, i, labels[i]), image_at(images, i)));
    }
  }
}

TEST_CASE("a nearest neighbour among the training images usually shows the same digit") {
  const hourglass::IdxArray train = read_images(files[0]);
  const hourglass::IdxArray test = read_images(files[1]);
  const hourglass::IdxArray train_labels = read_labels(files[0]);
  const hourglass::IdxArray test_labels = read_labels(files[1]);
  constexpr std::size_t asked = 100;
  constexpr std::size_t known = 2000;
  std::size_t right = 0;
  for (std::size_t i = 0; i < asked; ++i) {
    const auto question = image_at(test, i);
    std::size_t best = 0;
    long smallest = std::numeric_limits<long>::max();
    for (std::size_t j = 0; j < known; ++j) {
      const auto answer = image_at(train, j);
      long distance = 0;
      for (std::size_t p = 0; p < digits::pixels; ++p) {
        const long d = long{question[p]} - long{answer[p]};
        distance += d * d;
      }
      if (distance < smallest) {
        smallest = distance;
        best = j;
      }
    }
    right += train_labels.as<std::uint8_t>()[best] == test_labels.as<std::uint8_t>()[i] ? 1u : 0u;
  }
  CHECK(right >= 85);
}

#else

TEST_CASE("the committed digits") { std::cout << "SKIPPED: reading " << folder << " needs zlib\n"; }

#endif

}  // namespace

TEST_CASE("the shares of every digit's glyphs add up to a hundred, and every stroke starts") {
  std::array<int, 10> shares{};
  for (const digits::Glyph& glyph : digits::glyphs) {
    shares[static_cast<std::size_t>(glyph.digit)] += glyph.percent;
    CHECK(glyph.knots.front().turn == digits::Turn::start);
    CHECK(glyph.knots.back().turn == digits::Turn::smooth);
  }
  for (const int share : shares) CHECK(share == 100);
}

TEST_CASE("an image depends on the seed, the set, the index and the label") {
  const digits::Image image = digits::image(digits::Set::train, 7, 3);
  CHECK(image == digits::image(digits::Set::train, 7, 3));
  CHECK(image != digits::image(digits::Set::train, 8, 3));
  CHECK(image != digits::image(digits::Set::test, 7, 3));
  CHECK(image != digits::image(digits::Set::train, 7, 5));
  CHECK(image != digits::image(digits::Set::train, 7, 3, digits::default_seed + 1));
  hourglass::Rng rng{1};
  CHECK_THROWS_AS((void)digits::render_digit(10, rng), hourglass::DataError);
}
