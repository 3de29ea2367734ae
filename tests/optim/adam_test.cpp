#include "hourglass/optim/adam.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <type_traits>

#include "hourglass/optim/clip.hpp"
#include "optim/checks.hpp"

namespace hg = hourglass;
using namespace optim_checks;

static_assert(std::is_same_v<decltype(hg::Adam{{.lr = 1e-3f}}), hg::Adam<float>>);
static_assert(std::is_same_v<decltype(hg::AdamW{{.lr = 1e-3f}}), hg::AdamW<float>>);
static_assert(std::is_same_v<decltype(hg::Adam{}), hg::Adam<float>>);

TEST_CASE_TEMPLATE("Adam and AdamW agree with PyTorch", Scalar, float, double) {
  const auto clip = [](auto& g, double max) { return hg::clip_grad_norm(g, max); };
  match_golden(hg::Adam<Scalar>{}, "adam", clip);
  match_golden(hg::Adam<Scalar>{{.lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-3, .weight_decay = 0.1}}, "adam_options",
               clip);
  match_golden(hg::AdamW<Scalar>{}, "adamw", clip);
  match_golden(hg::AdamW<Scalar>{{.lr = 0.02, .betas = {0.7, 0.9}, .eps = 1e-5, .weight_decay = 0.3}}, "adamw_options",
               clip);
}

TEST_CASE("defaults are PyTorch's") {
  hg::Adam optimizer{{.lr = 1e-3f}};
  CHECK(optimizer.lr() == double{1e-3f});
  CHECK(optimizer.options().betas == std::array{0.9, 0.999});
  CHECK(optimizer.options().eps == 1e-8);
  CHECK(optimizer.options().weight_decay == 0);
  CHECK(hg::AdamW{}.options().weight_decay == 1e-2);
}

TEST_CASE("the first step of Adam moves every weight by lr against its gradient's sign") {
  Model<double> model;
  Workspace<double> workspace{hg::ParameterBuffer<double>(model)};
  randomize(workspace.buffer, model, 3);
  hg::Adam<double> optimizer{{.lr = 0.5, .eps = 0}};
  optimizer.step(model, workspace);
  for (hg::Index i = 0; i < 35; ++i)
    CHECK(model.weight.data()[i] == doctest::Approx(workspace.buffer.data()[i] > 0 ? -0.5 : 0.5));
}

TEST_CASE("state can be moved to another optimiser") {
  Model<float> model;
  randomize(model, 4);
  hg::ParameterBuffer<float> gradients(model);
  randomize(gradients, model, 5);
  hg::Adam<float> optimizer{{.lr = 0.1}};
  optimizer.step(model, gradients);

  Model<float> resumed_model = model;
  hg::Adam<float> resumed{{.lr = 0.1}};
  CHECK(resumed.moments()[0].empty());
  resumed.prepare(resumed_model);
  for (std::size_t i = 0; i < 2; ++i)
    std::ranges::copy(optimizer.moments()[i].values(), resumed.moments()[i].values().begin());
  resumed.set_steps(optimizer.steps());
  optimizer.step(model, gradients);
  resumed.step(resumed_model, gradients);
  CHECK(row_major(model.weight) == row_major(resumed_model.weight));
}

TEST_CASE("moments are allocated once") {
  Model<float> model;
  const hg::ParameterBuffer<float> gradients(model);
  hg::Adam optimizer{{.lr = 0.1}};
  optimizer.step(model, gradients);
  const float* const first = optimizer.moments()[0].data();
  optimizer.step(model, gradients);
  CHECK(optimizer.moments()[0].data() == first);
}

TEST_CASE("Adam gives the same bits at any number of threads") {
  ignores_threads(hg::Adam<float>{{.lr = 0.1, .weight_decay = 0.1}});
  ignores_threads(hg::AdamW<double>{{.lr = 0.1}});
}
TEST_CASE("Adam refuses another model's gradients and moments") { refuses_other_models(hg::Adam<float>{}); }
TEST_CASE_TEMPLATE("the moments of Adam are never denormal", Scalar, float, double) {
  // Gradients whose first moment soon is denormal, and gradients whose second moment soon is.
  constexpr bool narrow = sizeof(Scalar) == 4;
  flushes_denormals(hg::Adam<Scalar>{}, narrow ? 1e-37 : 1e-306);
  flushes_denormals(hg::AdamW<Scalar>{{.betas = {0.9, 0.9}}}, narrow ? 1e-18 : 1e-153);
}

TEST_CASE_TEMPLATE("gradients with denormal squares move the weights as they do in exact arithmetic", Scalar, float,
                   double) {
  // m = 0.1 g, v = 0: the update lr * g / eps is still right.
  Model<Scalar> model(1, 1);
  hg::ParameterBuffer<Scalar> gradients(model);
  gradients.data()[0] = sizeof(Scalar) == 4 ? Scalar(1e-20) : Scalar(1e-160);
  hg::Adam<Scalar> optimizer{{.lr = 1}};
  optimizer.step(model, gradients);
  CHECK(model.weight.data()[0] == doctest::Approx(-double{gradients.data()[0]} * 1e8).epsilon(1e-6).scale(0));
}

TEST_CASE("Adam refuses the options that PyTorch refuses") {
  CHECK(message_of([] { hg::Adam{{.lr = -1}}; }).find("Adam: lr") == 0);
  CHECK(message_of([] { hg::Adam{{.betas = {1.0, 0.9}}}; }).find("Adam: betas[0]") == 0);
  CHECK(message_of([] { hg::Adam{{.betas = {0.9, -0.1}}}; }).find("Adam: betas[1]") == 0);
  CHECK(message_of([] { hg::Adam{{.eps = -1}}; }).find("Adam: eps") == 0);
  CHECK(message_of([] { hg::AdamW{{.weight_decay = -1}}; }).find("AdamW: weight_decay") == 0);
  hg::Adam optimizer{{.lr = 1}};
  CHECK_THROWS_AS(optimizer.set_lr(-1), hg::DataError);
}
