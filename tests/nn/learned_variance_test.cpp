#include "hourglass/nn/learned_variance.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "hourglass/loss/learned_gaussian.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

TEST_CASE("gradient check behind a Linear and behind an activation, one variance or many") {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::Rng rng{1};
  hg::Matrix<double> x(4, 3);
  hg::Matrix<double> target(4, 70);
  rng.fill_normal(std::span<double>(x.data(), 12));
  rng.fill_normal(std::span<double>(target.data(), 280));
  const auto pass = [&](const auto& model, auto& workspace) {
    return hg::LearnedGaussianLoss{}(model.forward(x, workspace), target, workspace);
  };
  for (const bool shared : {false, true}) {
    hg::Sequential plain{Linear{3, 70}, hg::LearnedVariance<double>{70, {.shared = shared, .logvar = -0.5}}};
    hg::initialize(plain, rng);
    CHECK(plain.layer<1>().logvar()[0] == -0.5);  // left alone
    CHECK(plain.layer<1>().logvar().size() == (shared ? 1 : 70));
    CHECK(model_gradcheck(plain, x, pass) == "");
  }
  hg::Sequential activated{Linear{3, 70}, hg::Tanh{}, hg::LearnedVariance<double>{70}};
  hg::initialize(activated, rng);
  CHECK(model_gradcheck(activated, x, pass) == "");
}

TEST_CASE("means pass, log-variances stand beside them") {
  hg::Sequential model{hg::LearnedVariance{2}};
  model.layer<0>().logvar()[1] = 3;
  const hg::Matrix<float> x{{1, 2}, {4, 5}};
  CHECK(model(x) == hg::Matrix<float>{{1, 2, 0, 3}, {4, 5, 0, 3}});
  std::vector<std::string> names;
  hg::for_each_parameter(model, [&](const auto& name, auto&) { names.push_back(name.str()); });
  CHECK(names == std::vector<std::string>{"0.logvar"});
  CHECK_THROWS_WITH_AS((void)model(hg::Matrix<float>(2, 3)), doctest::Contains("made for 2"), hg::ShapeError);
  CHECK_THROWS_AS(hg::LearnedVariance{0}, hg::ShapeError);
}
