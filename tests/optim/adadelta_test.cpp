#include "hourglass/optim/adadelta.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "hourglass/optim/clip.hpp"
#include "optim/checks.hpp"

namespace hg = hourglass;
using namespace optim_checks;

static_assert(std::is_same_v<decltype(hg::Adadelta{{.lr = 0.5f}}), hg::Adadelta<float>>);
static_assert(std::is_same_v<decltype(hg::Adadelta{}), hg::Adadelta<float>>);

TEST_CASE_TEMPLATE("Adadelta agrees with PyTorch", Scalar, float, double) {
  const auto clip = [](auto& g, double max) { return hg::clip_grad_norm(g, max); };
  match_golden(hg::Adadelta<Scalar>{}, "adadelta", clip);
  match_golden(hg::Adadelta<Scalar>{{.lr = 0.5, .rho = 0.8, .eps = 1e-3, .weight_decay = 0.1}}, "adadelta_options",
               clip);
}

TEST_CASE("defaults of Adadelta are PyTorch's") {
  const hg::AdadeltaOptions options = hg::Adadelta{}.options();
  CHECK(options.lr == 1);
  CHECK(options.rho == 0.9);
  CHECK(options.eps == 1e-6);
  CHECK(options.weight_decay == 0);
}

TEST_CASE("a step of Adadelta by hand") {
  Model<double> model(1, 1);
  hg::ParameterBuffer<double> gradients(model);
  gradients.data()[0] = 3;
  hg::Adadelta<double> optimizer{{.lr = 2, .rho = 0.75, .eps = 0.25}};
  optimizer.step(model, gradients);
  const double step = 0.5 / std::sqrt(0.25 * 9 + 0.25) * 3;
  CHECK(model.weight.data()[0] == doctest::Approx(-2 * step));
  CHECK(optimizer.moments()[0].data()[0] == doctest::Approx(0.25 * 9));
  CHECK(optimizer.moments()[1].data()[0] == doctest::Approx(0.25 * step * step));
}

TEST_CASE("Adadelta gives the same bits at any number of threads") {
  ignores_threads(hg::Adadelta<float>{{.weight_decay = 0.1}});
}
TEST_CASE("Adadelta refuses another model's gradients and moments") { refuses_other_models(hg::Adadelta<float>{}); }
TEST_CASE_TEMPLATE("the moments of Adadelta are never denormal", Scalar, float, double) {
  flushes_denormals(hg::Adadelta<Scalar>{}, sizeof(Scalar) == 4 ? 1e-18 : 1e-153);
}

TEST_CASE("Adadelta refuses the options that PyTorch refuses") {
  CHECK(message_of([] { hg::Adadelta{{.lr = -1}}; }).find("Adadelta: lr") == 0);
  CHECK(message_of([] { hg::Adadelta{{.rho = 1.1}}; }).find("Adadelta: rho") == 0);
  CHECK(message_of([] { hg::Adadelta{{.rho = std::numeric_limits<double>::quiet_NaN()}}; }).find("Adadelta: rho") == 0);
  CHECK(message_of([] { hg::Adadelta{{.eps = -1}}; }).find("Adadelta: eps") == 0);
  CHECK(message_of([] { hg::Adadelta{{.weight_decay = -1}}; }).find("Adadelta: weight_decay") == 0);
}
