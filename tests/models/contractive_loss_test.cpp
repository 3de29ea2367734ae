#include "hourglass/models/contractive_loss.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>

#include "hourglass/loss/mse.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"
#include "models/golden_model.hpp"

namespace hg = hourglass;

namespace {

template <class Activation>
auto autoencoder(hg::Index features, hg::Index code, Activation activation) {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  return hg::Autoencoder{hg::Sequential{Linear{features, code}, activation},
                         hg::Sequential{Linear{code, features}, hg::Sigmoid{}}};
}

template <class Activation>
void check_golden(const std::string& name, Activation activation) {
  const Golden golden("autoencoders");
  const std::string scenario = name + "_f64";
  CAPTURE(scenario);
  auto model = autoencoder(6, 4, activation);
  load_golden(model, golden, scenario);
  const auto x = golden.matrix<double>("x_f64");
  hg::Workspace workspace{model, x.rows()};
  const hg::ContractiveLoss loss{hg::BCELoss{}, 0.2};
  const auto output = model.forward(x, workspace);
  const auto terms = loss(model, output, x, workspace);
  CHECK(difference(terms.reconstruction, golden.scalar<double>(scenario + ".reconstruction")) == "");
  CHECK(difference(terms.penalty, golden.scalar<double>(scenario + ".penalty")) == "");
  CHECK(terms.loss == terms.reconstruction + terms.penalty);
  CHECK(loss.value(model, output, x, workspace).loss == terms.loss);
  model.backward(x, workspace);
  CHECK(golden_gradients(model, workspace, golden, scenario) != "");
  loss.add_parameter_gradient(model, workspace);
  CHECK(golden_gradients(model, workspace, golden, scenario) == "");
}

/// model_gradcheck with the direct gradient of the weights.
template <class Model, class Loss>
std::string check_gradients(Model model, const Loss& loss, hg::Index rows) {
  hg::Rng rng{3};
  hg::initialize(model, rng);
  hg::Matrix<double> x(rows, model.in_features());
  rng.fill_uniform(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  hg::Workspace workspace{model, rows};
  const auto value = [&] { return loss(model, model.forward(x, workspace), x, workspace).loss; };
  (void)value();
  model.backward(x, workspace);
  loss.add_parameter_gradient(model, workspace);
  const auto claimed = flat_gradients(model, workspace);
  return gradcheck(
      [&](std::span<const double> flat) {
        set_flat_parameters(model, flat);
        return value();
      },
      flat_parameters(model), claimed);
}

}  // namespace

TEST_CASE("PyTorch's values and gradients, with Jacobians by autograd") {
  check_golden("contractive_sigmoid", hg::Sigmoid{});
  check_golden("contractive_tanh", hg::Tanh{});
}

TEST_CASE("gradient checks of all parameters, whatever the reduction") {
  // Widths that are no multiple of a vector, and more rows and features than are added up at once.
  CHECK(check_gradients(autoencoder(37, 9, hg::Sigmoid{}), hg::ContractiveLoss{hg::BCELoss{}, 0.3}, 35) == "");
  CHECK(check_gradients(autoencoder(5, 3, hg::Tanh{}), hg::ContractiveLoss{hg::BCELoss{hg::Reduction::batchmean}, 2},
                        4) == "");
  CHECK(check_gradients(autoencoder(5, 3, hg::Tanh{}), hg::ContractiveLoss{hg::MSELoss{hg::Reduction::sum}, 0.1}, 4) ==
        "");
}

TEST_CASE("one unit by hand") {
  auto model = autoencoder(2, 1, hg::Sigmoid{});
  auto& layer = model.encoder().layer<0>();
  layer.weight()(0, 0) = 3;
  layer.weight()(0, 1) = -4;
  const hg::Matrix<double> x{{0, 0}};
  hg::Workspace workspace{model, 1};
  // h = 1/2, h (1 - h) = 1/4, so |J|^2 = 25 / 16; d/dW_i = 2 lambda W_i / 16 and nothing through h, whose slope is
  // largest there.
  const hg::ContractiveLoss loss{hg::BCELoss{}, 0.8};
  const auto terms = loss(model, model.forward(x, workspace), x, workspace);
  CHECK(terms.penalty == doctest::Approx(0.8 * 25 / 16));
  CHECK(workspace.cache().penalty_gradient(1)(0, 0) == 0);
  model.backward(x, workspace);
  loss.add_parameter_gradient(model, workspace);
  CHECK(workspace.gradients().data()[0] == doctest::Approx(2 * 0.8 * 3 / 16));
  CHECK(workspace.gradients().data()[1] == doctest::Approx(2 * 0.8 * -4 / 16));
}

TEST_CASE("errors") {
  CHECK_THROWS_AS((hg::ContractiveLoss{hg::BCELoss{}, -1.0}), hg::DataError);
  CHECK_THROWS_AS((hg::ContractiveLoss{hg::BCELoss{}, std::nan("")}), hg::DataError);
  using Mlp = hg::Mlp<hg::Sigmoid, hg::Sigmoid, double>;
  const hg::Autoencoder model{Mlp{{4, 3, 2}}, Mlp{{2, 4}}};
  const hg::Matrix<double> x(1, 4);
  hg::Workspace workspace{model, 1};
  const auto output = model.forward(x, workspace);
  CHECK_THROWS_WITH_AS((void)(hg::ContractiveLoss<>{}(model, output, x, workspace)),
                       doctest::Contains("2 linear layers"), hg::ShapeError);
}
