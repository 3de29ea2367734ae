// IDX files, the format of MNIST: bytes 0, 0, type, rank; `rank` big-endian 32-bit sizes; elements, big-endian, last
// dimension fastest. Types: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float, 0E double.
// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/data/gzip.hpp"
#include "hourglass/data/input_file.hpp"

#ifdef HOURGLASS_WITH_ZLIB
#include <zlib.h>
#endif

namespace hourglass {

namespace detail {

template <class T>
struct IdxType;
template <>
struct IdxType<std::uint8_t> {
  static constexpr std::uint8_t code = 0x08;
  static constexpr const char* name = "uint8";
};
template <>
struct IdxType<std::int8_t> {
  static constexpr std::uint8_t code = 0x09;
  static constexpr const char* name = "int8";
};
template <>
struct IdxType<std::int16_t> {
  static constexpr std::uint8_t code = 0x0B;
  static constexpr const char* name = "int16";
};
template <>
struct IdxType<std::int32_t> {
  static constexpr std::uint8_t code = 0x0C;
  static constexpr const char* name = "int32";
};
template <>
struct IdxType<float> {
  static constexpr std::uint8_t code = 0x0D;
  static constexpr const char* name = "float";
};
template <>
struct IdxType<double> {
  static constexpr std::uint8_t code = 0x0E;
  static constexpr const char* name = "double";
};

}  // namespace detail

/// The elements of an IDX file in the machine's byte order.
using IdxElements = std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::int16_t>,
                                 std::vector<std::int32_t>, std::vector<float>, std::vector<double>>;

/// An array of any rank, last dimension fastest; rank 0 is a single element.
struct IdxArray {
  std::vector<Index> dimensions;
  IdxElements elements;

  /// Number of elements.
  [[nodiscard]] Index size() const noexcept {
    return std::visit([](const auto& values) { return static_cast<Index>(values.size()); }, elements);
  }

  /// "uint8", "int8", "int16", "int32", "float" or "double".
  [[nodiscard]] std::string type_name() const {
    return std::visit(
        [](const auto& values) { return detail::IdxType<typename std::decay_t<decltype(values)>::value_type>::name; },
        elements);
  }

  /// The elements as what they are; throws DataError when they are of another type.
  template <class T>
  [[nodiscard]] std::span<const T> as() const& {
    if (const auto* values = std::get_if<std::vector<T>>(&elements)) return *values;
    throw DataError(detail::message("IdxArray: the elements are ", type_name(), ", not ", detail::IdxType<T>::name,
                                    "; ask for the type that the file holds"));
  }
  template <class T>
  std::span<const T> as() const&& = delete;  // the elements would be gone before the span is used
};

namespace detail {

// Big-endian to the machine's order and back.
template <class T>
void swap_big_endian(std::span<T> values) noexcept {
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little) {
    for (T& value : values) {
      auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
      std::reverse(bytes.begin(), bytes.end());
      value = std::bit_cast<T>(bytes);
    }
  }
}

/// Elements of a shape; throws FormatError for one whose bytes no file can hold.
[[nodiscard]] inline std::uint64_t idx_count(std::span<const Index> dimensions, std::size_t element_size,
                                             const std::string& name) {
  if (std::find(dimensions.begin(), dimensions.end(), Index{0}) != dimensions.end()) return 0;
  const std::uint64_t most = static_cast<std::uint64_t>(PTRDIFF_MAX) / element_size;
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < dimensions.size(); ++axis) {
    const auto size = static_cast<std::uint64_t>(dimensions[axis]);
    if (count > most / size)
      throw FormatError(message(name, ": byte ", 4 + 4 * axis, ": the product of the ", dimensions.size(),
                                " dimensions overflows at dimension ", axis, ", which is ", size,
                                "; the header is damaged, fetch the file again"));
    count *= size;
  }
  return count;
}

/// Reads one IDX array from `source` (InputFile or GzipReader). `check_size(header, payload)` throws unless a file of
/// that many bytes is possible, and returns how many bytes of memory are justified before any data has arrived.
template <class Source, class CheckSize>
[[nodiscard]] IdxArray parse_idx(Source& source, const std::string& name, const CheckSize& check_size) {
  const auto read_header = [&](std::uint64_t offset, std::span<std::uint8_t> bytes) {
    const std::size_t got = source.read(bytes.data(), bytes.size());
    if (got < bytes.size())
      throw FormatError(message(name, ": byte ", offset + got, ": the file ends inside of its IDX header, ",
                                bytes.size() - got, " bytes short; it is truncated, fetch it again"));
  };
  std::array<std::uint8_t, 4> magic{};
  read_header(0, magic);
  if (magic[0] != 0 || magic[1] != 0)
    throw FormatError(message(name, ": byte 0: an IDX file starts with the bytes 0 0, this one with ", int{magic[0]},
                              " ", int{magic[1]}, "; is it an IDX file?"));

  IdxArray array;
  const std::size_t rank = magic[3];
  const auto read_as = [&]<class T>(std::type_identity<T>) {
    std::vector<std::uint8_t> sizes(4 * rank);
    read_header(4, sizes);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::uint8_t* b = sizes.data() + 4 * axis;
      array.dimensions.push_back(static_cast<Index>(std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 |
                                                    std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]}));
    }
    const std::uint64_t header = 4 + 4 * rank;
    const std::uint64_t count = idx_count(array.dimensions, sizeof(T), name);
    const std::uint64_t first_step = check_size(header, count * sizeof(T)) / sizeof(T);

    // From there on memory grows no faster than the data arrives.
    std::vector<T> values;
    std::uint64_t done = 0;
    while (done < count) {
      const auto step = static_cast<std::size_t>(std::min(count - done, std::max(done, first_step)));
      values.resize(values.size() + step);
      const std::size_t got = source.read(values.data() + done, step * sizeof(T));
      if (got < step * sizeof(T))
        throw FormatError(message(name, ": byte ", header + done * sizeof(T) + got, ": the data is truncated, ",
                                  header + count * sizeof(T), " bytes are expected; fetch the file again"));
      done += step;
    }
    std::uint8_t extra = 0;
    if (source.read(&extra, 1) != 0)
      throw FormatError(message(name, ": byte ", header + count * sizeof(T), ": trailing bytes follow the ", count,
                                " elements that the header declares; fetch the file again"));
    swap_big_endian(std::span<T>(values));
    array.elements = std::move(values);
  };
  switch (magic[2]) {
    case IdxType<std::uint8_t>::code:
      read_as(std::type_identity<std::uint8_t>{});
      break;
    case IdxType<std::int8_t>::code:
      read_as(std::type_identity<std::int8_t>{});
      break;
    case IdxType<std::int16_t>::code:
      read_as(std::type_identity<std::int16_t>{});
      break;
    case IdxType<std::int32_t>::code:
      read_as(std::type_identity<std::int32_t>{});
      break;
    case IdxType<float>::code:
      read_as(std::type_identity<float>{});
      break;
    case IdxType<double>::code:
      read_as(std::type_identity<double>{});
      break;
    default:
      throw FormatError(message(name, ": byte 2: the element type is ", int{magic[2]},
                                ", known are 8, 9, 11, 12, 13 and 14; is it an IDX file?"));
  }
  return array;
}

}  // namespace detail

/// Reads an IDX file, plain or gzip-compressed (told by its first two bytes, not by its name). Throws FormatError when
/// it is missing, damaged, or longer or shorter than its header says. Never takes memory that the size of the file
/// does not justify; compressed data is unpacked no further than the header declares.
[[nodiscard]] inline IdxArray read_idx(const std::filesystem::path& path) {
  detail::InputFile file(path);
  const std::string& name = file.name();
  std::array<std::uint8_t, 2> start{};
  const bool packed = file.read(start.data(), 2) == 2 && start[0] == 0x1f && start[1] == 0x8b;
  file.rewind();
  if (!packed) {
    return detail::parse_idx(file, name, [&](std::uint64_t header, std::uint64_t payload) {
      if (file.size() - header < payload)
        throw FormatError(detail::message(name, ": byte ", file.size(), ": the data is truncated, ", header + payload,
                                          " bytes are expected; fetch the file again"));
      if (file.size() - header > payload)
        throw FormatError(detail::message(name, ": byte ", header + payload, ": ", file.size() - header - payload,
                                          " trailing bytes follow the data that the header declares; fetch the file "
                                          "again"));
      return payload;
    });
  }
#ifdef HOURGLASS_WITH_ZLIB
  detail::GzipReader reader(file);
  return detail::parse_idx(reader, name + " (unpacked)", [&](std::uint64_t header, std::uint64_t payload) {
    if (payload / detail::gzip_expansion > file.size())
      throw FormatError(detail::message(name, " (unpacked): byte ", header, ": the header declares ", payload,
                                        " bytes of data, more than ", file.size(), " bytes of gzip can hold (at most ",
                                        detail::gzip_expansion, " times as many); fetch the file again"));
    return std::min(payload, std::uint64_t{1} << 26);  // MNIST in one piece
  });
#else
  throw FormatError(detail::message(name,
                                    ": byte 0: the file is gzip-compressed, but this program was built without "
                                    "zlib; unpack it with gunzip, or install zlib and build again with "
                                    "HOURGLASS_WITH_ZLIB defined"));
#endif
}

/// Writes an IDX file, gzip-compressed when the name ends in ".gz". Throws ShapeError when the dimensions do not
/// describe the elements or do not fit the format (255 dimensions of 2^32 - 1), FormatError when writing fails.
inline void write_idx(const std::filesystem::path& path, const IdxArray& array) {
  const std::string name = path.string();
  if (array.dimensions.size() > 255)
    throw ShapeError(detail::message(name, ": IDX has at most 255 dimensions, not ", array.dimensions.size()));
  for (const Index size : array.dimensions)
    if (size < 0 || size > Index{std::numeric_limits<std::uint32_t>::max()})
      throw ShapeError(detail::message(name, ": an IDX dimension lies between 0 and 2^32 - 1, not ", size));
  if (const auto count = detail::idx_count(array.dimensions, 1, name);
      count != static_cast<std::uint64_t>(array.size()))
    throw ShapeError(detail::message(name, ": the dimensions describe ", count, " elements, there are ", array.size()));

  // Bytes and not vectors of six types: what follows is compiled once.
  struct Elements {
    std::uint8_t code;
    std::size_t width;
    std::span<const std::byte> bytes;
  };
  const auto elements = std::visit(
      []<class T>(const std::vector<T>& values) {
        return Elements{detail::IdxType<T>::code, sizeof(T), std::as_bytes(std::span(values))};
      },
      array.elements);
  const auto write_all = [&](const auto& put) {
    std::vector<std::uint8_t> header{0, 0, elements.code, static_cast<std::uint8_t>(array.dimensions.size())};
    for (const Index size : array.dimensions)
      for (const int shift : {24, 16, 8, 0}) header.push_back(static_cast<std::uint8_t>(size >> shift & 0xff));
    put(header.data(), header.size());
    constexpr std::size_t most = std::size_t{1} << 18;  // a multiple of every width
    std::vector<std::byte> piece;
    for (std::size_t i = 0; i < elements.bytes.size(); i += piece.size()) {
      const auto part = elements.bytes.subspan(i, std::min(most, elements.bytes.size() - i));
      piece.assign(part.begin(), part.end());
      if constexpr (std::endian::native == std::endian::little)
        for (std::size_t j = 0; j < piece.size(); j += elements.width)
          std::reverse(piece.data() + j, piece.data() + j + elements.width);
      put(piece.data(), piece.size());
    }
  };
  const auto failed = [&]() {
    return FormatError(detail::message(name,
                                       ": writing failed; check that the folder exists, is writable and has "
                                       "room"));
  };
  if (path.extension() == ".gz") {
#ifdef HOURGLASS_WITH_ZLIB
    struct Close {
      void operator()(gzFile_s* file) const noexcept { gzclose(file); }
    };
    std::unique_ptr<gzFile_s, Close> file(gzopen(name.c_str(), "wb9"));
    if (!file) throw failed();
    write_all([&](const void* data, std::size_t size) {
      if (size != 0 && gzwrite(file.get(), data, static_cast<unsigned>(size)) != static_cast<int>(size)) throw failed();
    });
    if (gzclose(file.release()) != Z_OK) throw failed();
#else
    throw FormatError(detail::message(name,
                                      ": this program was built without zlib; choose a name without .gz, or "
                                      "build again with HOURGLASS_WITH_ZLIB defined"));
#endif
  } else {
    std::ofstream file(path, std::ios::binary);
    write_all([&](const void* data, std::size_t size) {
      file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
    });
    file.close();
    if (!file) throw failed();
  }
}

}  // namespace hourglass
