#include "hourglass/loss/learned_gaussian.hpp"

#include <doctest/doctest.h>

#include "hourglass/loss/gaussian_nll.hpp"
#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("the loss of a Gaussian with variance e^s", Scalar, float, double) {
  hg::Rng rng{5};
  const auto output = uniform<Scalar>(4, 2 * 70, rng, -1, 1);
  const auto target = uniform<Scalar>(4, 70, rng, -1, 1);
  const hg::Matrix<Scalar> mean = output.leftCols(70);
  const hg::Matrix<Scalar> variance = output.rightCols(70).array().exp();
  for (const auto reduction : {hg::Reduction::mean, hg::Reduction::sum, hg::Reduction::batchmean}) {
    hg::Matrix<Scalar> dmean(4, 70);
    hg::Matrix<Scalar> dvariance(4, 70);
    hg::Matrix<Scalar> gradient(4, 2 * 70);
    const Scalar value =
        hg::GaussianNLLLoss{.reduction = reduction, .full = true}(mean, target, variance, dmean, dvariance);
    const hg::LearnedGaussianLoss loss{reduction};
    CHECK(loss(output, target, gradient) == doctest::Approx(value).epsilon(1e-5));
    CHECK(loss(output, target) == loss(output, target, gradient));
    CHECK(difference(gradient.leftCols(70), dmean, {1e-5, 1e-6}) == "");
    dvariance.array() *= variance.array();
    CHECK(difference(gradient.rightCols(70), dvariance, {1e-5, 1e-6}) == "");
  }
}

TEST_CASE("gradient check, clamped log-variances included") {
  hg::Rng rng{6};
  const auto output = uniform(3, 8, rng, -1.0, 1.0);
  const auto target = uniform(3, 4, rng, -1.0, 1.0);
  hg::Matrix<double> gradient(3, 8);
  const hg::LearnedGaussianLoss loss{hg::Reduction::batchmean, -0.5, 0.5};
  (void)loss(output, target, gradient);
  CHECK((gradient.rightCols(4).array() == 0).any());
  CHECK((gradient.rightCols(4).array() != 0).any());
  const auto f = [&](std::span<const double> x) { return loss(hg::ConstMatrixView<double>(x.data(), 3, 8), target); };
  CHECK(gradcheck(f, {output.data(), output.data() + output.size()}, flat(gradient)) == "");
}

TEST_CASE("errors") {
  const hg::Matrix<double> target(3, 4);
  CHECK_THROWS_WITH_AS((void)hg::LearnedGaussianLoss{}(target, target), doctest::Contains("twice as wide"),
                       hg::ShapeError);
  CHECK_THROWS_AS((void)hg::LearnedGaussianLoss{}(hg::Matrix<double>(0, 8), hg::Matrix<double>(0, 4)), hg::DataError);
  CHECK_THROWS_AS((void)(hg::LearnedGaussianLoss{hg::Reduction::mean, 1, 1}(hg::Matrix<double>(3, 8), target)),
                  hg::DataError);
}
