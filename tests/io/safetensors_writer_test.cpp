#include "hourglass/io/safetensors_writer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hourglass/io/safetensors_file.hpp"
#include "io/files.hpp"
#include "io/tensors.hpp"

namespace fs = std::filesystem;
namespace hg = hourglass;
using namespace hourglass_test;

TEST_CASE("a file is, byte for byte, what one writes by hand") {
  const fs::path path = fresh_folder("writer") / "a.safetensors";
  hg::Parameter<float> weight({2, 3}, hg::StorageOrder::column_major);
  for (hg::Index i = 0; i < 6; ++i) weight.data()[weight.offset_of_row_major(i)] = static_cast<float>(i);
  REQUIRE(weight.data()[1] == 3.0F);  // really column-major
  const std::vector<float> scalar{7.0F};
  const std::vector<double> wide{0.5, -0.5};

  hg::SafetensorsWriter writer;
  writer.add("weight", weight);
  writer.add<float>("step", {}, scalar);
  writer.add<double>("wide", {2, 1}, wide);
  writer.write(path);

  std::string data;
  for (const double value : wide) data += little_endian(value);  // wide elements first
  for (int i = 0; i < 6; ++i) data += little_endian(static_cast<float>(i));
  data += little_endian(7.0F);
  std::string header = R"({"__metadata__":{"format":"pt"},)"
                       R"("wide":{"dtype":"F64","shape":[2,1],"data_offsets":[0,16]},)"
                       R"("weight":{"dtype":"F32","shape":[2,3],"data_offsets":[16,40]},)"
                       R"("step":{"dtype":"F32","shape":[],"data_offsets":[40,44]}})";
  const std::size_t unpadded = header.size();
  while (header.size() % 8 != 0) header += ' ';
  CHECK(header.size() > unpadded);
  CHECK(read_text(path) == safetensors_bytes(header, data));
}

TEST_CASE("names and metadata of any text come back") {
  const fs::path path = fresh_folder("writer_names") / "a.safetensors";
  std::string name = "quote\" backslash\\ umlaut\u00e4 newline\n ";
  name += '\0';
  name += '\x1f';
  const std::vector<float> values{1.0F};
  hg::SafetensorsWriter writer;
  writer.add<float>(name, {1}, values);
  writer.set_metadata(name, name);
  writer.write(path);
  const hg::SafetensorsFile file{path};
  CHECK(file.names() == std::vector<std::string>{name});
  CHECK(file.metadata().at(name) == name);
  CHECK(file.metadata().at("format") == "pt");
}

TEST_CASE("wrong counts and names used twice are refused") {
  hg::SafetensorsWriter writer;
  const std::vector<float> values{1.0F, 2.0F};
  CHECK(error_of<hg::ShapeError>([&] { writer.add<float>("a", {3}, values); }) ==
        "SafetensorsWriter: tensor \"a\" has 2 values, its shape 3");
  writer.add<float>("a", {2}, values);
  CHECK(error_of([&] { writer.add<float>("a", {2}, values); }) ==
        "SafetensorsWriter: the name \"a\" is taken; each tensor has its own");
  CHECK(error_of([&] { writer.add<float>("__metadata__", {2}, values); }) != "");
}
