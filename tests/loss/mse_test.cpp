#include "hourglass/loss/mse.hpp"

#include <doctest/doctest.h>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("MSELoss agrees with PyTorch", Scalar, float, double) {
  match_golden<Scalar>(hg::MSELoss{}, "mse", "real");
}
TEST_CASE("MSELoss agrees with central differences") {
  match_central_differences(hg::MSELoss{}, -2, 2);
  match_central_differences(hg::MSELoss{hg::Reduction::batchmean}, -2, 2);
}
TEST_CASE_TEMPLATE("MSELoss gives the same bits at any number of threads", Scalar, float, double) {
  ignores_threads<Scalar>(hg::MSELoss{});
}
