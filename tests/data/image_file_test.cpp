#include "hourglass/data/image_file.hpp"

// Implementing stb_image after ours, in a unit that links with another implementation.
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "files.hpp"
#include "hourglass/core/rng.hpp"
#include "png.hpp"

namespace hg = hourglass;
using files::Bytes;
using files::contains;
using files::thrown;

namespace {

std::string refusal(const std::filesystem::path& path) {
  return thrown<hg::FormatError>([&] { static_cast<void>(hg::detail::read_image_file(path, 0)); });
}

Bytes pixels_of(const hg::detail::DecodedImage& image) {
  return {image.pixels.get(), image.pixels.get() + image.width * image.height * image.channels};
}

Bytes noise(std::size_t count) {
  hg::Rng rng{1};
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng());
  return bytes;
}

// A chunk of a PNG with its checksum.
void append_chunk(Bytes& png, const char* name, const Bytes& content) {
  const auto word = [&](std::uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) png.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  word(static_cast<std::uint32_t>(content.size()));
  Bytes checked(name, name + 4);
  checked.insert(checked.end(), content.begin(), content.end());
  png.insert(png.end(), checked.begin(), checked.end());
  word(hg::detail::crc32_of(checked));
}

}  // namespace

TEST_CASE("image file: CRC-32 of the standard's test vector") {
  const std::string text = "123456789";
  const Bytes bytes(text.begin(), text.end());
  CHECK(hg::detail::crc32_of(bytes) == 0xCBF43926u);
}

TEST_CASE("image file: PNG of 1 to 4 channels, with and without conversion") {
  const files::Folder folder("image_file_png");
  for (int channels = 1; channels <= 4; ++channels) {
    CAPTURE(channels);
    const Bytes pixels = noise(static_cast<std::size_t>(5 * 4 * channels));
    png::write_png(folder / "a.png", 5, 4, channels, pixels);
    const auto as_is = hg::detail::read_image_file(folder / "a.png", 0);
    CHECK(as_is.width == 5);
    CHECK(as_is.height == 4);
    CHECK(as_is.channels == (channels < 3 ? 1 : 3));
    if (channels == 1 || channels == 3) CHECK(pixels_of(as_is) == pixels);
    CHECK(hg::detail::read_image_file(folder / "a.png", 1).channels == 1);
    CHECK(hg::detail::read_image_file(folder / "a.png", 3).channels == 3);
  }
}

TEST_CASE("image file: JPEG") {
  const files::Folder folder("image_file_jpeg");
  const Bytes grey(20 * 10, 77);
  png::write_jpg(folder / "a.jpg", 20, 10, 1, grey);
  const auto image = hg::detail::read_image_file(folder / "a.jpg", 1);
  CHECK(image.width == 20);
  CHECK(image.height == 10);
  const Bytes pixels = pixels_of(image);
  CHECK(std::all_of(pixels.begin(), pixels.end(), [](int p) { return p >= 75 && p <= 79; }));

  const Bytes whole = files::read(folder / "a.jpg");
  for (std::size_t length = 3; length < whole.size(); length += 7) {
    CAPTURE(length);
    CHECK(
        contains(refusal(files::write(folder / "cut.jpg", {whole.begin(), whole.begin() + static_cast<long>(length)})),
                 {"cut.jpg", "damaged", "end marker"}));
  }
  CHECK(contains(refusal(files::write(folder / "cut.jpg", {whole.begin(), whole.end() - 1})), {"end marker"}));
  // A whole picture inside of an application segment, as cameras write it, is no end.
  Bytes nested{0xFF,
               0xD8,
               0xFF,
               0xE1,
               static_cast<std::uint8_t>((whole.size() + 2) >> 8),
               static_cast<std::uint8_t>(whole.size() + 2)};
  std::ranges::copy(whole, std::back_inserter(nested));
  CHECK(contains(refusal(files::write(folder / "nested.jpg", nested)), {"end marker"}));
  std::ranges::copy(whole.begin() + 2, whole.end(), std::back_inserter(nested));
  CHECK(hg::detail::read_image_file(files::write(folder / "nested.jpg", nested), 0).width == 20);
  Bytes behind = whole;
  behind.push_back(0);
  CHECK(hg::detail::read_image_file(files::write(folder / "behind.jpg", behind), 0).width == 20);
}

TEST_CASE("image file: Huffman tables that old decoders trip over") {
  const files::Folder folder("image_file_huffman");
  png::write_jpg(folder / "a.jpg", 8, 8, 1, Bytes(64, 77));
  const Bytes whole = files::read(folder / "a.jpg");
  const std::array<std::uint8_t, 2> marker{0xFF, 0xC4};
  const auto found = std::search(whole.begin(), whole.end(), marker.begin(), marker.end());
  REQUIRE(found != whole.end());
  const auto at = static_cast<std::size_t>(found - whole.begin());
  const std::size_t length = std::size_t{whole[at + 2]} << 8 | whole[at + 3];

  Bytes many = whole;
  many[at + 5] = 255;
  many[at + 6] = 255;
  CHECK(contains(refusal(files::write(folder / "many.jpg", many)), {"many.jpg", "bad Huffman table"}));
  Bytes without = whole;
  without.erase(without.begin() + static_cast<long>(at), without.begin() + static_cast<long>(at + 2 + length));
  CHECK(contains(refusal(files::write(folder / "without.jpg", without)), {"undefined Huffman table"}));
  Bytes short_segment = whole;
  short_segment[at + 2] = 0;
  short_segment[at + 3] = 1;
  CHECK(contains(refusal(files::write(folder / "short.jpg", short_segment)), {"bad segment length"}));
}

TEST_CASE("image file: damage to a PNG is noticed at every byte") {
  const files::Folder folder("image_file_bad");
  png::write_png(folder / "a.png", 9, 9, 3, noise(243));
  const Bytes whole = files::read(folder / "a.png");
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    CAPTURE(at);
    CHECK(!refusal(files::write(folder / "cut.png", {whole.begin(), whole.begin() + static_cast<long>(at)})).empty());
    Bytes flipped = whole;
    flipped[at] ^= 16;
    CHECK(!refusal(files::write(folder / "flipped.png", flipped)).empty());
  }
  Bytes flipped = whole;
  flipped[whole.size() / 2] ^= 1;
  CHECK(contains(refusal(files::write(folder / "flipped.png", flipped)), {"flipped.png: byte 33", "checksum"}));
  CHECK(contains(refusal(files::write(folder / "cut.png", {whole.begin(), whole.end() - 12})), {"IEND"}));
}

TEST_CASE("image file: other files, and stb_image's reason") {
  const files::Folder folder("image_file_other");
  CHECK(contains(refusal(folder / "absent.png"), {"absent.png", "no such file"}));
  CHECK(contains(refusal(files::write(folder / "empty.png", {})), {"empty.png", "empty"}));
  CHECK(contains(refusal(files::write(folder / "gif.png", {'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0})),
                 {"gif.png", "neither a PNG nor a JPEG"}));
  const Bytes signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  Bytes no_data = signature;
  append_chunk(no_data, "IHDR", {0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0});
  append_chunk(no_data, "IEND", {});
  CHECK(
      contains(refusal(files::write(folder / "no_data.png", no_data)), {"no_data.png", "cannot be decoded (no IDAT)"}));
  Bytes huge = signature;
  append_chunk(huge, "IHDR", {0, 0, 0x40, 0, 0, 0, 0x40, 0, 8, 0, 0, 0, 0});
  append_chunk(huge, "IDAT", {0x78, 0x9c, 3, 0, 0, 0, 0, 1});
  append_chunk(huge, "IEND", {});
  CHECK(contains(refusal(files::write(folder / "huge.png", huge)), {"huge.png", "16384 x 16384", "can hold"}));
  Bytes zero = signature;
  append_chunk(zero, "IHDR", {0, 0, 0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0});
  append_chunk(zero, "IEND", {});
  CHECK(contains(refusal(files::write(folder / "zero.png", zero)), {"cannot be decoded"}));
}

TEST_CASE("image file: random damage to a JPEG is an error or a picture, never more") {
  const files::Folder folder("image_file_fuzz");
  png::write_jpg(folder / "a.jpg", 16, 16, 3, noise(768));
  const Bytes whole = files::read(folder / "a.jpg");
  hg::Rng rng{2};
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    Bytes bad = whole;
    for (int j = 0; j < 3; ++j)
      bad[static_cast<std::size_t>(rng.below(static_cast<hg::Index>(bad.size())))] = static_cast<std::uint8_t>(rng());
    const auto path = files::write(folder / "bad.jpg", bad);
    try {
      const auto image = hg::detail::read_image_file(path, 3);
      CHECK(image.width * image.height <= 1024 * static_cast<hg::Index>(bad.size()));
    } catch (const hg::FormatError&) {
      ++refused;
    }
  }
  CHECK(refused > 0);
}
