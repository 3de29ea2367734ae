#include "hourglass/io/safetensors_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hourglass/core/rng.hpp"
#include "io/files.hpp"
#include "io/tensors.hpp"

namespace fs = std::filesystem;
namespace hg = hourglass;
using namespace hourglass_test;

namespace {

// Writes `content` and gives what SafetensorsFile says about it, without the path.
std::string error_for(const std::string& content) {
  static const fs::path folder = fresh_folder("safetensors_file");
  const fs::path path = folder / "bad.safetensors";
  fs::remove(path);  // some file systems flush a file that is truncated and written again, which is slow
  write_text(path, content);
  const std::string error = error_of([&] { hg::SafetensorsFile{path}; });
  if (error.empty()) return "";
  REQUIRE(error.starts_with(path.string() + ": "));
  return error.substr(path.string().size() + 2);
}

std::string error_for(std::string_view header, std::string_view data) {
  return error_for(safetensors_bytes(header, data));
}

const std::string four(4, '\1');
const std::string eight(8, '\1');

}  // namespace

TEST_CASE("a file gives its tensors by name") {
  const fs::path path = fresh_folder("safetensors_read") / "a.safetensors";
  // Out of order, padded, with an escape in a name, an unknown field, a scalar and an empty tensor.
  write_text(path,
             safetensors_bytes(R"({"b\"\u00e4":{"shape":[2],"dtype":"F32","data_offsets":[8,16]},)"
                               R"("a":{"dtype":"I64","shape":[],"data_offsets":[0,8],"new":{"x":[1,{}],"y":null}},)"
                               R"("none":{"dtype":"F16","shape":[0,7],"data_offsets":[8,8],"z":[[]]},)"
                               R"("__metadata__":{"format":"pt","note":"x"}}     )",
                               little_endian<std::int64_t>(-3) + little_endian(1.5F) + little_endian(-2.0F)));
  const hg::SafetensorsFile file{path};
  CHECK(file.path() == path.string());
  CHECK(file.names() == std::vector<std::string>{"a", "none", "b\"\u00e4"});
  CHECK(file.metadata().size() == 2);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.contains("a"));
  CHECK_FALSE(file.contains("c"));

  const auto a = file.tensor("a");
  CHECK(a.entry.dtype == "I64");
  CHECK(a.entry.shape.empty());
  CHECK(a.entry.shape_string() == "()");
  CHECK(hg::detail::value_at<std::int64_t>(a.bytes.data()) == -3);
  CHECK_FALSE(a.is_real());
  CHECK(error_of([&] { a.for_each_value([](auto) {}); }) ==
        "tensor \"a\": dtype I64 holds no real numbers; F64, F32, F16 and BF16 do");

  const auto b = file.tensor("b\"\u00e4");
  CHECK(b.entry.shape_string() == "(2)");
  std::vector<float> values;
  b.for_each_value([&](auto value) { values.push_back(static_cast<float>(value)); });
  CHECK(values == std::vector<float>{1.5F, -2.0F});
  CHECK(file.tensor("none").bytes.empty());
  CHECK(error_of([&] { (void)file.tensor("c"); }) ==
        path.string() + ": has no tensor \"c\"; names() lists those it has");
}

TEST_CASE("files without tensors and null metadata are sound, as for the reference reader") {
  CHECK(error_for("{}", "") == "");
  CHECK(error_for(R"({"__metadata__":null})", "") == "");
  CHECK(error_for(R"({"__metadata__":{}})", "") == "");
  for (const auto& [name, bits] : hg::safetensors_types)
    CHECK(error_for(R"({"a":{"dtype":")" + std::string{name} + R"(","shape":[2,4],"data_offsets":[0,)" +
                        std::to_string(bits) + "]}}",
                    std::string(bits, 'x')) == "");
}

TEST_CASE("every damage has an error of its own") {
  const std::string good = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  CHECK(error_for(good, four) == "");

  const std::vector<std::pair<std::string, std::string>> cases{
      {error_for(""), "has 0 bytes, the length of a safetensors header alone takes 8; this is none"},
      {error_for(std::string(7, '{')), "has 7 bytes, the length of a safetensors header alone takes 8; this is none"},
      {error_for(little_endian<std::uint64_t>(100'000'001) + good),
       "the header would have 100000001 bytes, at most 100000000 are allowed; this is no safetensors file"},
      {error_for(little_endian<std::uint64_t>(std::numeric_limits<std::uint64_t>::max()) + good),
       "the header would have 18446744073709551615 bytes, at most 100000000 are allowed; this is no safetensors file"},
      {error_for(little_endian<std::uint64_t>(99'999'999) + good),
       "the header would have 99999999 bytes, only 54 follow its length; the file is cut short, copy or download it "
       "again"},
      {error_for("", ""), "the header does not start with '{'; this is no safetensors file"},
      {error_for(" " + good, four), "the header does not start with '{'; this is no safetensors file"},
      {error_for(R"({"\xff":1})", ""), "the header is not valid JSON at its byte 3: an escape is expected"},
      {error_for("{\"\xff\":1}", ""), "the header is not UTF-8 at offset 10; the file is damaged"},
      {error_for("{\"a\":", ""), "the header is not valid JSON at its byte 5: a value is expected"},
      {error_for(good + "x", four), "the header is not valid JSON at its byte 54: the end is expected"},
      {error_for("{\"a\":" + std::string(100'000, '7'), ""), "tensor \"a\" is a number"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],)"
                 R"("data_offsets":[0,4]}})",
                 four),
       "the key \"a\" appears twice; save the file again"},
      {error_for(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", four),
       "tensor \"a\": \"dtype\" appears twice; save the file again"},
      {error_for(R"({"__metadata__":{"k":"1","k":"2"}})", ""),
       "__metadata__ has the key \"k\" twice; save the file again"},
      {error_for(R"({"__metadata__":{},"__metadata__":{}})", ""),
       "the key \"__metadata__\" appears twice; save the file again"},
      {error_for(R"({"__metadata__":{"k":1}})", ""), "__metadata__ maps strings to strings, but \"k\" is a number"},
      {error_for(R"({"__metadata__":[]})", ""), "__metadata__ is an array instead of an object"},
      {error_for(R"({"a":1})", ""),
       "tensor \"a\" is a number instead of an object with dtype, shape and data_offsets; save the file again"},
      {error_for(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", four), "tensor \"a\": \"dtype\" is missing"},
      {error_for(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", four), "tensor \"a\": \"shape\" is missing"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1]}})", four), "tensor \"a\": \"data_offsets\" is missing"},
      {error_for(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})", four),
       "tensor \"a\": \"dtype\" holds a number instead of a string"},
      {error_for(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four),
       "tensor \"a\": \"shape\" holds a negative number instead of integers from 0 to 2^64 - 1"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", four),
       "tensor \"a\": \"shape\" holds a fraction or a number above 2^64 - 1"},
      {error_for(R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}})", four),
       "tensor \"a\": \"shape\" holds a fraction or a number above 2^64 - 1"},
      {error_for(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", four),
       "tensor \"a\": \"shape\" holds an array"},
      {error_for(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", four),
       "tensor \"a\": \"shape\" holds a number"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", four),
       "tensor \"a\": data_offsets has 1 numbers instead of 2"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", four),
       "tensor \"a\": data_offsets has 3 numbers instead of 2"},
      {error_for(R"({"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}})", four),
       "tensor \"a\" has the unknown dtype \"F33\"; convert it to F32 where the file was made"},
      {error_for(R"({"a":{"dtype":"F32","shape":[2,18446744073709551614],"data_offsets":[0,4]}})", four),
       "tensor \"a\" of dtype F32 and shape (2, 18446744073709551614) has more than 2^64 bits; the file is damaged"},
      {error_for(R"({"a":{"dtype":"F32","shape":[2,9223372036854775807],"data_offsets":[0,4]}})", four),
       "tensor \"a\" of dtype F32 and shape (2, 9223372036854775807) has more than 2^64 bits; the file is damaged"},
      {error_for(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", "xx"),
       "tensor \"a\" of dtype F4 and shape (3) does not fill its last byte; the file is damaged"},
      {error_for(R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}})", four),
       "tensor \"a\" of dtype F64 and shape (1) needs 8 bytes, its data_offsets hold 4; the file is damaged"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", four),
       "tensor \"a\" ends at offset 0, before it begins at 4; the file is damaged"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],)"
                 R"("data_offsets":[2,6]}})",
                 four + "xx"),
       "tensor \"b\" begins at offset 2 and overlaps the tensor that ends at 4; the file is damaged"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],)"
                 R"("data_offsets":[5,9]}})",
                 eight + "x"),
       "tensor \"b\" begins at offset 5, after a hole from 4; the file is damaged"},
      {error_for(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", eight),
       "tensor \"a\" begins at offset 4, after a hole from 0; the file is damaged"},
      {error_for(good, "xx"),
       "the tensors need 4 bytes of data, the file has 2, 2 are missing; copy or download it again"},
      {error_for(good, four + "xyz"),
       "3 trailing bytes follow the 4 bytes of the tensors; copy or download the file again"},
  };
  std::set<std::string> messages;
  for (const auto& [error, expected] : cases) {
    CHECK(error.substr(0, expected.size()) == expected);
    CHECK(error.size() < 500);
    messages.insert(error);
  }
  // Three pairs read the same: no header and a blank before it, a fraction and a number that is too large, two values
  // that are numbers instead of tensors.
  CHECK(messages.size() == cases.size() - 3);
}

TEST_CASE("every truncation and every extension of a sound file is refused") {
  const std::string whole = safetensors_bytes(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}})",
      eight + "x");
  REQUIRE(error_for(whole) == "");
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(error_for(whole.substr(0, size)) != "");
  CHECK(error_for(whole + "y") != "");
}

TEST_CASE("random damage is refused or read, and never anything else") {
  const std::string whole = safetensors_bytes(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[1],)"
      R"("data_offsets":[8,9],"x":[{}]}})",
      eight + "x");
  hg::Rng rng{5};
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string damaged = whole;
    for (std::int64_t n = 1 + rng.below(3); n > 0; --n)
      damaged[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(whole.size())))] =
          static_cast<char>(rng.below(256));
    refused += error_for(damaged) != "";
  }
  CHECK(refused > 1000);
}

TEST_CASE("nothing is allocated that the file does not hold") {
  // 1 TiB of holes: reading or allocating before the checks would fail otherwise than with these messages.
  const fs::path path = fresh_folder("sparse") / "huge.safetensors";
  const std::string good = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  write_text(path, safetensors_bytes(good, four));
  const std::uint64_t size = std::uint64_t{1} << 40;
  std::error_code error;
  fs::resize_file(path, size, error);
  if (error) {
    MESSAGE("the file system makes no sparse files of 1 TiB");
  } else {
    CHECK(error_of([&] { hg::SafetensorsFile{path}; }) ==
          path.string() + ": " + std::to_string(size - 8 - good.size() - 4) +
              " trailing bytes follow the 4 bytes of the tensors; copy or download the file again");
  }
  fs::remove(path);
  const std::string claim = R"({"a":{"dtype":"F32","shape":[274877906944],"data_offsets":[0,1099511627776]}})";
  CHECK(error_for(claim, four) ==
        "the tensors need 1099511627776 bytes of data, the file has 4, 1099511627772 are missing; copy or download it "
        "again");
}

TEST_CASE("missing files and folders are named") {
  const fs::path folder = fresh_folder("safetensors_missing");
  CHECK(error_of([&] { hg::SafetensorsFile{folder / "a"}; }) ==
        (folder / "a").string() + ": no such file; check the path");
  CHECK(error_of([&] { hg::SafetensorsFile{folder}; }) ==
        folder.string() + ": is a folder; give the name of a .safetensors file");
}

TEST_CASE("all 65536 halves convert exactly") {
  for (std::uint32_t h = 0; h < 65536; ++h) {
    const auto half = static_cast<std::uint16_t>(h);
    const int exponent = static_cast<int>(h >> 10 & 31U);
    const auto mantissa = static_cast<double>(h & 1023U);
    double expected = exponent == 31  ? (mantissa == 0 ? INFINITY : NAN)
                      : exponent == 0 ? std::ldexp(mantissa, -24)
                                      : std::ldexp(1024 + mantissa, exponent - 25);
    if (h >> 15 != 0) expected = -expected;
    const float actual = hg::detail::float_from_half(half);
    if (std::isnan(expected)) {
      REQUIRE(std::isnan(actual));
    } else {
      REQUIRE(actual == static_cast<float>(expected));
      REQUIRE(std::signbit(actual) == std::signbit(expected));
    }
  }
  CHECK(hg::detail::float_from_bfloat(0x3FC0) == 1.5F);
  CHECK(hg::detail::float_from_bfloat(0xC000) == -2.0F);
}
