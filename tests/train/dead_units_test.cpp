#include "hourglass/train/dead_units.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "hourglass/core/simd.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/tied_autoencoder.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/mlp.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/topk.hpp"

namespace hg = hourglass;

namespace {

std::vector<std::string> names(const std::vector<hg::DeadUnits>& layers) {
  std::vector<std::string> result;
  for (const auto& layer : layers) result.push_back(layer.layer);
  return result;
}

}  // namespace

TEST_CASE("units that are zero for all samples") {
  // Unit 0 fires for the first sample only, unit 1 for none, unit 2 for all but the first.
  hg::Autoencoder model{hg::Sequential{hg::Linear{1, 3}, hg::ReLU{}},
                        hg::Sequential{hg::Linear{3, 4}, hg::ReLU{}, hg::Linear{4, 1}, hg::Sigmoid{}}};
  auto& layer = model.encoder().layer<0>();
  layer.weight().col(0) << -1, 0, 1;
  layer.bias() << 0.5f, -1, -0.5f;
  const hg::Matrix<float> x{{0}, {1}, {1}, {1}, {1}};
  for (const hg::Index batch : {1, 2, 5, 100}) {
    CAPTURE(batch);
    const auto layers = hg::dead_units(model, x, batch);
    CHECK(names(layers) == std::vector<std::string>{"encoder.1", "decoder.1"});
    CHECK(layers.at(0).units == 3);
    CHECK(layers.at(0).dead == 1);
    CHECK(layers.at(0).fraction() == doctest::Approx(1.0 / 3));
    CHECK(layers.at(1).fraction() == 1);  // of zero weights
  }
  CHECK(hg::dead_units(model, x.topRows(1)).at(0).dead == 2);
  const hg::Matrix<float> empty(0, 1);
  const hg::Matrix<float> wide(3, 2);
  CHECK_THROWS_AS((void)hg::dead_units(model, empty), hg::DataError);
  CHECK_THROWS_AS((void)hg::dead_units(model, wide), hg::ShapeError);
}

TEST_CASE("units that are never among the k largest") {
  hg::Autoencoder model{hg::Sequential{hg::Linear{2, 3}, hg::TopK{1}}, hg::Sequential{hg::Linear{3, 2}}};
  model.encoder().layer<0>().weight() << 1, 0, 0, 1, 0.5f, 0.5f;
  const hg::Matrix<float> x{{2, 0}, {0, 1}, {1, 0}};
  const auto layers = hg::dead_units(model, x);
  CHECK(names(layers) == std::vector<std::string>{"encoder.1"});
  CHECK(layers.at(0).dead == 1);
  CHECK(hg::dead_units(model, x.topRows(1)).at(0).dead == 2);
  model.encoder().layer<1>() = hg::TopK{1, 2};  // in inference the 2 largest
  CHECK(hg::dead_units(model, x).at(0).dead == 0);
}

namespace {

/// max(x - 1, 0): not a layer of the library.
struct Shifted {
  static constexpr std::string_view name = "Shifted";
  static constexpr bool derivative_from_output = true;
  static constexpr bool silences_units = true;
  HOURGLASS_SIMD(V value(V x) const, { return select(x < V(1), V(0), x - V(1)); })
  HOURGLASS_SIMD(V derivative(V, V y) const, { return select(y > V(0), V(1), V(0)); })
};

}  // namespace

TEST_CASE("a layer of one's own takes part") {
  hg::Sequential model{hg::Linear{1, 2}, Shifted{}, hg::Linear{2, 1}};
  model.layer<0>().weight().col(0) << 2, 0.5f;
  const hg::Matrix<float> x{{1}, {0.5f}};
  const auto layers = hg::dead_units(model, x);
  CHECK(names(layers) == std::vector<std::string>{"1"});
  CHECK(layers.at(0).dead == 1);
}

TEST_CASE("in every kind of network that keeps its activations") {
  const hg::Matrix<float> x{{1, 1}};
  hg::Sequential nested{hg::Linear{2, 3}, hg::Sequential{hg::ReLU{}, hg::Linear{3, 2}}, hg::Sigmoid{}};
  nested.layer<0>().bias() << 1, -1, 1;
  CHECK(names(hg::dead_units(nested, x)) == std::vector<std::string>{"1.0"});
  CHECK(hg::dead_units(nested, x).at(0).dead == 1);
  hg::TiedAutoencoder tied{hg::Mlp<hg::ReLU, hg::ReLU>{{2, 4, 3}}};
  tied.encoder().linear(1).bias() << 1, 1, -1;
  tied.decoder().layer(0).bias() << 1, -1, 1, 1;
  const auto layers = hg::dead_units(tied, x);
  CHECK(names(layers) == std::vector<std::string>{"encoder.1", "encoder.3", "decoder.1"});
  CHECK(layers.at(0).dead == 4);
  CHECK(layers.at(1).dead == 1);
  CHECK(layers.at(2).dead == 1);
  CHECK(hg::dead_units(hg::Sequential{hg::Linear{2, 3}, hg::Sigmoid{}}, x).empty());
}
