#include "hourglass/optim/lbfgs.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

namespace hg = hourglass;

namespace {

// Rosenbrock's valley in any number of dimensions; its minimum is 0 at (1, ..., 1).
double rosenbrock(std::span<const double> x, std::span<double> gradient) {
  double value = 0;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double a = x[i + 1] - x[i] * x[i];
    const double b = 1 - x[i];
    value += 100 * a * a + b * b;
    gradient[i] += -400 * x[i] * a - 2 * b;
    gradient[i + 1] += 200 * a;
  }
  return value;
}

}  // namespace

TEST_CASE("L-BFGS walks Rosenbrock's valley") {
  for (const std::size_t dimensions : {2u, 30u}) {
    CAPTURE(dimensions);
    std::vector<double> x(dimensions, -1.2);
    for (std::size_t i = 1; i < dimensions; i += 2) x[i] = 1;
    const auto report = hg::lbfgs(rosenbrock, x, {.max_iter = 500, .tolerance_grad = 1e-9});
    CHECK(report.converged);
    CHECK(report.max_gradient <= 1e-9);
    CHECK(report.iterations < 200);
    CHECK(report.value < 1e-15);
    for (const double value : x) CHECK(value == doctest::Approx(1).epsilon(1e-8));
  }
}

TEST_CASE("a badly scaled quadratic takes few steps, and a few of them get as far as asked") {
  const auto quadratic = [](std::span<const double> x, std::span<double> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double curvature = std::pow(10.0, static_cast<double>(i));
      gradient[i] = curvature * (x[i] - 3);
      value += 0.5 * gradient[i] * (x[i] - 3);
    }
    return value;
  };
  std::vector<double> x(5);
  CHECK(hg::lbfgs(quadratic, x).converged);
  for (const double value : x) CHECK(value == doctest::Approx(3).epsilon(1e-6));
  std::vector<double> early(5);
  const auto report = hg::lbfgs(quadratic, early, {.max_iter = 2});
  CHECK(report.iterations == 2);
  CHECK(!report.converged);
  std::vector<double> gradient(5);
  CHECK(report.value == quadratic(early, gradient));
  CHECK(report.value < 0.5 * 9 * 11111);
  CHECK(hg::lbfgs(quadratic, x, {.tolerance_grad = 1}).iterations == 0);
}

TEST_CASE("where rounding leaves no descent it ends") {
  const auto flat = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = 1e-3;  // which the value does not show
    return 1.0 + 0 * x[0];
  };
  std::vector<double> x(1, 5.0);
  const auto report = hg::lbfgs(flat, x);
  CHECK(!report.converged);
  CHECK(x[0] == 5);
}

TEST_CASE("impossible options and starts are refused") {
  std::vector<double> x(2);
  CHECK_THROWS_AS((void)hg::lbfgs(rosenbrock, x, {.max_iter = 0}), hg::DataError);
  CHECK_THROWS_AS((void)hg::lbfgs(rosenbrock, x, {.history_size = 0}), hg::DataError);
  CHECK_THROWS_AS((void)hg::lbfgs(rosenbrock, x, {.tolerance_grad = -1}), hg::DataError);
  std::vector<double> far(2, 1e200);
  CHECK_THROWS_WITH_AS((void)hg::lbfgs(rosenbrock, far), doctest::Contains("not finite at the start"), hg::DataError);
}
