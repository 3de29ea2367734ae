#include "hourglass/optim/penalty.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gradcheck.hpp"
#include "optim/checks.hpp"

namespace hg = hourglass;
using namespace optim_checks;

TEST_CASE("penalties by hand: weights only, gradients added") {
  Model<float> model(1, 3);
  model.weight.data()[0] = -2;
  model.weight.data()[2] = 3;
  model.bias.data()[0] = 10;
  Workspace<float> workspace{hg::ParameterBuffer<float>(model)};
  workspace.buffer.data()[0] = 1;
  float* const g = workspace.buffer.data();
  CHECK(hg::l1_penalty(model, 0.5, workspace) == 2.5f);
  CHECK(g[0] == 0.5f);
  CHECK(g[1] == 0);
  CHECK(g[2] == 0.5f);
  CHECK(g[16] == 0);
  CHECK(hg::l2_penalty(model, 0.5, workspace.buffer) == 6.5f);
  CHECK(g[0] == -1.5f);
  CHECK(g[2] == 3.5f);
  CHECK(g[16] == 0);
  CHECK(hg::l1_penalty(model, 0.5, workspace, hg::Penalized::all) == 7.5f);
  CHECK(g[16] == 0.5f);
}

TEST_CASE("penalties agree with central differences") {
  Model<double> model(9, 11);
  randomize(model, 7);
  const auto check = [&](const auto& penalty) {
    hg::ParameterBuffer<double> gradients(model);
    penalty(model, gradients);
    const auto f = [&](std::span<const double> x) {
      Model<double> moved = model;
      std::copy(x.begin(), x.end(), moved.weight.data());
      hg::ParameterBuffer<double> unused(moved);
      return penalty(moved, unused);
    };
    const auto w = model.weight.values();
    CHECK(gradcheck(f, {w.begin(), w.end()}, gradients.values().first(99)) == "");
  };
  check([](const auto& m, auto& g) { return hg::l1_penalty(m, 0.3, g); });
  check([](const auto& m, auto& g) { return hg::l2_penalty(m, 0.3, g); });
}

TEST_CASE("penalties have the same bits at any number of threads, and refuse another model's gradients") {
  Model<float> model(311, 207);
  randomize(model, 8);
  hg::ParameterBuffer<float> gradients(model);
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const float one = hg::l2_penalty(model, 0.1, gradients);
  hg::set_num_threads(3);
  CHECK(hg::l2_penalty(model, 0.1, gradients) == one);
  hg::set_num_threads(before);
  const Model<float> other;
  CHECK_THROWS_AS(hg::l1_penalty(other, 0.1, gradients), hg::ShapeError);
}
