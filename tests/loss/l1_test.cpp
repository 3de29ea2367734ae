#include "hourglass/loss/l1.hpp"

#include <doctest/doctest.h>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("L1Loss agrees with PyTorch", Scalar, float, double) {
  match_golden<Scalar>(hg::L1Loss{}, "l1", "real");
}
TEST_CASE("L1Loss agrees with central differences") { match_central_differences(hg::L1Loss{}, -2, 2); }
TEST_CASE_TEMPLATE("L1Loss gives the same bits at any number of threads", Scalar, float, double) {
  ignores_threads<Scalar>(hg::L1Loss{});
}
TEST_CASE("the gradient of L1Loss where output and target are equal is 0") {
  const hg::Matrix<float> output{{0.25f, 0.5f, 0.75f}};
  const hg::Matrix<float> target{{0.5f, 0.5f, 0.5f}};
  hg::Matrix<float> gradient(1, 3);
  CHECK(hg::L1Loss{hg::Reduction::sum}(output, target, gradient) == 0.5f);
  CHECK(gradient == hg::Matrix<float>{{-1, 0, 1}});
}
