// Transfer: a part of a saved model alone, and what is built on top of it.
#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "hourglass/data/images.hpp"
#include "hourglass/io/safetensors.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"

namespace hg = hourglass;

namespace {

const std::string path = HOURGLASS_TEST_OUTPUT_DIR "/whole_autoencoder.safetensors";

auto encoder_of(hg::Index code = 2) { return hg::Sequential{hg::Linear{6, 4}, hg::ReLU{}, hg::Linear{4, code}}; }

auto saved_autoencoder() {
  hg::Autoencoder model{encoder_of(), hg::Sequential{hg::Linear{2, 6}}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  hg::save(model, path);
  return model;
}

template <class Module>
std::vector<std::string> names(const Module& module) {
  std::vector<std::string> all;
  hg::for_each_parameter(module, [&](const hg::ParameterName& name, const auto&) { all.push_back(name.str()); });
  return all;
}

}  // namespace

TEST_CASE("an encoder is loaded from the file of a whole autoencoder") {
  const auto model = saved_autoencoder();
  auto encoder = encoder_of();
  hg::load_part(encoder, path, "encoder");
  CHECK(encoder.layer<0>().weight() == model.encoder().layer<0>().weight());
  CHECK(encoder.layer<2>().weight() == model.encoder().layer<2>().weight());
  CHECK(encoder.layer<2>().bias() == model.encoder().layer<2>().bias());
  hg::Linear layer{4, 2};
  hg::load_part(layer, path, "encoder.2");
  CHECK(layer.weight() == model.encoder().layer<2>().weight());
  auto whole = hg::Autoencoder{encoder_of(), hg::Sequential{hg::Linear{2, 6}}};
  hg::load_part(whole, path, "");
  CHECK(whole.decoder().layer<0>().weight() == model.decoder().layer<0>().weight());
}

TEST_CASE("a part is as strict as a whole about what lies under its prefix") {
  (void)saved_autoencoder();
  auto encoder = encoder_of();
  CHECK_THROWS_WITH_AS(hg::load_part(encoder, path, "encodr"),
                       doctest::Contains("missing from the file: encodr.0.weight (for 0.weight (4, 6))"),
                       hg::FormatError);
  auto wide = encoder_of(3);
  CHECK_THROWS_WITH_AS(hg::load_part(wide, path, "encoder"), doctest::Contains("2.weight is (3, 4) in the model"),
                       hg::FormatError);
  hg::Sequential first{hg::Linear{6, 4}};
  CHECK_THROWS_WITH_AS(hg::load_part(first, path, "encoder"), doctest::Contains("unexpected in the file: encoder.2"),
                       hg::FormatError);
  CHECK((first.layer<0>().weight().array() == 0).all());
  // The whole file does not fit an encoder, with or without a map: the decoder would be lost without a word.
  CHECK_THROWS_WITH_AS(hg::load(encoder, path, {{"", {"encoder"}}}), doctest::Contains("decoder.0.weight"),
                       hg::FormatError);
}

TEST_CASE("a head on a loaded encoder: names, outputs and files") {
  const auto pretrained = saved_autoencoder();
  hg::Sequential classifier{encoder_of(), hg::Linear{2, 3}};
  CHECK(names(classifier) ==
        std::vector<std::string>{"0.0.weight", "0.0.bias", "0.2.weight", "0.2.bias", "1.weight", "1.bias"});
  hg::load_part(classifier.layer<0>(), path, "encoder");
  hg::Rng rng{2};
  hg::initialize(classifier.layer<1>(), rng);
  hg::Matrix<float> x(5, 6);
  rng.fill_uniform(std::span<float>(x.data(), 30));
  const hg::Matrix<float> codes = pretrained.encode(x);
  const hg::Matrix<float> expected =
      (codes * classifier.layer<1>().weight().transpose()).rowwise() + classifier.layer<1>().bias().row(0);
  CHECK(classifier(x).isApprox(expected, 1e-5f));
  CHECK_THROWS_WITH_AS((hg::Sequential{encoder_of(), hg::Linear{4, 3}}),
                       doctest::Contains("layer 0.2 (Linear) gives 2 features, layer 1 (Linear) expects 4"),
                       hg::ShapeError);

  const std::string file = HOURGLASS_TEST_OUTPUT_DIR "/classifier.safetensors";
  hg::save(classifier, file);
  auto again = encoder_of();
  hg::load_part(again, file, "0");
  CHECK(again.layer<2>().weight() == pretrained.encoder().layer<2>().weight());
}

TEST_CASE("encode takes 8-bit images too") {
  const auto model = saved_autoencoder();
  const hg::Images images({0, 51, 255, 102, 3, 4, 9, 8, 7, 6, 5, 4}, 2, 2, 3);
  CHECK(model.encode(images) == model.encode(images.to_matrix<float>()));
}
