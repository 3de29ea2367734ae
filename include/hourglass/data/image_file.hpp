// Image files: one PNG or JPEG, checked for damage before stb_image decodes it.
//
// stb_image shows the beginning of a truncated JPEG and ignores the checksums of a PNG; both would turn a damaged file
// into a wrong sample without a word, so they are checked here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/data/gzip.hpp"
#include "hourglass/data/input_file.hpp"
#include "hourglass/data/stb_image.hpp"

namespace hourglass::detail {

/// A decoded picture, (height, width, channels).
struct DecodedImage {
  Index height;
  Index width;
  Index channels;
  stb::Pixels pixels;
};

/// Remainders of CRC-32 (RFC 1952) for each byte.
inline constexpr std::array<std::uint32_t, 256> crc32_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ ((table[i] & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return table;
}();

[[nodiscard]] inline std::uint32_t crc32_of(std::span<const std::uint8_t> bytes) noexcept {
  std::uint32_t crc = 0xffffffffu;
  for (const std::uint8_t byte : bytes) crc = crc >> 8 ^ crc32_table[(crc ^ byte) & 0xff];
  return ~crc;
}

[[noreturn]] inline void damaged_image(const std::string& name, std::size_t offset, const char* reason) {
  throw FormatError(message(name, ": byte ", offset, ": the image is damaged (", reason, "); replace or remove it"));
}

/// Walks the chunks of a PNG from its signature to IEND and verifies their checksums.
inline void check_png(const std::string& name, std::span<const std::uint8_t> bytes) {
  const auto word = [&](std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 | std::uint32_t{bytes[at + 2]} << 8 |
           std::uint32_t{bytes[at + 3]};
  };
  for (std::size_t at = 8;;) {
    if (bytes.size() - at < 12) damaged_image(name, bytes.size(), "it ends before its IEND chunk");
    const std::size_t length = word(at);
    if (length > bytes.size() - at - 12) damaged_image(name, at, "a chunk reaches beyond the end of the file");
    if (crc32_of(bytes.subspan(at + 4, length + 4)) != word(at + 8 + length))
      damaged_image(name, at, "the checksum of a chunk is wrong");
    if (std::memcmp(&bytes[at + 4], "IEND", 4) == 0) return;
    at += length + 12;
  }
}

/// Which Huffman tables of a JPEG are defined so far, and whether its scans are progressive.
struct JpegTables {
  std::array<bool, 32> defined{};  // [class * 16 + id]; class 0: DC, 1: AC
  bool progressive = false;
};

/// Notes the tables of a DHT segment. stb_image before 2.28 writes past the end for more than 256 symbols.
inline void check_huffman_tables(const std::string& name, std::size_t offset, std::span<const std::uint8_t> content,
                                 JpegTables& tables) {
  while (!content.empty()) {
    std::size_t symbols = 0;
    for (std::size_t i = 1; i <= 16 && i < content.size(); ++i) symbols += content[i];
    if (symbols > 256 || content.size() < 17 + symbols) damaged_image(name, offset, "bad Huffman table");
    tables.defined[content[0] & 0x1f] = true;
    content = content.subspan(17 + symbols);
  }
}

/// Refuses a scan that names undefined tables: stb_image before 2.28 then decodes with uninitialised memory.
inline void check_scan(const std::string& name, std::size_t offset, std::span<const std::uint8_t> content,
                       const JpegTables& tables) {
  const std::size_t components = content.empty() ? 0 : content[0];
  if (content.size() != 2 * components + 4) damaged_image(name, offset, "bad scan header");
  const bool first = content[2 * components + 1] == 0;
  const bool refines = content[2 * components + 3] >> 4 != 0;
  for (std::size_t i = 0; i < components; ++i) {
    const unsigned ids = content[2 * i + 2];
    const bool dc = tables.progressive ? first && !refines : true;
    const bool ac = tables.progressive ? !first : true;
    if ((dc && !tables.defined[ids >> 4]) || (ac && !tables.defined[16 + (ids & 15)]))
      damaged_image(name, offset, "a scan uses an undefined Huffman table");
  }
}

/// Walks the segments of a JPEG up to its end marker.
inline void check_jpeg(const std::string& name, std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t progressive_frame = 0xC2;
  constexpr std::uint8_t huffman_tables = 0xC4;
  constexpr std::uint8_t end_of_image = 0xD9;
  constexpr std::uint8_t start_of_scan = 0xDA;
  JpegTables tables;
  bool coded = false;  // inside of the coded data, where 0xFF 0x00 and restart markers do not count
  for (std::size_t at = 2; at + 1 < bytes.size();) {
    const std::uint8_t marker = bytes[at + 1];
    const bool bare = marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
    if (bytes[at] != 0xFF || marker == 0xFF || (coded && bare)) {
      ++at;  // coded data, fill bytes, and between segments whatever decoders skip too
    } else if (marker == end_of_image) {
      return;
    } else if (bare) {
      at += 2;
    } else {
      if (at + 4 > bytes.size()) break;
      const std::size_t length = std::size_t{bytes[at + 2]} << 8 | bytes[at + 3];
      if (length > bytes.size() - at - 2) break;
      if (length < 2) damaged_image(name, at, "bad segment length");
      const auto content = bytes.subspan(at + 4, length - 2);
      if (marker == progressive_frame) tables.progressive = true;
      if (marker == huffman_tables) check_huffman_tables(name, at, content, tables);
      if (marker == start_of_scan) check_scan(name, at, content, tables);
      coded = marker == start_of_scan;
      at += 2 + length;
    }
  }
  damaged_image(name, bytes.size(), "it ends before its end marker");
}

/// Decodes a PNG or JPEG, told by its first bytes, to 1 (grey) or 3 (RGB) channels; 0: 1 for a grey file, otherwise 3.
/// Transparency is dropped. Throws FormatError when the file is missing, neither of the two, or damaged.
[[nodiscard]] inline DecodedImage read_image_file(const std::filesystem::path& path, Index channels) {
  InputFile file(path);
  const std::string& name = file.name();
  if (file.size() > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    throw FormatError(message(name, ": ", file.size(), " bytes are too many for one image; is it an image?"));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
  if (file.read(bytes.data(), bytes.size()) != bytes.size())
    throw FormatError(message(name, ": byte ", file.offset(), ": the file became shorter while it was read"));

  constexpr std::array<std::uint8_t, 8> png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  std::uint64_t pixels_per_byte = 8 * gzip_expansion;  // one bit each, deflated
  if (bytes.size() >= png.size() && std::memcmp(bytes.data(), png.data(), png.size()) == 0) {
    check_png(name, bytes);
  } else if (bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF) {
    check_jpeg(name, bytes);
    pixels_per_byte = 1024;  // a block of 8 x 8 takes a bit or more: 512 for grey, less for colour
  } else {
    throw FormatError(message(name, ": byte 0: neither a PNG nor a JPEG begins like this; convert or remove the file"));
  }

  const auto refuse = [&]() {
    const char* reason = stb::stbi_failure_reason();
    throw FormatError(message(name, ": the image cannot be decoded (", reason == nullptr ? "no reason given" : reason,
                              "); replace or remove it"));
  };
  int width = 0;
  int height = 0;
  int in_file = 0;
  const int size = static_cast<int>(bytes.size());
  if (stb::stbi_info_from_memory(bytes.data(), size, &width, &height, &in_file) == 0) refuse();
  const std::uint64_t area = static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height);
  if (area / pixels_per_byte > bytes.size())
    throw FormatError(message(name, ": the header declares ", width, " x ", height, " pixels, more than ", bytes.size(),
                              " bytes can hold; replace or remove it"));
  const int wanted = channels != 0 ? static_cast<int>(channels) : (in_file < 3 ? 1 : 3);
  stb::Pixels pixels(stb::stbi_load_from_memory(bytes.data(), size, &width, &height, &in_file, wanted));
  if (!pixels) refuse();
  return {height, width, wanted, std::move(pixels)};
}

}  // namespace hourglass::detail
