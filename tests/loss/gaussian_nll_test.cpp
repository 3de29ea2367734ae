#include "hourglass/loss/gaussian_nll.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("GaussianNLLLoss agrees with PyTorch", Scalar, float, double) {
  const Golden golden{"losses"};
  const std::string suffix = golden_suffix<Scalar>;
  const auto mean = golden.matrix<Scalar>("nll_" + suffix + ".mean");
  const auto target = golden.matrix<Scalar>("real_" + suffix + ".target");
  const auto variance = golden.matrix<Scalar>("nll_" + suffix + ".variance");
  for (const bool full : {false, true})
    for (const auto& [name, reduction] : {std::pair{"mean", hg::Reduction::mean},
                                          {"sum", hg::Reduction::sum},
                                          {"batchmean", hg::Reduction::batchmean}}) {
      const std::string key = std::string(full ? "nll_full_" : "nll_") + name + "_" + suffix;
      CAPTURE(key);
      const hg::GaussianNLLLoss loss{.reduction = reduction, .full = full};
      hg::Matrix<Scalar> mean_gradient(5, 7);
      hg::Matrix<Scalar> variance_gradient(5, 7);
      const Scalar value = loss(mean, target, variance, mean_gradient, variance_gradient);
      CHECK(loss(mean, target, variance) == value);
      CHECK(difference(value, golden.scalar<Scalar>(key + ".value")) == "");
      CHECK(difference(mean_gradient, golden.matrix<Scalar>(key + ".mean_gradient")) == "");
      CHECK(difference(variance_gradient, golden.matrix<Scalar>(key + ".variance_gradient")) == "");
    }
}

TEST_CASE("GaussianNLLLoss agrees with central differences") {
  hg::Rng rng{5};
  for (const auto& [rows, cols] : {std::pair<hg::Index, hg::Index>{5, 7}, {1, 1}, {2, 67}}) {
    const hg::Index r = rows;
    const hg::Index c = cols;
    auto mean = uniform(r, c, rng, -1.0, 1.0);
    const auto target = uniform(r, c, rng, -1.0, 1.0);
    auto variance = uniform(r, c, rng, 0.2, 2.0);
    hg::Matrix<double> mean_gradient(r, c);
    hg::Matrix<double> variance_gradient(r, c);
    const hg::GaussianNLLLoss loss{.full = true};
    loss(mean, target, variance, mean_gradient, variance_gradient);
    const auto of_mean = [&](std::span<const double> x) {
      return loss(hg::ConstMatrixView<double>(x.data(), r, c), target, variance);
    };
    const auto of_variance = [&](std::span<const double> x) {
      return loss(mean, target, hg::ConstMatrixView<double>(x.data(), r, c));
    };
    CHECK(gradcheck(of_mean, {flat(mean).begin(), flat(mean).end()}, flat(mean_gradient)) == "");
    CHECK(gradcheck(of_variance, {flat(variance).begin(), flat(variance).end()}, flat(variance_gradient)) == "");
  }
}

TEST_CASE("GaussianNLLLoss gives the same bits at any number of threads") {
  hg::Rng rng{6};
  const auto mean = uniform(301, 211, rng, -1.0f, 1.0f);
  const auto variance = uniform(301, 211, rng, 0.1f, 1.0f);
  const hg::Matrix<float> target(301, 211);
  hg::Matrix<float> gradients[2][2];
  float values[2];
  for (const int several : {0, 1}) {
    const Threads threads{several ? 3 : 1};
    for (auto& gradient : gradients[several]) gradient = hg::Matrix<float>(301, 211);
    values[several] = hg::GaussianNLLLoss{}(mean, target, variance, gradients[several][0], gradients[several][1]);
  }
  CHECK(values[0] == values[1]);
  CHECK(gradients[0][0] == gradients[1][0]);
  CHECK(gradients[0][1] == gradients[1][1]);
}

TEST_CASE("GaussianNLLLoss refuses negative variances, wrong shapes and a useless eps") {
  const hg::Matrix<float> x(3, 4);
  for (const float bad :
       {-1e-9f, -1.0f, -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    hg::Matrix<float> variance(3, 4);
    variance.setOnes();
    variance(2, 1) = bad;
    CHECK(mentions(message_of<hg::DataError>([&] { hg::GaussianNLLLoss{}(x, x, variance); }),
                   {"GaussianNLLLoss", "row 2", "column 1", "Softplus"}));
  }
  CHECK(mentions(message_of<hg::ShapeError>([&] { hg::GaussianNLLLoss{}(x, x, hg::Matrix<float>(3, 1)); }),
                 {"variance", "(3, 4)", "(3, 1)"}));
  CHECK_THROWS_AS(hg::GaussianNLLLoss{.eps = 0}(x, x, x), hg::DataError);
}
