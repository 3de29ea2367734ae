#include "hourglass/nn/linear.hpp"

#include <doctest/doctest.h>

#include <string>

#include "golden.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/sequential.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

template <class Layer>
void check_golden(Layer layer, const std::string& name) {
  using Scalar = typename Layer::Scalar;
  CAPTURE(name);
  const Golden golden{"layers"};
  const std::string file_case = name + "_" + golden_suffix<Scalar> + ".";
  layer.weight() = golden.matrix<Scalar>(file_case + "weight");
  if (layer.has_bias()) layer.bias() = golden.matrix<Scalar>(file_case + "bias");
  const auto x = golden.matrix<Scalar>(file_case + "x");
  const auto dy = golden.matrix<Scalar>(file_case + "dy");

  auto cache = hg::detail::plan<Scalar>(layer, x.rows(), x.cols(), hg::Purpose::training);
  const hg::ConstMatrixView<Scalar> view(x);
  const auto y = hg::detail::propagate<Scalar>(layer, view, cache, hg::Inference{}, {0, x.rows()});
  CHECK(difference(y, golden.matrix<Scalar>(file_case + "y")) == "");

  Layer gradient = layer;  // a layer has the storage of its own gradient
  hg::ParameterBuffer<Scalar> slots(layer);
  hg::Matrix<Scalar> dx(x.rows(), x.cols());
  layer.backward(view, y, hg::ConstMatrixView<Scalar>(dy), hg::MatrixView<Scalar>(dx), {}, slots.data());
  hg::zip_parameters(
      gradient, [](const auto&, auto& p, const Scalar* g) { std::copy_n(g, p.size(), p.data()); }, slots);
  CHECK(difference(dx, golden.matrix<Scalar>(file_case + "dx")) == "");
  const hg::Matrix<Scalar> dweight(gradient.weight());
  CHECK(difference(dweight, golden.matrix<Scalar>(file_case + "dweight")) == "");
  if (layer.has_bias()) CHECK(difference(gradient.bias(), golden.matrix<Scalar>(file_case + "dbias")) == "");
}

}  // namespace

TEST_CASE("Linear equals PyTorch's, static and dynamic, float and double") {
  check_golden(hg::Linear<7, 4>{}, "linear");
  check_golden(hg::Linear{7, 4}, "linear");
  check_golden(hg::Linear<7, 4, double>{}, "linear");
  check_golden(hg::Linear<hg::Dynamic, 4, double>{7, 4}, "linear");
  check_golden(hg::Linear<7, 4>{{.bias = false}}, "linear_no_bias");
  check_golden(hg::Linear<hg::Dynamic, hg::Dynamic, double>{7, 4, {.bias = false}}, "linear_no_bias");
}

TEST_CASE("gradient check, with batch 1 and width 1 among the shapes") {
  hg::Rng rng{1};
  for (const auto [batch, in, out] :
       {std::array{5, 4, 3}, std::array{1, 4, 3}, std::array{5, 1, 3}, std::array{5, 4, 1}})
    for (const bool bias : {true, false}) {
      using Layer = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
      hg::Sequential model{Layer{in, out, {.bias = bias}}, Layer{out, 2, {.bias = bias}}};
      hg::initialize(model, rng);
      hg::Matrix<double> x(batch, in);
      rng.fill_normal(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
      const hg::Matrix<double> target = hg::Matrix<double>::Ones(batch, 2);
      CHECK(model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
              return hg::MSELoss{}(m.forward(x, workspace), target, workspace);
            }) == "");
    }
}

TEST_CASE("widths") {
  const hg::Linear<7, 4> fixed;
  static_assert(decltype(fixed)::static_in == 7 && decltype(fixed)::static_out == 4);
  static_assert(sizeof(hg::Linear<7, 4>) < sizeof(hg::Linear<>));
  CHECK(fixed.in_features() == 7);
  CHECK(hg::parameter_count(fixed) == 32);
  CHECK(hg::parameter_count(hg::Linear{7, 4, {.bias = false}}) == 28);
  CHECK_THROWS_WITH_AS((hg::Linear<7, 4>{8, 4}), doctest::Contains("run-time width is 8"), hg::ShapeError);
  CHECK_THROWS_AS((hg::Linear{0, 4}), hg::ShapeError);
  hg::Sequential model{fixed};
  CHECK_THROWS_WITH_AS((void)model(hg::Matrix<float>(2, 6)),
                       "Linear: input has 6 features, weight (4, 7) expects 7; check the width of the layer before it",
                       hg::ShapeError);
}

TEST_CASE("a row's result does not depend on the rest of its batch") {
  hg::Rng rng{2};
  hg::Sequential model{hg::Linear{301, 77}};
  hg::initialize(model, rng);
  hg::Matrix<float> x(130, 301);
  rng.fill_normal(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  const auto together = model(x);
  for (const hg::Index i : {0, 1, 64, 129}) CHECK(model(x.row(i)) == together.row(i));
}
