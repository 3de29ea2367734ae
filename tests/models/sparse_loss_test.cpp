#include "hourglass/models/sparse_loss.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>

#include "hourglass/loss/mse.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/gelu.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"
#include "models/golden_model.hpp"

namespace hg = hourglass;

namespace {

hg::Matrix<double> pixels(hg::Index rows, hg::Index cols) {
  hg::Matrix<double> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

template <class... Code>
auto autoencoder(hg::Index features, hg::Index code, Code... layers) {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  return hg::Autoencoder{hg::Sequential{Linear{features, code}, layers...},
                         hg::Sequential{Linear{code, features}, hg::Sigmoid{}}};
}

template <class Activation, class Penalty>
void check_golden(const std::string& name, const Penalty& penalty) {
  const Golden golden("autoencoders");
  const std::string scenario = name + "_f64";
  CAPTURE(scenario);
  auto model = autoencoder(6, 4, Activation{});
  load_golden(model, golden, scenario);
  const auto x = golden.matrix<double>("x_f64");
  hg::Workspace workspace{model, x.rows()};
  const hg::SparseLoss loss{hg::BCELoss{}, penalty};
  const auto output = model.forward(x, workspace);
  const auto terms = loss(output, x, workspace);
  CHECK(difference(terms.reconstruction, golden.scalar<double>(scenario + ".reconstruction")) == "");
  CHECK(difference(terms.penalty, golden.scalar<double>(scenario + ".penalty")) == "");
  CHECK(terms.loss == terms.reconstruction + terms.penalty);
  CHECK(loss.value(output, x, workspace).penalty == terms.penalty);
  model.backward(x, workspace);
  CHECK(golden_gradients(model, workspace, golden, scenario) == "");
}

}  // namespace

TEST_CASE("PyTorch's values and gradients") {
  check_golden<hg::Tanh>("l1", hg::L1Activity{0.03});
  check_golden<hg::Sigmoid>("kl", hg::KLSparsity{0.05, 0.3});
  // Penalties alone in float.
  const Golden golden("autoencoders");
  const auto check = [&](const std::string& scenario, const auto& penalty) {
    const auto code = golden.matrix<float>(scenario + ".code");
    float* const no_gradient = nullptr;
    CHECK(difference(static_cast<float>(penalty(hg::ConstMatrixView<float>(code), 1.0, no_gradient)),
                     golden.scalar<float>(scenario + ".penalty")) == "");
  };
  check("l1_f32", hg::L1Activity{0.03});
  check("kl_f32", hg::KLSparsity{0.05, 0.3});
}

TEST_CASE("gradient checks, whatever the code ends in and whatever the reduction") {
  hg::Rng rng{3};
  const auto x = pixels(7, 5);
  const auto check = [&](auto model, const auto& loss) {
    hg::initialize(model, rng);
    const auto pass = [&](const auto& m, auto& workspace) { return loss(m.forward(x, workspace), x, workspace).loss; };
    CHECK(model_gradcheck(model, x, pass) == "");
  };
  check(autoencoder(5, 3, hg::Tanh{}), hg::SparseLoss{hg::BCELoss{}, hg::L1Activity{0.5}});
  check(autoencoder(5, 3, hg::GELU{}), hg::SparseLoss{hg::BCELoss{}, hg::L1Activity{0.5}});
  check(autoencoder(5, 3), hg::SparseLoss{hg::MSELoss{hg::Reduction::sum}, hg::L1Activity{0.5}});
  check(autoencoder(5, 3, hg::Sigmoid{}),
        hg::SparseLoss{hg::BCELoss{hg::Reduction::batchmean}, hg::KLSparsity{0.1, 2}});
  check(autoencoder(5, 3, hg::Sigmoid{}), hg::SparseLoss{hg::BCELoss{hg::Reduction::sum}, hg::KLSparsity{0.1, 2}});
}

TEST_CASE("penalties by hand") {
  const hg::Matrix<double> code{{0.5, -1}, {0, 0.25}};
  hg::Matrix<double> gradient(2, 2);
  // (0.5 + 1 + 0 + 0.25) / 2 samples * 0.1
  CHECK(hg::L1Activity{0.1}(hg::ConstMatrixView<double>(code), 1.0, gradient.data()) == doctest::Approx(0.0875));
  CHECK(gradient == hg::Matrix<double>{{0.05, -0.05}, {0, 0.05}});
  const hg::Matrix<double> active{{0.2, 0.5}, {0.4, 0.5}};
  const double rho = 0.3;
  // The first unit is active as often as it should be.
  const double expected = rho * std::log(rho / 0.5) + (1 - rho) * std::log((1 - rho) / 0.5);
  const hg::KLSparsity penalty{rho, 2};
  CHECK(penalty(hg::ConstMatrixView<double>(active), 1.0, gradient.data()) == doctest::Approx(2 * expected));
  CHECK(std::abs(gradient(0, 0)) < 1e-12);
  CHECK(gradient(0, 1) == doctest::Approx(2 * 0.5 * ((1 - rho) / 0.5 - rho / 0.5)));
  CHECK(gradient(1, 1) == gradient(0, 1));
  CHECK(hg::KLSparsity{}.rho() == 0.05);
}

TEST_CASE("a forward pass forgets the penalty of the batch before, and backward can run twice") {
  auto model = autoencoder(5, 3, hg::Tanh{});
  hg::Rng rng{4};
  hg::initialize(model, rng);
  const auto x = pixels(6, 5);
  hg::Workspace workspace{model, 6};
  const auto gradients = [&] {
    model.backward(x, workspace);
    return flat_gradients(model, workspace);
  };
  (void)hg::BCELoss{}(model.forward(x, workspace), x, workspace);
  const auto plain = gradients();
  const hg::SparseLoss loss{hg::BCELoss{}, hg::L1Activity{1.0}};
  (void)loss(model.forward(x, workspace), x, workspace);
  const auto penalized = gradients();
  CHECK(penalized != plain);
  CHECK(gradients() == penalized);
  (void)hg::BCELoss{}(model.forward(x, workspace), x, workspace);
  CHECK(gradients() == plain);
}

TEST_CASE("errors") {
  CHECK_THROWS_AS(hg::L1Activity{-1}, hg::DataError);
  CHECK_THROWS_AS(hg::L1Activity{std::nan("")}, hg::DataError);
  CHECK_THROWS_AS((hg::KLSparsity{0.0, 1}), hg::DataError);
  CHECK_THROWS_AS((hg::KLSparsity{1.0, 1}), hg::DataError);
  CHECK_THROWS_AS((hg::KLSparsity{0.1, -1}), hg::DataError);
  const hg::KLSparsity penalty;
  float* const no_gradient = nullptr;
  const auto value = [&](const hg::Matrix<float>& code) {
    return penalty(hg::ConstMatrixView<float>(code), 1.0, no_gradient);
  };
  CHECK_THROWS_WITH_AS((void)value({{0.5f, 0.5f}, {0.5f, 1.5f}}),
                       doctest::Contains("unit 1 of the code is 1.500000 in row 1, outside [0, 1]; end the encoder"),
                       hg::DataError);
  CHECK_THROWS_AS((void)value({{0.5f, -0.1f}, {0.5f, 0.5f}}), hg::DataError);
  CHECK_THROWS_AS((void)value({{std::nanf(""), 0.5f}}), hg::DataError);
  CHECK_THROWS_WITH_AS((void)value({{0.5f, 0}, {0.5f, 0}}),
                       doctest::Contains("unit 1 of the code is 0.000000 for all 2"), hg::DataError);
  CHECK_THROWS_AS((void)value({{1, 0.5f}}), hg::DataError);
  CHECK(value({{1, 0.5f}, {0, 0.5f}}) > 0);

  auto model = autoencoder(5, 3, hg::Sigmoid{});
  const auto x = pixels(2, 5);
  hg::Workspace inference{model, 2, hg::Purpose::inference};
  const auto output = model.forward(x, inference);
  CHECK_THROWS_AS((void)(hg::SparseLoss{hg::BCELoss{}, hg::L1Activity{}}(output, x, inference)), hg::ShapeError);
}
