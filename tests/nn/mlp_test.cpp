#include "hourglass/nn/mlp.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "hourglass/loss/mse.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

TEST_CASE("an Mlp is the Sequential of the same layers: names, results and gradients") {
  hg::Mlp<hg::Tanh, hg::Sigmoid, double> mlp{{5, 6, 4, 3}};
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::Sequential sequential{Linear{5, 6}, hg::Tanh{}, Linear{6, 4}, hg::Tanh{}, Linear{4, 3}, hg::Sigmoid{}};
  std::vector<std::string> names;
  hg::for_each_parameter(mlp, [&](const auto& name, auto&) { names.push_back(name.str()); });
  std::vector<std::string> expected;
  hg::for_each_parameter(sequential, [&](const auto& name, auto&) { expected.push_back(name.str()); });
  CHECK(names == expected);

  hg::Rng rng{1};
  hg::initialize(mlp, rng);
  set_flat_parameters(sequential, flat_parameters(mlp));
  hg::Matrix<double> x(7, 5);
  rng.fill_normal(std::span<double>(x.data(), 35));
  CHECK(mlp(x) == sequential(x));

  const hg::Matrix<double> target = hg::Matrix<double>::Ones(7, 3);
  hg::Workspace a{mlp, 7};
  hg::Workspace b{sequential, 7};
  CHECK(hg::MSELoss{}(mlp.forward(x, a), target, a) == hg::MSELoss{}(sequential.forward(x, b), target, b));
  mlp.backward(x, a);
  sequential.backward(x, b);
  CHECK(flat_gradients(mlp, a) == flat_gradients(sequential, b));
  CHECK(model_gradcheck(mlp, x, [&](const auto& m, auto& workspace) {
          return hg::MSELoss{}(m.forward(x, workspace), target, workspace);
        }) == "");
}

TEST_CASE("one layer is enough, none is not") {
  const hg::Mlp<> one{{4, 2}};
  CHECK(one.depth() == 1);
  CHECK(one(hg::Matrix<float>(3, 4)).cols() == 2);
  CHECK_THROWS_AS((hg::Mlp<>{{4}}), hg::ShapeError);
  CHECK_THROWS_AS((hg::Mlp<>{{4, 0, 2}}), hg::ShapeError);
  CHECK_THROWS_AS((void)one(hg::Matrix<float>(3, 5)), hg::ShapeError);
}
