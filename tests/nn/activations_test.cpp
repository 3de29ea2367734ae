#include <doctest/doctest.h>

#include <string>

#include "golden.hpp"
#include "gradcheck.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/elu.hpp"
#include "hourglass/nn/gelu.hpp"
#include "hourglass/nn/identity.hpp"
#include "hourglass/nn/leaky_relu.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/softplus.hpp"
#include "hourglass/nn/tanh.hpp"

namespace hg = hourglass;

namespace {

// The layer as containers run it, against PyTorch.
template <class Scalar, class Layer>
void check_golden(const Layer& layer, const std::string& name) {
  CAPTURE(name);
  static const Golden golden{"layers"};
  const std::string file_case = name + "_" + golden_suffix<Scalar> + ".";
  const auto x = golden.matrix<Scalar>(file_case + "x");
  const auto dy = golden.matrix<Scalar>(file_case + "dy");
  auto cache = hg::detail::plan<Scalar>(layer, x.rows(), x.cols(), hg::Purpose::training);
  const hg::ConstMatrixView<Scalar> view(x);
  const auto y = hg::detail::propagate<Scalar>(layer, view, cache, hg::Inference{}, {0, x.rows()});
  hg::Matrix<Scalar> dx(x.rows(), x.cols());
  hg::detail::backward_inputs<Scalar>(layer, view, hg::ConstMatrixView<Scalar>(dy), cache, nullptr,
                                      hg::MatrixView<Scalar>(dx), {0, x.rows()});
  CHECK(difference(y, golden.matrix<Scalar>(file_case + "y")) == "");
  CHECK(difference(dx, golden.matrix<Scalar>(file_case + "dx")) == "");
}

template <class Layer>
void check(const Layer& layer, const std::string& name) {
  check_golden<float>(layer, name);
  check_golden<double>(layer, name);
  for (const double x : {-30.0, -3.0, -0.7, -0.01, 0.02, 0.9, 4.0, 30.0}) {
    const double claimed = hg::differentiate(layer, x, hg::activate(layer, x));
    CAPTURE(x);
    CHECK(gradcheck([&](std::span<const double> v) { return hg::activate(layer, v[0]); }, {x}, {{claimed}}) == "");
  }
}

}  // namespace

TEST_CASE("ReLU") { check(hg::ReLU{}, "relu"); }
TEST_CASE("LeakyReLU") {
  check(hg::LeakyReLU{}, "leaky_relu");
  check(hg::LeakyReLU{.negative_slope = 0.2}, "leaky_relu_steep");
}
TEST_CASE("Sigmoid") { check(hg::Sigmoid{}, "sigmoid"); }
TEST_CASE("Tanh") { check(hg::Tanh{}, "tanh"); }
TEST_CASE("Softplus") {
  check(hg::Softplus{}, "softplus");
  check(hg::Softplus{.beta = 2}, "softplus_beta_2");
}
TEST_CASE("ELU") {
  check(hg::ELU{}, "elu");
  check(hg::ELU{.alpha = 0.5}, "elu_half");
}
TEST_CASE("GELU") { check(hg::GELU{}, "gelu"); }
TEST_CASE("Identity") {
  CHECK(hg::activate(hg::Identity{}, -3.5f) == -3.5f);
  CHECK(hg::differentiate(hg::Identity{}, -3.5, -3.5) == 1.0);
}

TEST_CASE("a user's own activation is a struct of two functions") {
  struct Square {
    float value(float x) const { return x * x; }
    double value(double x) const { return x * x; }
    float derivative(float x, float) const { return 2 * x; }
    double derivative(double x, double) const { return 2 * x; }
  };
  static_assert(hg::Activation<Square>);
  const hg::Sequential model{Square{}, Square{}};
  const hg::Matrix<float> x{{2, -1}};
  CHECK(model(x) == hg::Matrix<float>{{16, 1}});
}
