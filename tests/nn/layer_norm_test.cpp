#include "hourglass/nn/layer_norm.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "gradcheck.hpp"
#include "hourglass/nn/initialize.hpp"
#include "nn/normalization.hpp"

namespace hg = hourglass;
using hourglass_test::normal;

TEST_CASE_TEMPLATE("three steps and an evaluation as in PyTorch", Scalar, float, double) {
  using Norm = hg::LayerNorm<hg::Dynamic, Scalar>;
  hourglass_test::check_golden<Scalar>(Norm{5}, "layer_norm");
  hourglass_test::check_golden<Scalar>(Norm{5, {.elementwise_affine = false}}, "layer_norm_plain");
  hourglass_test::check_golden<Scalar>(Norm{hg::Shape{3, 2, 2}}, "layer_norm_images");
}

TEST_CASE("gradients at any width, of input and parameters") {
  hg::Rng rng{1};
  for (const hg::Index width : {2, 15, 64, 131}) {
    CAPTURE(width);
    hg::LayerNorm<hg::Dynamic, double> layer{width};
    layer.weight() = normal<double>(1, width, 1);
    layer.bias() = normal<double>(1, width, 2);
    const auto x = normal<double>(3, width, 3, 1.0);
    const auto dy = normal<double>(3, width, 4);
    const auto size = static_cast<std::size_t>(x.size());
    const auto claimed = hourglass_test::passes<double>(layer, x, dy, hg::Training{rng});
    const auto value = [&](const auto& with, const hg::Matrix<double>& input) {
      const hg::Matrix<double> y = hg::detail::apply(with, hg::ConstMatrixView<double>(input));
      return y.cwiseProduct(dy).sum();
    };
    CHECK(gradcheck(
              [&](std::span<const double> flat) {
                return value(layer, hg::Matrix<double>(hg::ConstMatrixView<double>(flat.data(), 3, width)));
              },
              {x.data(), x.data() + size}, std::span(claimed).subspan(size, size)) == "");
    for (const bool bias : {false, true}) {
      const auto slot = 2 * size + (bias ? static_cast<std::size_t>(hg::slot_size<double>(width)) : 0);
      const auto of = [&](auto& norm) { return bias ? norm.bias() : norm.weight(); };
      CHECK(gradcheck(
                [&](std::span<const double> flat) {
                  auto changed = layer;
                  of(changed) = hg::ConstMatrixView<double>(flat.data(), 1, width);
                  return value(changed, x);
                },
                {of(layer).data(), of(layer).data() + width},
                std::span(claimed).subspan(slot, static_cast<std::size_t>(width))) == "");
    }
  }
}

TEST_CASE("numbers far from zero keep their digits") {
  const auto x = normal<float>(20, 300, 5, 1e4);
  const hg::Matrix<double> exact(x.cast<double>());
  const hg::Matrix<float> y = hg::Sequential{hg::LayerNorm{300}}(x);
  const hg::Matrix<double> expected = hg::Sequential{hg::LayerNorm<300, double>{}}(exact);
  CHECK((y.cast<double>() - expected).cwiseAbs().maxCoeff() < 1e-6);
  CHECK(std::abs(expected.row(3).mean()) < 1e-12);
  CHECK(expected.row(3).squaredNorm() / 300 == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("the same bits on every instruction set and at any number of threads") {
  hourglass_test::check_same_bits(hg::LayerNorm{403}, 301, 403);
}

TEST_CASE("a row by itself, in any mode, gives the same") {
  const auto x = normal<float>(9, 12, 1);
  const hg::Sequential model{hg::LayerNorm<12>{}};
  hg::Workspace workspace{model, 9};
  hg::Rng rng{1};
  const hg::Matrix<float> all = model(x);
  for (hg::Index i = 0; i < 9; ++i) CHECK(model(hg::Matrix<float>(x.row(i))) == all.row(i));
  CHECK(hg::Matrix<float>(model.forward(x, workspace, hg::Training{rng})) == all);
}

TEST_CASE("initialize leaves ones and zeros, also where the weight has the shape of images") {
  hg::LayerNorm layer{hg::Shape{2, 3, 4}};
  hg::Rng rng{1};
  layer.weight().setConstant(7);
  layer.bias().setConstant(7);
  hg::initialize(layer, rng);
  CHECK(layer.weight() == hg::Matrix<float>::Ones(1, 24));
  CHECK(layer.bias() == hg::Matrix<float>::Zero(1, 24));
  hg::for_each_parameter(layer, [](const auto&, const auto& p) { CHECK(p.shape() == hg::Shape{2, 3, 4}); });
}

TEST_CASE("errors name the numbers") {
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::LayerNorm{4}, hg::LayerNorm{5}}), doctest::Contains("expects 5"),
                       hg::ShapeError);
  const hg::Matrix<float> x(2, 5);
  CHECK_THROWS_WITH_AS((void)hg::Sequential{hg::LayerNorm{4}}(x),
                       doctest::Contains("input has 5 features, the layer has 4"), hg::ShapeError);
  CHECK_THROWS_AS(hg::LayerNorm{0}, hg::ShapeError);
  CHECK_THROWS_AS((hg::LayerNorm{4, {.eps = std::nan("")}}), hg::DataError);
}
