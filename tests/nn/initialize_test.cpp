#include "hourglass/nn/initialize.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"

namespace hg = hourglass;

namespace {

struct Moments {
  double mean, variance, largest;
};

template <class Map>
Moments moments(const Map& values) {
  double sum = 0, squares = 0, largest = 0;
  for (hg::Index i = 0; i < values.size(); ++i) {
    const double v = values.data()[i];
    sum += v, squares += v * v, largest = std::max(largest, std::abs(v));
  }
  const auto n = static_cast<double>(values.size());
  return {sum / n, squares / n - sum / n * (sum / n), largest};
}

template <class Initializer>
hg::Linear<> initialized(const Initializer& initializer) {
  hg::Linear layer{300, 200};
  hg::Rng rng{1};
  hg::initialize(layer, rng, initializer);
  return layer;
}

void check_uniform(const Moments& m, double bound) {
  CHECK(m.largest <= bound);
  CHECK(m.largest > 0.999 * bound);
  CHECK(std::abs(m.mean) < 5 * bound / std::sqrt(3.0 * 60000));
  CHECK(m.variance == doctest::Approx(bound * bound / 3).epsilon(0.02));
}

void check_normal(const Moments& m, double deviation) {
  CHECK(m.variance == doctest::Approx(deviation * deviation).epsilon(0.02));
  CHECK(m.largest > 3.5 * deviation);
  CHECK(std::abs(m.mean) < 5 * deviation / std::sqrt(60000.0));
}

}  // namespace

TEST_CASE("the default is PyTorch's: U(+-1/sqrt(fan_in)) for weight and bias") {
  const auto layer = initialized(hg::DefaultInit{});
  check_uniform(moments(layer.weight()), 1 / std::sqrt(300.0));
  CHECK(moments(layer.bias()).largest <= 1 / std::sqrt(300.0));
  CHECK(moments(layer.bias()).largest > 0.9 / std::sqrt(300.0));
}

TEST_CASE("Kaiming and Xavier") {
  check_uniform(moments(initialized(hg::KaimingUniform{}).weight()), std::sqrt(6.0 / 300));
  check_uniform(moments(initialized(hg::KaimingUniform{.negative_slope = 1}).weight()), std::sqrt(3.0 / 300));
  check_normal(moments(initialized(hg::KaimingNormal{}).weight()), std::sqrt(2.0 / 300));
  check_uniform(moments(initialized(hg::XavierUniform{}).weight()), std::sqrt(6.0 / 500));
  check_uniform(moments(initialized(hg::XavierUniform{.gain = 2}).weight()), 2 * std::sqrt(6.0 / 500));
  check_normal(moments(initialized(hg::XavierNormal{}).weight()), std::sqrt(2.0 / 500));
  CHECK(initialized(hg::KaimingUniform{}).bias().isZero());
  CHECK(initialized(hg::XavierNormal{}).bias().isZero());
}

TEST_CASE("constants") {
  CHECK(initialized(hg::Constant{0.5}).weight().isConstant(0.5f));
  CHECK(initialized(hg::Constant{0.5}).bias().isConstant(0.5f));
  auto layer = initialized(hg::Constant{0.5});
  hg::Rng rng{1};
  hg::initialize(layer, rng, hg::Zeros{});
  CHECK(layer.weight().isZero());
}

TEST_CASE("fans of a convolution's weight count its receptive field") {
  const hg::Fans fans(hg::Shape{8, 4, 3, 5});
  CHECK(fans.in == 60);
  CHECK(fans.out == 120);
}

TEST_CASE("the same seed gives the same model; parts can be initialised on their own") {
  hg::Sequential a{hg::Linear{4, 3}, hg::ReLU{}, hg::Linear{3, 2}};
  hg::Sequential b = a;
  hg::Rng first{7};
  hg::Rng second{7};
  hg::initialize(a, first);
  hg::initialize(b, second);
  CHECK(a.layer<2>().weight() == b.layer<2>().weight());
  hg::initialize(b.layer<2>(), second, hg::Constant{1});
  CHECK(a.layer<0>().weight() == b.layer<0>().weight());
  CHECK(b.layer<2>().weight().isOnes());
}
