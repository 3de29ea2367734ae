#include "hourglass/loss/elementwise.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "hourglass/loss/l1.hpp"
#include "hourglass/loss/mse.hpp"
#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

static_assert(hg::Batch<hg::Matrix<float>> && hg::Batch<hg::MatrixView<double>> &&
              hg::Batch<hg::ConstMatrixView<float>> && hg::Batch<hg::RowMajorMatrix<double>>);
static_assert(!hg::GradientSink<const hg::Matrix<float>&, float>, "a const matrix takes no gradient");
static_assert(hg::GradientSink<hg::Matrix<float>&, float> && hg::GradientSink<hg::MatrixView<float>, float> &&
              hg::GradientSink<Workspace<float>&, float> && !hg::GradientSink<Workspace<double>&, float>);
static_assert(!std::is_invocable_v<hg::MSELoss, hg::Matrix<float>, hg::Matrix<double>>);

TEST_CASE("losses take matrices, views and Eigen's row-major matrices") {
  const hg::Matrix<double> output{{1, 2}, {3, 4}};
  const hg::RowMajorMatrix<double> target = hg::RowMajorMatrix<double>::Zero(2, 2);
  const double expected = (1.0 + 4 + 9 + 16) / 4;
  CHECK(hg::MSELoss{}(output, target) == expected);
  CHECK(hg::MSELoss{}(output.topRows(1), target.topRows(1)) == 2.5);
  CHECK(hg::MSELoss{}(hg::ConstMatrixView<double>(output), target) == expected);
  hg::Matrix<double> gradient(2, 2);
  CHECK(hg::MSELoss{hg::Reduction::sum}(output, target, hg::MatrixView<double>(gradient.data(), 2, 2)) == 30);
  CHECK(gradient(1, 1) == 8);
  CHECK_THROWS_AS(hg::MSELoss{}(output.leftCols(1), target.leftCols(1)), hg::ShapeError);
}

TEST_CASE("the gradient may replace the output") {
  hg::Matrix<double> output{{1, -2}};
  const hg::Matrix<double> target{{0, 0}};
  CHECK(hg::L1Loss{hg::Reduction::sum}(output, target, output) == 3);
  CHECK(output(0, 0) == 1);
  CHECK(output(0, 1) == -1);
}

TEST_CASE("shapes that disagree are named, empty batches refused") {
  const hg::Matrix<float> output(3, 4);
  const hg::Matrix<float> target(3, 5);
  hg::Matrix<float> gradient(2, 4);
  CHECK(mentions(message_of<hg::ShapeError>([&] { hg::MSELoss{}(output, target); }), {"MSELoss", "(3, 4)", "(3, 5)"}));
  CHECK(mentions(message_of<hg::ShapeError>([&] { hg::L1Loss{}(output, output, gradient); }),
                 {"L1Loss", "(3, 4)", "(2, 4)"}));
  Workspace<float> narrow;
  CHECK(mentions(message_of<hg::ShapeError>([&] { hg::L1Loss{}(output, output, narrow); }), {"(3, 4)", "(3, 7)"}));
  const hg::Matrix<float> none(0, 4);
  CHECK(mentions(message_of<hg::DataError>([&] { hg::MSELoss{}(none, none); }), {"MSELoss", "(0, 4)", "empty"}));
}

TEST_CASE("sums of many floats keep their accuracy") {
  // 0.1f squared, a million times: a plain float sum is wrong in the third digit.
  hg::Matrix<float> output(1000, 1000);
  output.setConstant(0.1f);
  const hg::Matrix<float> target(1000, 1000);
  const double expected = static_cast<double>(0.1f * 0.1f) * 1e6;
  CHECK(hg::MSELoss{hg::Reduction::sum}(output, target) == doctest::Approx(expected).epsilon(1e-7));
}

TEST_CASE("NaN is not lost") {
  hg::Matrix<float> output(8, 100);
  output(7, 99) = std::numeric_limits<float>::quiet_NaN();
  const hg::Matrix<float> target(8, 100);
  CHECK(std::isnan(hg::MSELoss{}(output, target)));
  CHECK(std::isnan(hg::L1Loss{}(output, target)));
}
