#include "hourglass/optim/sgd.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <type_traits>

#include "hourglass/optim/clip.hpp"
#include "optim/checks.hpp"

namespace hg = hourglass;
using namespace optim_checks;

static_assert(std::is_same_v<decltype(hg::SGD{{.lr = 0.1f, .momentum = 0.9}}), hg::SGD<float>>);
static_assert(std::is_same_v<decltype(hg::SGD{}), hg::SGD<float>>);

TEST_CASE_TEMPLATE("SGD agrees with PyTorch", Scalar, float, double) {
  const auto match = [](const hg::SGDOptions& options, const char* name) {
    match_golden(hg::SGD<Scalar>{options}, name, [](auto& g, double max) { return hg::clip_grad_norm(g, max); });
  };
  match({.lr = 0.1}, "sgd");
  match({.lr = 0.1, .weight_decay = 0.05}, "sgd_decay");
  match({.lr = 0.05, .momentum = 0.9}, "sgd_momentum");
  match({.lr = 0.05, .momentum = 0.8, .dampening = 0.3, .weight_decay = 0.01}, "sgd_dampening");
  match({.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true}, "sgd_nesterov");
}

TEST_CASE("a step of SGD by hand") {
  Model<float> model(1, 1);
  model.weight.data()[0] = 1;
  Workspace<float> workspace{hg::ParameterBuffer<float>(model)};
  workspace.buffer.data()[0] = 2;
  hg::SGD optimizer{{.lr = 0.25}};
  optimizer.step(model, workspace);
  CHECK(model.weight.data()[0] == 0.5f);
  optimizer.set_lr(0.125);
  CHECK(optimizer.lr() == 0.125);
  optimizer.step(model, workspace.buffer);
  CHECK(model.weight.data()[0] == 0.25f);
  CHECK(optimizer.steps() == 2);
  CHECK(optimizer.moments()[0].empty());
}

TEST_CASE("SGD gives the same bits at any number of threads") {
  ignores_threads(hg::SGD<float>{{.lr = 0.1, .weight_decay = 0.1}});
  ignores_threads(hg::SGD<float>{{.lr = 0.1, .momentum = 0.9, .nesterov = true}});
}
TEST_CASE("SGD refuses another model's gradients and moments") {
  refuses_other_models(hg::SGD<float>{{.momentum = 0.9}});
}
TEST_CASE_TEMPLATE("the momentum of SGD is never denormal", Scalar, float, double) {
  flushes_denormals(hg::SGD<Scalar>{{.lr = 0.1, .momentum = 0.9}}, sizeof(Scalar) == 4 ? 1e-37 : 1e-306);
}

TEST_CASE("SGD refuses the options that PyTorch refuses") {
  CHECK(message_of([] { hg::SGD{{.lr = -1}}; }).find("SGD: lr") == 0);
  CHECK(message_of([] { hg::SGD{{.lr = std::numeric_limits<double>::quiet_NaN()}}; }).find("SGD: lr") == 0);
  CHECK(message_of([] { hg::SGD{{.momentum = -0.1}}; }).find("SGD: momentum") == 0);
  CHECK(message_of([] { hg::SGD{{.weight_decay = -0.1}}; }).find("SGD: weight_decay") == 0);
  CHECK(message_of([] { hg::SGD{{.nesterov = true}}; }).find("SGD: nesterov") == 0);
  CHECK(message_of([] { hg::SGD{{.momentum = 0.9, .dampening = 0.1, .nesterov = true}}; }).find("SGD: nest") == 0);
  hg::SGD optimizer{{.lr = 1}};
  CHECK_THROWS_AS(optimizer.set_lr(-1), hg::DataError);
  CHECK(optimizer.lr() == 1);
}
