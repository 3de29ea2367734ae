#include "hourglass/nn/sequential.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/nn/dropout.hpp"
#include "hourglass/nn/gelu.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar>
hg::Matrix<Scalar> normal(hg::Index rows, hg::Index cols, std::uint64_t seed) {
  hg::Matrix<Scalar> x(rows, cols);
  hg::Rng{seed}.fill_normal(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

using LinearD = hg::Linear<hg::Dynamic, hg::Dynamic, double>;

}  // namespace

TEST_CASE("names and widths") {
  hg::Sequential model{hg::Dropout{0.1}, hg::Linear<6, 5>{}, hg::ReLU{},
                       hg::Sequential{hg::Linear{5, 4}, hg::Tanh{}, hg::Linear{4, 3, {.bias = false}}}};
  static_assert(decltype(model)::static_in == 6);
  static_assert(decltype(model)::static_out == hg::Dynamic);
  CHECK(model.in_features() == 6);
  CHECK(model.out_features(6) == 3);
  std::vector<std::string> names;
  hg::for_each_parameter(model, [&](const auto& name, auto&) { names.push_back(name.str()); });
  CHECK(names == std::vector<std::string>{"1.weight", "1.bias", "3.0.weight", "3.0.bias", "3.2.weight"});
  CHECK(model.layer<1>().out_features() == 5);
}

TEST_CASE("run-time widths that do not fit are refused at construction") {
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Linear{784, 256}, hg::ReLU{}, hg::Linear{255, 64}}),
                       "Sequential: layer 0 (Linear) gives 256 features, layer 2 (Linear) expects 255; make the two "
                       "numbers equal",
                       hg::ShapeError);
  CHECK_THROWS_AS((hg::Sequential{hg::Linear<6, 5>{}, hg::Sequential{hg::ReLU{}, hg::Linear{4, 3}}}), hg::ShapeError);
}

TEST_CASE("gradient check of a deep network, in every mode") {
  hg::Rng rng{1};
  hg::Sequential model{LinearD{5, 6},    hg::GELU{},    hg::Sequential{LinearD{6, 3}, hg::Tanh{}},
                       hg::Dropout{0.3}, LinearD{3, 4}, hg::Sigmoid{}};
  hg::initialize(model, rng);
  const auto x = normal<double>(7, 5, 2);
  const hg::Matrix<double> target = hg::Matrix<double>::Constant(7, 4, 0.3);
  CHECK(model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
          return hg::BCELoss{}(m.forward(x, workspace), target, workspace);
        }) == "");
  CHECK(model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
          hg::Rng masks{9};  // the same masks at every call
          return hg::MSELoss{}(m.forward(x, workspace, hg::Training{masks}), target, workspace);
        }) == "");
}

TEST_CASE("gradient of the input") {
  hg::Rng rng{3};
  hg::Sequential model{LinearD{4, 3}, hg::Tanh{}, LinearD{3, 2}};
  hg::initialize(model, rng);
  const auto x = normal<double>(2, 4, 4);
  auto cache = model.plan(2, 4, hg::Purpose::training);
  const hg::ConstMatrixView<double> view(x);
  (void)model.forward(view, cache, hg::Inference{}, {0, 2});
  const hg::Matrix<double> ones = hg::Matrix<double>::Ones(2, 2);
  hg::ParameterBuffer<double> slots(model);
  hg::Matrix<double> dx(2, 4);
  model.backward_inputs(view, ones, cache, slots.data(), dx, {0, 2});
  const std::vector<double> flat(x.data(), x.data() + x.size());
  CHECK(
      gradcheck(
          [&](std::span<const double> values) { return model(hg::ConstMatrixView<double>(values.data(), 2, 4)).sum(); },
          flat, std::span<const double>(dx.data(), 8)) == "");
}

TEST_CASE("forward with and without a workspace, in any batch, on any number of threads: the same bits") {
  hg::Rng rng{5};
  hg::Sequential model{hg::Linear<90, 70>{}, hg::ReLU{}, hg::Linear<70, 90>{}, hg::Sigmoid{}};
  hg::initialize(model, rng);
  const auto x = normal<float>(600, 90, 6);
  const auto expected = model(x);
  hg::Workspace workspace{model, 600};
  const int before = hg::num_threads();
  for (const int threads : {1, 2, 3}) {
    hg::set_num_threads(threads);
    CHECK(model.forward(x, workspace) == expected);
    CHECK(model.forward(x.topRows(33), workspace) == expected.topRows(33));
  }
  hg::set_num_threads(before);
}

TEST_CASE("gradients have the same bits on any number of threads") {
  hg::Rng rng{5};
  hg::Sequential model{hg::Linear<90, 200>{}, hg::ReLU{}, hg::Linear<200, 90>{}, hg::Sigmoid{}};
  hg::initialize(model, rng);
  const hg::Matrix<float> x = normal<float>(300, 90, 6).cwiseAbs().cwiseMin(1.0f);
  hg::Workspace workspace{model, 300};
  const int before = hg::num_threads();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    hg::set_num_threads(threads);
    hg::BCELoss{}(model.forward(x, workspace), x, workspace);
    model.backward(x, workspace);
    const auto values = workspace.gradients().values();
    results.emplace_back(values.begin(), values.end());
  }
  hg::set_num_threads(before);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("workspaces are checked") {
  const hg::Sequential model{hg::Linear<4, 3>{}, hg::ReLU{}};
  hg::Workspace workspace{model, 8};
  // y, its gradient and a slot each for weight and bias: the sums before the ReLU are never kept.
  CHECK(workspace.bytes() == 8 * (3 + 3) * 4 + 2 * 64);
  CHECK_THROWS_WITH_AS(model.forward(hg::Matrix<float>(9, 4), workspace), doctest::Contains("(9, 4), room for (8, 4)"),
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS(model.forward(hg::Matrix<float>(8, 5), workspace), doctest::Contains("(8, 5)"), hg::ShapeError);
  const hg::Matrix<float> x(6, 4);
  (void)model.forward(x, workspace);
  CHECK_THROWS_AS((void)workspace.output_gradient(5), hg::ShapeError);
  CHECK_THROWS_WITH_AS(model.backward(hg::Matrix<float>(5, 4), workspace), doctest::Contains("same batch"),
                       hg::ShapeError);
  CHECK_THROWS_AS((hg::Workspace{model, 0}), hg::ShapeError);
  hg::Workspace inference{model, 8, hg::Purpose::inference};
  CHECK(inference.bytes() < workspace.bytes());
  (void)model.forward(x, inference);
  CHECK_THROWS_WITH_AS(model.backward(x, inference), doctest::Contains("inference"), hg::ShapeError);
  const hg::Sequential open{hg::ReLU{}};
  CHECK_THROWS_WITH_AS((hg::Workspace{open, 8}), doctest::Contains("states its width"), hg::ShapeError);
  CHECK(model(hg::Matrix<float>(0, 4)).rows() == 0);
}
