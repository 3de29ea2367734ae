#include "hourglass/loss/bce.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("BCELoss agrees with PyTorch", Scalar, float, double) {
  match_golden<Scalar>(hg::BCELoss{}, "bce", "unit");
  match_golden<Scalar>(hg::BCELoss{}, "bce_saturated", "saturated");
}
TEST_CASE("BCELoss agrees with central differences") {
  match_central_differences(hg::BCELoss{}, 0.05, 0.95);
  match_central_differences(hg::BCELoss{hg::Reduction::sum}, 0.05, 0.95);
}
TEST_CASE_TEMPLATE("BCELoss gives the same bits at any number of threads", Scalar, float, double) {
  ignores_threads<Scalar>(hg::BCELoss{});
}
TEST_CASE("logarithms are clamped at -100") {
  const hg::Matrix<float> output{{0, 1, 0, 1}};
  const hg::Matrix<float> target{{0, 1, 1, 0}};
  CHECK(hg::BCELoss{hg::Reduction::sum}(output, target) == 200);
}
TEST_CASE_TEMPLATE("an output outside [0, 1] is named", Scalar, float, double) {
  constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
  hg::Rng rng{3};
  const auto target = uniform<Scalar>(40, 30, rng, 0, 1);
  for (const Scalar bad : {Scalar(-0.001), Scalar(1.001), -std::numeric_limits<Scalar>::min(), -infinity, infinity,
                           std::nextafter(Scalar(1), Scalar(2)), std::numeric_limits<Scalar>::quiet_NaN()}) {
    CAPTURE(bad);
    for (const Scalar bad_target : {Scalar(0), Scalar(0.5), Scalar(1)}) {
      auto output = uniform<Scalar>(40, 30, rng, 0, 1);
      auto targets = target;
      output(31, 17) = bad;
      targets(31, 17) = bad_target;
      const std::string text = message_of<hg::DataError>([&] { hg::BCELoss{}(output, targets); });
      CHECK(mentions(text, {"BCELoss", "row 31", "column 17", "Sigmoid", "BCEWithLogitsLoss"}));
    }
  }
  auto output = uniform<Scalar>(40, 30, rng, 0, 1);
  output(2, 3) = Scalar(1.5);
  CHECK(mentions(message_of<hg::DataError>([&] { hg::BCELoss{}(output, target); }), {"1.5"}));
  hg::Matrix<Scalar> gradient(40, 30);
  CHECK_THROWS_AS(hg::BCELoss{}(output, target, gradient), hg::DataError);
  output(2, 3) = -Scalar(0);
  CHECK_NOTHROW(hg::BCELoss{}(output, target));
}
TEST_CASE("a target that is not finite is named") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (const float y : {0.0f, 0.5f, 1.0f}) {
      hg::Matrix<float> output(4, 5);
      output.setConstant(y);
      hg::Matrix<float> target(4, 5);
      target(2, 1) = bad;
      CHECK(mentions(message_of<hg::DataError>([&] { hg::BCELoss{}(output, target); }),
                     {"target", "row 2", "column 1", "finite"}));
    }
}
