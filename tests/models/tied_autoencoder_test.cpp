#include "hourglass/models/tied_autoencoder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/io/safetensors.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/contractive_loss.hpp"
#include "hourglass/nn/gelu.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/mlp.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/adam.hpp"
#include "model_gradcheck.hpp"
#include "models/golden_model.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar>
hg::Matrix<Scalar> pixels(hg::Index rows, hg::Index cols) {
  hg::Matrix<Scalar> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

template <class Scalar>
auto tied(const std::vector<hg::Index>& widths) {
  return hg::TiedAutoencoder{hg::Mlp<hg::Tanh, hg::Sigmoid, Scalar>{widths}, hg::Sigmoid{}};
}

/// The biases of the decoder too.
template <class Model>
void fill(Model& model, hg::Rng& rng) {
  hg::for_each_parameter(model, [&](const auto&, auto& p) { rng.fill_normal(p.values()); });
}

}  // namespace

TEST_CASE("names, widths and parts") {
  auto model = tied<float>({6, 5, 3});
  hg::Rng rng{1};
  hg::initialize(model, rng);
  std::vector<std::string> names;
  hg::for_each_parameter(model, [&](const auto& name, auto&) { names.push_back(name.str()); });
  CHECK(names == std::vector<std::string>{"encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias",
                                          "decoder.0.bias", "decoder.2.bias"});
  CHECK(model.code_features() == 3);
  CHECK(model.out_features(6) == 6);
  CHECK(model.decoder().layer(0).bias().isZero());
  CHECK(!model.encoder().linear(1).bias().isZero());
  const auto x = pixels<float>(5, 6);
  const auto code = model.encode(x);
  const hg::Matrix<float> output = model.reconstruct(x);
  CHECK(code.cols() == 3);
  CHECK(model.decode(code) == output);
  hg::Workspace workspace{model, 5};
  CHECK(model.forward(x, workspace) == output);
  CHECK(model.encode(x, workspace) == code);
  CHECK(model.decode(code, workspace) == output);
  CHECK(workspace.bytes() > 0);
  CHECK_THROWS_WITH_AS((void)model.decode(x), doctest::Contains("the code has 6 features, the decoder expects 3"),
                       hg::ShapeError);
  CHECK_THROWS_AS((void)model.encode(code), hg::ShapeError);
}

TEST_CASE("PyTorch's output and gradients") {
  const Golden golden("autoencoders");
  auto model = tied<double>({6, 5, 3});
  load_golden(model, golden, "tied_f64");
  const auto x = golden.matrix<double>("x_f64");
  hg::Workspace workspace{model, x.rows()};
  const auto output = model.forward(x, workspace);
  CHECK(difference(output, golden.matrix<double>("tied_f64.output")) == "");
  CHECK(difference(model.encode(x), golden.matrix<double>("tied_f64.code")) == "");
  (void)model.forward(x, workspace);
  (void)hg::BCELoss{}(output, x, workspace);
  model.backward(x, workspace);
  CHECK(golden_gradients(model, workspace, golden, "tied_f64") == "");
}

TEST_CASE("an untied model with the transposed weights gives the same output, and gradients that add up") {
  auto model = tied<double>({7, 5, 3});
  hg::Rng rng{2};
  fill(model, rng);
  hg::Autoencoder untied{hg::Mlp<hg::Tanh, hg::Sigmoid, double>{{7, 5, 3}},
                         hg::Mlp<hg::Tanh, hg::Sigmoid, double>{{3, 5, 7}}};
  for (const std::size_t i : {0u, 1u}) {
    untied.encoder().linear(i).weight() = model.encoder().linear(i).weight();
    untied.encoder().linear(i).bias() = model.encoder().linear(i).bias();
    untied.decoder().linear(i).weight() = model.encoder().linear(1 - i).weight().transpose();
    untied.decoder().linear(i).bias() = model.decoder().layer(i).bias();
  }
  const auto x = pixels<double>(9, 7);
  hg::Workspace workspace{model, 9};
  hg::Workspace other{untied, 9};
  const auto output = model.forward(x, workspace);
  CHECK(difference(output, untied.forward(x, other), {1e-14, 0}) == "");
  (void)hg::BCELoss{}(output, x, workspace);
  (void)hg::BCELoss{}(other.cache().output(9), x, other);
  model.backward(x, workspace);
  untied.backward(x, other);
  // Gradients in the places of the parameters, to look at them as matrices.
  auto gradients = model;
  auto parts = untied;
  set_flat_parameters(gradients, flat_gradients(model, workspace));
  set_flat_parameters(parts, flat_gradients(untied, other));
  for (const std::size_t i : {0u, 1u}) {
    const hg::Matrix<double> sum =
        parts.encoder().linear(i).weight() + parts.decoder().linear(1 - i).weight().transpose();
    const hg::Matrix<double> own = gradients.encoder().linear(i).weight();
    CHECK(difference(own, sum, {1e-12, 1e-15}) == "");
    CHECK(difference(gradients.encoder().linear(i).bias(), parts.encoder().linear(i).bias(), {1e-12, 0}) == "");
    CHECK(difference(gradients.decoder().layer(i).bias(), parts.decoder().linear(i).bias(), {1e-12, 0}) == "");
  }
}

TEST_CASE("gradient checks: also with a derivative that needs the sums, and a penalty on code and weights") {
  hg::Rng rng{3};
  const auto x = pixels<double>(6, 5);
  const auto pass = [&](const auto& m, auto& workspace) {
    return hg::BCELoss{}(m.forward(x, workspace), x, workspace);
  };
  hg::TiedAutoencoder deep{hg::Mlp<hg::GELU, hg::Tanh, double>{{5, 4, 3, 2}}};
  fill(deep, rng);
  CHECK(model_gradcheck(deep, x, pass) == "");
  auto model = tied<double>({5, 3});
  fill(model, rng);
  const hg::ContractiveLoss loss{hg::BCELoss{}, 0.5};
  hg::Workspace workspace{model, 6};
  const auto value = [&] { return loss(model, model.forward(x, workspace), x, workspace).loss; };
  (void)value();
  model.backward(x, workspace);
  loss.add_parameter_gradient(model, workspace);
  const auto claimed = flat_gradients(model, workspace);
  CHECK(gradcheck(
            [&](std::span<const double> flat) {
              set_flat_parameters(model, flat);
              return value();
            },
            flat_parameters(model), claimed) == "");
}

TEST_CASE("steps have the same bits fused or not, on any number of threads and any instruction set that fuses") {
  const auto x = pixels<float>(150, 201);
  const auto train = [&](int threads, bool fused) {
    const int before = hg::num_threads();
    hg::set_num_threads(threads);
    auto model = tied<float>({201, 150, 41});
    hg::Rng rng{4};
    hg::initialize(model, rng);
    hg::Adam<> optimizer{{.lr = 1e-2}};
    hg::Workspace workspace{model, 150};
    for (int step = 0; step < 5; ++step) {
      (void)hg::BCELoss{}(model.forward(x, workspace), x, workspace);
      if (fused) {
        model.backward(x, workspace, optimizer);
      } else {
        model.backward(x, workspace);
        optimizer.step(model, workspace);
      }
    }
    hg::set_num_threads(before);
    std::vector<float> flat;
    hg::for_each_parameter(
        model, [&](const auto&, const auto& p) { flat.insert(flat.end(), p.values().begin(), p.values().end()); });
    return flat;
  };
  const auto expected = train(1, false);
  CHECK(train(1, true) == expected);
  for (const int threads : {2, 3, 8}) {
    CAPTURE(threads);
    CHECK(train(threads, true) == expected);
    CHECK(train(threads, false) == expected);
  }
  for_each_fusing_isa([&] { CHECK(train(2, true) == expected); });
}

TEST_CASE("save and load") {
  auto model = tied<float>({6, 5, 3});
  hg::Rng rng{5};
  fill(model, rng);
  const std::filesystem::path path = std::string(HOURGLASS_TEST_OUTPUT_DIR) + "/tied.safetensors";
  hg::save(model, path);
  auto loaded = tied<float>({6, 5, 3});
  hg::load(loaded, path);
  const auto x = pixels<float>(4, 6);
  CHECK(loaded.reconstruct(x) == model.reconstruct(x));
  auto other = tied<float>({6, 4, 3});
  CHECK_THROWS_AS(hg::load(other, path), hg::FormatError);
}
