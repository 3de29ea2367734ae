#include "hourglass/loss/fixed_gaussian.hpp"

#include <doctest/doctest.h>

#include "hourglass/loss/gaussian_nll.hpp"
#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("the loss of a Gaussian with that variance everywhere", Scalar, float, double) {
  hg::Rng rng{5};
  const auto output = uniform<Scalar>(4, 70, rng, -1, 1);
  const auto target = uniform<Scalar>(4, 70, rng, -1, 1);
  const hg::Matrix<Scalar> variance = hg::Matrix<Scalar>::Constant(4, 70, Scalar(0.09));
  for (const auto reduction : {hg::Reduction::mean, hg::Reduction::sum, hg::Reduction::batchmean}) {
    hg::Matrix<Scalar> expected(4, 70);
    hg::Matrix<Scalar> unused(4, 70);
    hg::Matrix<Scalar> gradient(4, 70);
    const Scalar value =
        hg::GaussianNLLLoss{.reduction = reduction, .full = true}(output, target, variance, expected, unused);
    const hg::FixedGaussianLoss loss{reduction, 0.3};
    CHECK(loss(output, target, gradient) == doctest::Approx(value).epsilon(1e-5));
    CHECK(loss(output, target) == loss(output, target, gradient));
    CHECK(difference(gradient, expected, {1e-5, 1e-6}) == "");
  }
}

TEST_CASE("gradient check, and a deviation that is none") {
  hg::Rng rng{6};
  const auto output = uniform(3, 4, rng, -1.0, 1.0);
  const auto target = uniform(3, 4, rng, -1.0, 1.0);
  hg::Matrix<double> gradient(3, 4);
  const hg::FixedGaussianLoss loss{hg::Reduction::batchmean, 0.5};
  (void)loss(output, target, gradient);
  const auto f = [&](std::span<const double> x) { return loss(hg::ConstMatrixView<double>(x.data(), 3, 4), target); };
  CHECK(gradcheck(f, {output.data(), output.data() + output.size()}, flat(gradient)) == "");
  CHECK_THROWS_AS((hg::FixedGaussianLoss{hg::Reduction::mean, 0.0}(output, target)), hg::DataError);
  CHECK_THROWS_AS((hg::FixedGaussianLoss{hg::Reduction::mean, std::nan("")}(output, target)), hg::DataError);
}
