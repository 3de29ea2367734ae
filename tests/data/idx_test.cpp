#include "hourglass/data/idx.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "files.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;
using files::Bytes;
using files::contains;
using files::thrown;

namespace {

std::string refusal(const std::filesystem::path& path) {
  return thrown<hg::FormatError>([&] { static_cast<void>(hg::read_idx(path)); });
}

// Random bits, so that floats include NaN payloads, infinities and denormals.
template <class T>
hg::IdxArray random_array(std::size_t rank, hg::Rng& rng) {
  hg::IdxArray array;
  std::size_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    array.dimensions.push_back(rng.below(7));
    count *= static_cast<std::size_t>(array.dimensions.back());
  }
  std::vector<T> values(count);
  for (T& value : values) {
    std::array<std::uint8_t, sizeof(T)> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng());
    value = std::bit_cast<T>(bytes);
  }
  array.elements = std::move(values);
  return array;
}

template <class T>
bool same_bits(const hg::IdxArray& a, const hg::IdxArray& b) {
  const auto x = std::as_bytes(a.as<T>());
  const auto y = std::as_bytes(b.as<T>());
  return a.dimensions == b.dimensions && std::equal(x.begin(), x.end(), y.begin(), y.end());
}

}  // namespace

TEST_CASE_TEMPLATE("idx: random arrays of any rank come back bit for bit", T, std::uint8_t, std::int8_t, std::int16_t,
                   std::int32_t, float, double) {
  const files::Folder folder("idx_round_trip");
  hg::Rng rng{7};
  for (std::size_t rank = 0; rank <= 5; ++rank) {
    for (int repeat = 0; repeat < 10; ++repeat) {
      const auto array = random_array<T>(rank, rng);
      hg::write_idx(folder / "a", array);
      const auto plain = hg::read_idx(folder / "a");
      CHECK(same_bits<T>(array, plain));
#ifdef HOURGLASS_WITH_ZLIB
      hg::write_idx(folder / "a.gz", array);
      CHECK(files::read(folder / "a.gz")[0] == 0x1f);
      const auto packed = hg::read_idx(folder / "a.gz");
      CHECK(same_bits<T>(array, packed));
#endif
    }
  }
}

TEST_CASE("idx: bytes on disk are big-endian and the element types have their codes") {
  const files::Folder folder("idx_layout");
  hg::write_idx(folder / "a", {{2, 1}, std::vector<std::int32_t>{0x01020304, -2}});
  CHECK(files::read(folder / "a") == Bytes{0, 0, 0x0C, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xfe});
  const auto one_and_minus_two =
      hg::read_idx(files::write(folder / "f", files::idx(0x0D, {2}, {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0})));
  CHECK(one_and_minus_two.as<float>()[0] == 1.0f);
  CHECK(one_and_minus_two.as<float>()[1] == -2.0f);
  const auto doubled = hg::read_idx(files::write(folder / "d", files::idx(0x0E, {1}, {0x3f, 0xf8, 0, 0, 0, 0, 0, 0})));
  CHECK(doubled.as<double>()[0] == 1.5);
  const auto shorts = hg::read_idx(files::write(folder / "s", files::idx(0x0B, {2}, {0x01, 0x02, 0xff, 0xff})));
  CHECK(shorts.as<std::int16_t>()[0] == 0x0102);
  CHECK(shorts.as<std::int16_t>()[1] == -1);
  const auto bytes = hg::read_idx(files::write(folder / "b", files::idx(0x09, {1}, {0x80})));
  CHECK(bytes.as<std::int8_t>()[0] == -128);
  CHECK(bytes.size() == 1);
  CHECK(bytes.type_name() == "int8");
  CHECK(contains(thrown<hg::DataError>([&] { static_cast<void>(bytes.as<float>()); }), {"int8", "float"}));
}

TEST_CASE("idx: more elements than one piece of the writer") {
  const files::Folder folder("idx_pieces");
  std::vector<std::int32_t> values(200'003);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i * 2'654'435'761u);
  const hg::IdxArray array{{200'003}, values};
  hg::write_idx(folder / "a", array);
  const auto back = hg::read_idx(folder / "a");
  CHECK(same_bits<std::int32_t>(array, back));
}

TEST_CASE("idx: each kind of bad plain file has its own error") {
  const files::Folder folder("idx_bad");
  CHECK(contains(refusal(folder / "absent"), {"absent", "no such file"}));
  CHECK(contains(refusal(folder.path()), {"is a folder"}));
  CHECK(contains(refusal(files::write(folder / "empty", {})), {"empty", "0 bytes"}));
  CHECK(contains(refusal("/dev/null"), {"/dev/null", "no regular file"}));
  CHECK(contains(refusal(files::write(folder / "three", {0, 0, 8})), {"three", "byte 3", "header", "1 bytes short"}));
  CHECK(contains(refusal(files::write(folder / "magic", {0, 1, 8, 1, 0, 0, 0, 0})), {"magic: byte 0", "0 1"}));
  CHECK(contains(refusal(files::write(folder / "text", {'h', 'e', 'l', 'l', 'o'})), {"byte 0", "104 101"}));
  CHECK(contains(refusal(files::write(folder / "type", files::idx(0x0A, {1}, {1}))), {"byte 2", "type is 10"}));
  CHECK(contains(refusal(files::write(folder / "header", {0, 0, 8, 3, 0, 0, 0, 1, 0, 0})),
                 {"byte 10", "header", "6 bytes short"}));
  CHECK(contains(refusal(files::write(folder / "short", files::idx(8, {2, 3}, {1, 2, 3, 4, 5}))),
                 {"short: byte 17", "truncated", "18 bytes are expected"}));
  CHECK(contains(refusal(files::write(folder / "long", files::idx(8, {2, 3}, {1, 2, 3, 4, 5, 6, 7, 8}))),
                 {"long: byte 18", "2 trailing bytes"}));
  CHECK(contains(refusal(files::write(folder / "half", files::idx(0x0D, {1}, {0, 0, 0}))), {"truncated"}));
  CHECK(contains(refusal(files::write(folder / "gap", files::idx(8, {0}, {1}))), {"byte 8", "1 trailing"}));
}

TEST_CASE("idx: dimensions that no file can hold are refused before memory is taken") {
  const files::Folder folder("idx_huge");
  constexpr std::uint32_t most = 0xffffffffu;
  CHECK(contains(refusal(files::write(folder / "overflow", files::idx(8, {most, most, most}, {1}))),
                 {"byte 8", "overflows at dimension 1", "4294967295"}));
  // 2^32 * 2^31 elements of 8 bytes: only the number of bytes overflows.
  CHECK(contains(refusal(files::write(folder / "bytes", files::idx(0x0E, {0x80000000u, 0x80000000u}, {1}))),
                 {"overflows"}));
  CHECK(contains(refusal(files::write(folder / "wraps", files::idx(8, {0x80000000u, 0x80000000u, 4}, {}))),
                 {"overflows at dimension 2"}));
  CHECK(contains(refusal(files::write(folder / "terabytes", files::idx(8, {most, 1000}, {1, 2, 3}))), {"truncated"}));
  Bytes deep{0, 0, 8, 255};
  for (int i = 0; i < 255 * 4; ++i) deep.push_back(0xff);
  CHECK(contains(refusal(files::write(folder / "deep", deep)), {"overflows"}));
  const auto none = hg::read_idx(files::write(folder / "zero", files::idx(8, {most, most, most, 0}, {})));
  CHECK(none.size() == 0);
  CHECK(none.dimensions.size() == 4);
}

TEST_CASE("idx: impossible arrays are not written") {
  const files::Folder folder("idx_write");
  const auto refused = [&](const hg::IdxArray& array) {
    return thrown<hg::ShapeError>([&] { hg::write_idx(folder / "a", array); });
  };
  CHECK(contains(refused({{2, 2}, std::vector<float>(3)}), {"4 elements", "3"}));
  CHECK(contains(refused({{-1}, std::vector<float>(1)}), {"-1"}));
  CHECK(contains(refused({{hg::Index{1} << 32, 0}, std::vector<float>()}), {"4294967296"}));
  CHECK(contains(refused({std::vector<hg::Index>(256, 1), std::vector<float>(1)}), {"256"}));
  const hg::IdxArray good{{1}, std::vector<float>(1)};
  CHECK(contains(thrown<hg::FormatError>([&] { hg::write_idx(folder / "no/such/folder", good); }), {"writing failed"}));
  CHECK(contains(thrown<hg::FormatError>([&] { hg::write_idx(folder / "no/such/a.gz", good); }), {"a.gz"}));
}

#ifdef HOURGLASS_WITH_ZLIB

TEST_CASE("idx: gzip is told by its content, not by its name") {
  const files::Folder folder("idx_names");
  const Bytes plain = files::idx(8, {3}, {1, 2, 3});
  CHECK(hg::read_idx(files::write(folder / "plain.gz", plain)).size() == 3);
  CHECK(hg::read_idx(files::write(folder / "packed", files::gzip(plain))).size() == 3);
}

TEST_CASE("idx: a gzip file of several members is one file") {
  const files::Folder folder("idx_members");
  const Bytes plain = files::idx(8, {3}, {1, 2, 3});
  Bytes joined = files::gzip({plain.begin(), plain.begin() + 5});
  for (const Bytes& part : {files::gzip({}), files::gzip({plain.begin() + 5, plain.end()})})
    joined.insert(joined.end(), part.begin(), part.end());
  const auto array = hg::read_idx(files::write(folder / "a.gz", joined));
  CHECK(std::vector<std::uint8_t>(array.as<std::uint8_t>().begin(), array.as<std::uint8_t>().end()) == Bytes{1, 2, 3});
}

TEST_CASE("idx: each kind of bad gzip file has its own error") {
  const files::Folder folder("idx_bad_gzip");
  Bytes payload(5000);
  hg::Rng rng{3};
  for (auto& byte : payload) byte = static_cast<std::uint8_t>(rng.below(20));
  const Bytes plain = files::idx(8, {5000}, payload);
  const Bytes packed = files::gzip(plain);

  SUBCASE("truncated anywhere") {
    for (std::size_t length = 2; length < packed.size(); length += length < 30 ? 1 : 97) {
      CAPTURE(length);
      CHECK(contains(refusal(files::write(folder / "a", {packed.begin(), packed.begin() + static_cast<long>(length)})),
                     {"ends too early", "truncated"}));
    }
    CHECK(contains(refusal(files::write(folder / "a", {packed.begin(), packed.end() - 1})), {"ends too early"}));
  }
  SUBCASE("wrong checksum, wrong length") {
    Bytes bad = packed;
    bad[bad.size() - 8] ^= 1;
    CHECK(contains(refusal(files::write(folder / "crc", bad)), {"crc: byte", "damaged", "incorrect data check"}));
    bad = packed;
    bad[bad.size() - 1] ^= 1;
    CHECK(contains(refusal(files::write(folder / "length", bad)), {"damaged", "incorrect length check"}));
  }
  SUBCASE("any flipped bit of the data is noticed") {
    for (std::size_t at = 10; at < packed.size(); at += 31) {
      Bytes bad = packed;
      bad[at] ^= 4;
      CAPTURE(at);
      CHECK(!refusal(files::write(folder / "a", bad)).empty());
    }
  }
  SUBCASE("trailing bytes, packed and unpacked") {
    Bytes bad = packed;
    bad.push_back(0);
    bad.push_back(7);
    CHECK(contains(refusal(files::write(folder / "a", bad)), {"2 trailing bytes follow the end of the gzip data"}));
    Bytes longer = plain;
    longer.push_back(1);
    CHECK(contains(refusal(files::write(folder / "b", files::gzip(longer))), {"(unpacked): byte 5008", "trailing"}));
    const Bytes member = files::gzip({1});
    bad = packed;
    bad.insert(bad.end(), member.begin(), member.end());
    CHECK(contains(refusal(files::write(folder / "c", bad)), {"byte 5008", "trailing"}));
  }
  SUBCASE("unpacked content too short") {
    CHECK(contains(refusal(files::write(folder / "a", files::gzip({plain.begin(), plain.end() - 3}))),
                   {"(unpacked): byte 5005", "truncated", "5008"}));
    CHECK(contains(refusal(files::write(folder / "b", files::gzip({0, 0, 8}))), {"byte 3", "header"}));
    CHECK(contains(refusal(files::write(folder / "c", files::gzip({}))), {"byte 0", "header"}));
  }
  SUBCASE("not deflate at all") {
    CHECK(contains(refusal(files::write(folder / "a", {0x1f, 0x8b})), {"ends too early"}));
    CHECK(contains(refusal(files::write(folder / "b", {0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3})),
                   {"damaged", "unknown compression method"}));
  }
}

TEST_CASE("idx: a gzip bomb costs no more memory than its header justifies") {
  const files::Folder folder("idx_bomb");
  // 64 MiB of zeros in 65 KB, behind headers that say otherwise.
  const auto bomb = [](std::uint32_t declared) {
    Bytes bytes = files::idx(8, {declared}, {});
    bytes.resize(std::size_t{1} << 26);
    return files::gzip(bytes);
  };
  const auto small = files::write(folder / "small", bomb(10));
  CHECK(std::filesystem::file_size(small) < 100'000);
  CHECK(contains(refusal(small), {"byte 18", "trailing"}));
  CHECK(contains(refusal(files::write(folder / "huge", bomb(0xfffffff0u))),
                 {"declares 4294967280 bytes", "can hold", "1032"}));
  // Within the factor: refused only when the data ends.
  CHECK(contains(refusal(files::write(folder / "larger", bomb(0x04000000u))), {"truncated"}));
}

TEST_CASE("idx: what gzip can hold at most is read") {
  const files::Folder folder("idx_dense");
  constexpr std::uint32_t size = 70'000'000;  // beyond the first piece of the reader
  Bytes bytes = files::idx(8, {size}, {});
  bytes.resize(8 + size);
  bytes.back() = 9;
  const auto array = hg::read_idx(files::write(folder / "a.gz", files::gzip(bytes)));
  CHECK(array.size() == size);
  CHECK(array.as<std::uint8_t>().back() == 9);
}

#else

TEST_CASE("idx: without zlib, .gz files are refused with the remedy") {
  const files::Folder folder("idx_no_zlib");
  CHECK(contains(refusal(files::write(folder / "a.gz", {0x1f, 0x8b, 8, 0})), {"a.gz", "zlib", "gunzip"}));
  CHECK(contains(thrown<hg::FormatError>([&] {
                   hg::write_idx(folder / "b.gz", {{1}, std::vector<float>(1)});
                 }),
                 {"zlib"}));
}

#endif
