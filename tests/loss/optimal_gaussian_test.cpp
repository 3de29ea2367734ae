#include "hourglass/loss/optimal_gaussian.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE("no other deviation makes the batch likelier") {
  hg::Rng rng{5};
  const auto output = uniform(4, 7, rng, -1.0, 1.0);
  const auto target = uniform(4, 7, rng, -1.0, 1.0);
  const hg::OptimalGaussianLoss loss{};
  const double best = loss.sigma(output, target);
  CHECK(best == doctest::Approx(std::sqrt((output - target).array().square().mean())));
  const double value = loss(output, target);
  CHECK(value == doctest::Approx(std::log(best) + 0.5 + 0.5 * std::log(2 * M_PI)));
  for (const double factor : {0.9, 0.99, 1.01, 1.1})
    CHECK(value < hg::FixedGaussianLoss{hg::Reduction::mean, factor * best}(output, target));
}

TEST_CASE("gradient check: the deviation moves with the outputs") {
  hg::Rng rng{6};
  const auto output = uniform(3, 4, rng, -1.0, 1.0);
  const auto target = uniform(3, 4, rng, -1.0, 1.0);
  for (const double min_sigma : {1e-3, 5.0}) {
    hg::Matrix<double> gradient(3, 4);
    const hg::OptimalGaussianLoss loss{hg::Reduction::batchmean, min_sigma};
    (void)loss(output, target, gradient);
    const auto f = [&](std::span<const double> x) { return loss(hg::ConstMatrixView<double>(x.data(), 3, 4), target); };
    CHECK(gradcheck(f, {output.data(), output.data() + output.size()}, flat(gradient)) == "");
  }
}

TEST_CASE("perfect outputs meet the least deviation, others than numbers stay so") {
  hg::Matrix<double> output{{0.5, 1}};
  CHECK(hg::OptimalGaussianLoss{}.sigma(output, output) == 1e-3);
  CHECK(std::isfinite(hg::OptimalGaussianLoss{}(output, output)));
  const hg::Matrix<double> target = output;
  output(0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(hg::OptimalGaussianLoss{}(output, target)));
  CHECK_THROWS_AS((hg::OptimalGaussianLoss{hg::Reduction::mean, 0.0}(target, target)), hg::DataError);
}
