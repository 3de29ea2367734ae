#include "hourglass/io/safetensors.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "hourglass/core/rng.hpp"
#include "io/files.hpp"
#include "io/tensors.hpp"

namespace fs = std::filesystem;
namespace hg = hourglass;
using namespace hourglass_test;

namespace {

// encoder.0 (4 -> 3), encoder.2 (3 -> 4 = 2 x 2), decoder.0 (2 -> 3), decoder.2 (3 -> 4)
template <class Scalar = float>
Coder<Scalar> coder() {
  return {{{{4, 3}, {3, 4}}}, {{{2, 3}, {3, 4}}}};
}

template <class Scalar>
Bag<Scalar> random_bag(hg::Rng& rng) {
  Bag<Scalar> bag;
  for (hg::Index n = rng.below(25); n > 0; --n) {
    const auto size = [&] { return 1 + rng.below(9); };
    switch (rng.below(5)) {
      case 0:
        bag.parts.emplace_back(hg::Shape{size()});
        break;
      case 1:
        bag.parts.emplace_back(hg::Shape{size(), size()});
        break;
      case 2:
        bag.parts.emplace_back(hg::Shape{size(), size()}, hg::StorageOrder::column_major);
        break;
      case 3:
        bag.parts.emplace_back(hg::Shape{size(), size(), size()});
        break;
      default:
        bag.parts.emplace_back(hg::Shape{size(), size(), size(), size()});
    }
  }
  return bag;
}

template <class Scalar>
Bag<Scalar> zeros_like(const Bag<Scalar>& bag) {
  Bag<Scalar> zeros;
  for (const auto& part : bag.parts) zeros.parts.emplace_back(part.shape(), part.order());
  return zeros;
}

template <class Scalar>
void round_trips() {
  const fs::path path = fresh_folder("round_trips") / "a.safetensors";
  hg::Rng rng{11};
  std::size_t shapes = 0;
  for (int files = 0; files < 120; ++files) {  // few files: each one is brought to the disk
    Bag<Scalar> bag = random_bag<Scalar>(rng);
    scramble(bag, rng);
    hg::save(bag, path);
    Bag<Scalar> loaded = zeros_like(bag);
    hg::load(loaded, path);
    REQUIRE(bits_of(loaded) == bits_of(bag));
    REQUIRE(fs::file_size(path) % alignof(Scalar) == 0);
    shapes += bag.parts.size();
  }
  CHECK(shapes >= 1000);
}

}  // namespace

TEST_CASE("more than 1000 random float tensors come back bit for bit") { round_trips<float>(); }
TEST_CASE("more than 1000 random double tensors come back bit for bit") { round_trips<double>(); }

TEST_CASE("names and layouts are PyTorch's") {
  const fs::path path = fresh_folder("pytorch") / "a.safetensors";
  Coder<> model = coder();
  model.encoder.layers[0].weight.data()[1] = 5.0F;  // column-major (3, 4): row 1, column 0
  hg::save(model, path);
  const hg::SafetensorsFile file{path};
  CHECK(file.names() == std::vector<std::string>{"encoder.0.weight", "encoder.0.bias", "encoder.2.weight",
                                                 "encoder.2.bias", "decoder.0.weight", "decoder.0.bias",
                                                 "decoder.2.weight", "decoder.2.bias"});
  CHECK(file.metadata().at("format") == "pt");
  const auto weight = file.tensor("encoder.0.weight");
  CHECK(weight.entry.shape == std::vector<std::uint64_t>{3, 4});
  CHECK(weight.entry.dtype == "F32");
  CHECK(hg::detail::value_at<float>(weight.bytes.data() + 4 * sizeof(float)) == 5.0F);
}

TEST_CASE("all real element types convert") {
  const fs::path path = fresh_folder("convert") / "a.safetensors";
  const double tenth = 0.1;
  write_text(path, safetensors_bytes(R"({"0":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                                     R"("1":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                                     R"("2":{"dtype":"F16","shape":[1],"data_offsets":[12,14]},)"
                                     R"("3":{"dtype":"BF16","shape":[1],"data_offsets":[14,16]}})",
                                     little_endian(tenth) + little_endian(0.1F) + little_endian<std::uint16_t>(0x2E66) +
                                         little_endian<std::uint16_t>(0x3DCD)));
  Bag<float> narrow;
  Bag<double> wide;
  for (int i = 0; i < 4; ++i) {
    narrow.parts.emplace_back(hg::Shape{1});
    wide.parts.emplace_back(hg::Shape{1});
  }
  hg::load(narrow, path);
  CHECK(narrow.parts[0].data()[0] == 0.1F);
  CHECK(narrow.parts[1].data()[0] == 0.1F);
  CHECK(narrow.parts[2].data()[0] == 0.0999755859375F);
  CHECK(narrow.parts[3].data()[0] == 0.10009765625F);
  hg::load(wide, path);
  CHECK(wide.parts[0].data()[0] == tenth);
  CHECK(wide.parts[1].data()[0] == static_cast<double>(0.1F));
  CHECK(wide.parts[2].data()[0] == 0.0999755859375);
  CHECK(wide.parts[3].data()[0] == 0.10009765625);
}

TEST_CASE("whatever does not fit is listed in one message, and the model stays as it was") {
  const fs::path path = fresh_folder("strict") / "a.safetensors";
  hg::Rng rng{3};
  Coder<> model = coder();
  scramble(model, rng);
  const std::string before = bits_of(model);
  const auto check = [&](const std::string& expected, const hg::NameMap& names = {}) {
    CHECK(error_of([&] { hg::load(model, path, names); }) ==
          path.string() + ": does not fit the model, which is unchanged; " + expected +
              "; build the model that was saved, or map the names with a NameMap");
    CHECK(bits_of(model) == before);
  };

  // Another width: the first tensors fit, so a loader that copies as it goes would have changed the model.
  hg::save(Coder<>{{{{4, 3}, {3, 4}}}, {{{2, 5}, {5, 4}}}}, path);
  check(
      "different: decoder.0.weight is (3, 2) in the model and (5, 2) in the file, decoder.0.bias is (3) in the model "
      "and (5) in the file, decoder.2.weight is (4, 3) in the model and (4, 5) in the file");

  hg::save(Coder<>{{{{4, 3}, {3, 4}}}, {{{2, 3}}}}, path);
  check("missing from the file: decoder.2.weight (4, 3), decoder.2.bias (4)");

  hg::save(Coder<>{{{{4, 3}, {3, 4}, {4, 1}}}, {{{2, 3}, {3, 4}}}}, path);
  check("unexpected in the file: encoder.4.weight (1, 4), encoder.4.bias (1)");

  // Swapped axes hold as many values, and are different all the same.
  hg::save(Coder<>{{{{3, 4}, {3, 4}, {2, 2}}}, {{{2, 3}}}}, path);
  check(
      "missing from the file: decoder.2.weight (4, 3), decoder.2.bias (4); unexpected in the file: encoder.4.weight "
      "(2, 2), encoder.4.bias (2); different: encoder.0.weight is (3, 4) in the model and (4, 3) in the file, "
      "encoder.0.bias is (3) in the model and (4) in the file");

  hg::save(coder(), path);
  check("name map entries without a parameter: \"encoder.4\"", {{"encoder.4", {"fc"}}});

  Bag<float> one;
  one.parts.emplace_back(hg::Shape{1});
  const auto refused = [&](const std::string& header, std::size_t bytes) {
    write_text(path, safetensors_bytes(header, std::string(bytes, '\0')));
    const std::string error = error_of([&] { hg::load(one, path); });
    return error.substr(std::min(error.size(), path.string().size()));
  };
  CHECK(refused(R"({"0":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})", 4) ==
        ": does not fit the model, which is unchanged; different: 0 is (1) in the model and (1) of dtype I32 in the "
        "file; build the model that was saved, or map the names with a NameMap");
  CHECK(
      refused(R"({"0":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4).find("0 is (1) in the model and () in") !=
      std::string::npos);
  CHECK(refused(R"({"0":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})", 4)
            .find("0 is (1) in the model and (1, 1) in") != std::string::npos);
  CHECK(refused(R"({"0":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", 0)
            .find("0 is (1) in the model and (0) in") != std::string::npos);
}

TEST_CASE("buffers come back with their types, and a counter is an integer of no axis") {
  struct Normal {
    hg::Parameter<float> weight{hg::Shape{2}};
    hg::Buffer<float> running_mean{hg::Shape{2}, 0.25F};
    hg::Buffer<std::int64_t> num_batches_tracked{hg::Shape{}, (std::int64_t{1} << 60) + 1};
    hg::Parameter<float> bias;
    static constexpr auto fields() {
      return std::tuple{hg::Field{"weight", &Normal::weight}, hg::Field{"running_mean", &Normal::running_mean},
                        hg::Field{"num_batches_tracked", &Normal::num_batches_tracked},
                        hg::Field{"bias", &Normal::bias}};
    }
  };
  const fs::path path = fresh_folder("buffers") / "a.safetensors";
  const Normal saved;
  hg::save(saved, path);
  const hg::SafetensorsFile file{path};
  CHECK(file.names() == std::vector<std::string>{"num_batches_tracked", "weight", "running_mean"});
  CHECK(file.tensor("num_batches_tracked").entry.dtype == "I64");
  CHECK(file.tensor("num_batches_tracked").entry.shape.empty());
  Normal loaded;
  loaded.running_mean.data()[1] = 0;
  loaded.num_batches_tracked.data()[0] = 0;
  hg::load(loaded, path);
  CHECK(loaded.running_mean.data()[1] == 0.25F);
  CHECK(loaded.num_batches_tracked.data()[0] == (std::int64_t{1} << 60) + 1);

  // Neither a real number for the counter, nor integers for the others, nor a counter of one axis or two parts.
  write_text(path, safetensors_bytes(R"({"num_batches_tracked":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
                                     R"("weight":{"dtype":"I64","shape":[2],"data_offsets":[8,24]},)"
                                     R"("running_mean":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})",
                                     std::string(32, '\0')));
  CHECK(
      error_of([&] { hg::load(loaded, path); })
          .find("different: weight is (2) in the model and (2) of dtype I64 in the file, num_batches_tracked is () in "
                "the model and () of dtype F64 in the file") != std::string::npos);
  CHECK(error_of([&] {
          hg::load(loaded, path, {{"num_batches_tracked", {"num_batches_tracked", "weight"}}});
        }).find("num_batches_tracked is () in the model and () of dtype F64 over weight (2) in the file") !=
        std::string::npos);
  write_text(path, safetensors_bytes(R"({"num_batches_tracked":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                                     R"("weight":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
                                     R"("running_mean":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}})",
                                     std::string(24, '\0')));
  CHECK(error_of([&] { hg::load(loaded, path); }).find("num_batches_tracked is () in the model and (1) in the file") !=
        std::string::npos);
  CHECK(loaded.running_mean.data()[0] == 0.25F);
  CHECK(error_of([&] { file.tensor("weight").for_each_integer([](auto) {}); }) ==
        "tensor \"weight\": dtype F32 where integers are expected; convert it to I64");
}

TEST_CASE("a list of differences does not grow without bound") {
  const fs::path path = fresh_folder("many") / "a.safetensors";
  Bag<float> many;
  for (int i = 0; i < 1000; ++i) many.parts.emplace_back(hg::Shape{1});
  hg::save(many, path);
  Bag<float> none;
  const std::string error = error_of([&] { hg::load(none, path); });
  CHECK(error.find("11 (1) and 988 more; build") != std::string::npos);
}

TEST_CASE("a model without parameters makes a file without tensors") {
  const fs::path path = fresh_folder("nothing") / "a.safetensors";
  Bag<float> none;
  hg::save(none, path);
  hg::load(none, path);
  CHECK(hg::SafetensorsFile{path}.names().empty());
}

TEST_CASE("two heads of a tutorial's file become one layer") {
  const fs::path path = fresh_folder("two_heads") / "a.safetensors";
  struct Tutorial {
    Dense<> fc1{4, 3}, fc21{3, 2}, fc22{3, 2}, fc3{2, 3}, fc4{3, 4};
    static constexpr auto fields() {
      return std::tuple{hg::Field{"fc1", &Tutorial::fc1}, hg::Field{"fc21", &Tutorial::fc21},
                        hg::Field{"fc22", &Tutorial::fc22}, hg::Field{"fc3", &Tutorial::fc3},
                        hg::Field{"fc4", &Tutorial::fc4}};
    }
  };
  hg::Rng rng{4};
  Tutorial tutorial;
  scramble(tutorial, rng);
  hg::save(tutorial, path);

  Coder<> model = coder();
  hg::load(model, path,
           {{"encoder.0", {"fc1"}}, {"encoder.2", {"fc21", "fc22"}}, {"decoder.0", {"fc3"}}, {"decoder.2", {"fc4"}}});
  const auto same = [](float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); };
  const auto& heads = model.encoder.layers[1];
  for (hg::Index row = 0; row < 4; ++row) {
    const Dense<>& head = row < 2 ? tutorial.fc21 : tutorial.fc22;
    CHECK(same(heads.bias.data()[row], head.bias.data()[row % 2]));
    for (hg::Index col = 0; col < 3; ++col)
      CHECK(same(heads.weight.data()[heads.weight.offset_of_row_major(row * 3 + col)],
                 head.weight.data()[head.weight.offset_of_row_major(row % 2 * 3 + col)]));
  }
  CHECK(bits_of(model.encoder.layers[0]) == bits_of(tutorial.fc1));
  CHECK(bits_of(model.decoder.layers[0]) == bits_of(tutorial.fc3));
  CHECK(bits_of(model.decoder.layers[1]) == bits_of(tutorial.fc4));

  SUBCASE("two_heads writes that map for the common form") {
    struct Common {
      Stack<> encoder{{{4, 3}}};
      Dense<> fc_mu{3, 2}, fc_logvar{3, 2};
      Stack<> decoder{{{2, 3}, {3, 4}}};
      static constexpr auto fields() {
        return std::tuple{hg::Field{"encoder", &Common::encoder}, hg::Field{"fc_mu", &Common::fc_mu},
                          hg::Field{"fc_logvar", &Common::fc_logvar}, hg::Field{"decoder", &Common::decoder}};
      }
    };
    Common common{{{tutorial.fc1}}, tutorial.fc21, tutorial.fc22, {{tutorial.fc3, tutorial.fc4}}};
    hg::save(common, path);
    Coder<> other = coder();
    hg::load(other, path, hg::two_heads(other));
    CHECK(bits_of(other) == bits_of(model));
  }
  SUBCASE("heads of unequal or wrong width are refused") {
    tutorial.fc22 = Dense<>{3, 3};
    hg::save(tutorial, path);
    const std::string error = error_of([&] {
      hg::load(
          model, path,
          {{"encoder.0", {"fc1"}}, {"encoder.2", {"fc21", "fc22"}}, {"decoder.0", {"fc3"}}, {"decoder.2", {"fc4"}}});
    });
    CHECK(
        error.find("different: encoder.2.weight is (4, 3) in the model and fc21.weight (2, 3) over fc22.weight (3, 3) "
                   "in the file, encoder.2.bias is (4) in the model and fc21.bias (2) over fc22.bias (3) in the "
                   "file") != std::string::npos);
  }
  SUBCASE("a missing head is named") {
    const std::string error = error_of([&] {
      hg::load(model, path,
               {{"encoder.0", {"fc1"}},
                {"encoder.2", {"fc21", "fc_logvar"}},
                {"decoder.0", {"fc3"}},
                {"decoder.2", {"fc4"}}});
    });
    CHECK(error.find("missing from the file: fc_logvar.weight (for encoder.2.weight (4, 3)), fc_logvar.bias (for "
                     "encoder.2.bias (4)); unexpected in the file: fc22.weight (2, 3), fc22.bias (2);") !=
          std::string::npos);
  }
}

TEST_CASE("a failing save leaves the old model, and a damaged file the model in memory") {
  const fs::path folder = fresh_folder("failing");
  hg::Rng rng{9};
  Coder<> model = coder();
  scramble(model, rng);
  hg::save(model, folder / "a.safetensors");
  CHECK(error_of([&] {
          hg::save(model, folder / "absent" / "a.safetensors");
        }).find("does not exist; create it first") != std::string::npos);

  const std::string before = bits_of(model);
  const std::string whole = read_text(folder / "a.safetensors");
  write_text(folder / "cut.safetensors", whole.substr(0, whole.size() - 2));
  CHECK(error_of([&] { hg::load(model, folder / "cut.safetensors"); }).find(", 2 are missing; ") != std::string::npos);
  CHECK(bits_of(model) == before);
}
