#include "hourglass/loss/huber.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("HuberLoss agrees with PyTorch", Scalar, float, double) {
  match_golden<Scalar>(hg::HuberLoss{}, "huber", "real");
  match_golden<Scalar>(hg::HuberLoss{.delta = 0.5}, "huber_half", "real");
}
TEST_CASE("HuberLoss agrees with central differences") {
  match_central_differences(hg::HuberLoss{}, -3, 3);
  match_central_differences(hg::HuberLoss{.delta = 0.3}, -1, 1);
}
TEST_CASE_TEMPLATE("HuberLoss gives the same bits at any number of threads", Scalar, float, double) {
  ignores_threads<Scalar>(hg::HuberLoss{.delta = 0.25});
}
TEST_CASE("HuberLoss refuses a delta that is not above 0") {
  const hg::Matrix<float> x(1, 1);
  for (const double delta : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK(mentions(message_of<hg::DataError>([&] { hg::HuberLoss{.delta = delta}(x, x); }), {"HuberLoss", "delta"}));
}
