#include "hourglass/loss/bce_with_logits.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "hourglass/loss/bce.hpp"
#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("BCEWithLogitsLoss agrees with PyTorch", Scalar, float, double) {
  match_golden<Scalar>(hg::BCEWithLogitsLoss{}, "logits", "real");
  match_golden<Scalar>(hg::BCEWithLogitsLoss{}, "logits_large", "large");
  match_golden<Scalar>(hg::BCEWithLogitsLoss{.pos_weight = 2.5}, "logits_weighted", "real");
}
TEST_CASE("BCEWithLogitsLoss agrees with central differences") {
  match_central_differences(hg::BCEWithLogitsLoss{}, -6, 6);
  match_central_differences(hg::BCEWithLogitsLoss{.pos_weight = 3}, -6, 6);
}
TEST_CASE_TEMPLATE("BCEWithLogitsLoss gives the same bits at any number of threads", Scalar, float, double) {
  ignores_threads<Scalar>(hg::BCEWithLogitsLoss{});
}
TEST_CASE_TEMPLATE("saturated logits: finite value, gradient sigmoid(x) - t", Scalar, float, double) {
  for (const double x : {-1e4, -50.0, 50.0, 1e4})
    for (const double t : {0.0, 0.25, 1.0}) {
      CAPTURE(x);
      CAPTURE(t);
      const hg::Matrix<Scalar> logit{{static_cast<Scalar>(x)}};
      const hg::Matrix<Scalar> target{{static_cast<Scalar>(t)}};
      hg::Matrix<Scalar> gradient(1, 1);
      const Scalar value = hg::BCEWithLogitsLoss{}(logit, target, gradient);
      CHECK(value == doctest::Approx(std::max(x, 0.0) - x * t));
      CHECK(double{gradient(0, 0)} == doctest::Approx(1 / (1 + std::exp(-x)) - t).epsilon(1e-6));
      // Even where sigmoid(x) alone is left, 2e-22 of it.
      if (x == -50 && t == 0) CHECK(gradient(0, 0) > Scalar(1.9e-22));
    }
}
TEST_CASE("logits and sigmoid + BCELoss agree where neither saturates") {
  hg::Rng rng{4};
  const auto logit = uniform(6, 11, rng, -4.0, 4.0);
  const auto target = uniform(6, 11, rng, 0.0, 1.0);
  const hg::Matrix<double> output(1 / (1 + (-logit.array()).exp()));
  CHECK(hg::BCEWithLogitsLoss{}(logit, target) == doctest::Approx(hg::BCELoss{}(output, target)).epsilon(1e-12));
}
TEST_CASE("a negative pos_weight is refused") {
  const hg::Matrix<float> x(1, 1);
  CHECK_THROWS_AS(hg::BCEWithLogitsLoss{.pos_weight = -1}(x, x), hg::DataError);
}
