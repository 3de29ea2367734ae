#include "hourglass/loss/kl_divergence.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("kl_divergence agrees with PyTorch, clamped elements included", Scalar, float, double) {
  const Golden golden{"losses"};
  const std::string suffix = golden_suffix<Scalar>;
  const auto mu = golden.matrix<Scalar>("kl_" + suffix + ".mu");
  const auto logvar = golden.matrix<Scalar>("kl_" + suffix + ".logvar");
  for (const auto& [name, reduction] :
       {std::pair{"mean", hg::Reduction::mean}, {"sum", hg::Reduction::sum}, {"batchmean", hg::Reduction::batchmean}}) {
    const std::string key = std::string("kl_") + name + "_" + suffix;
    CAPTURE(key);
    hg::Matrix<Scalar> dmu(5, 3);
    hg::Matrix<Scalar> dlogvar(5, 3);
    const Scalar value = hg::kl_divergence(mu, logvar, dmu, dlogvar, reduction);
    CHECK(hg::kl_divergence(mu, logvar, reduction) == value);
    CHECK(difference(value, golden.scalar<Scalar>(key + ".value")) == "");
    CHECK(difference(dmu, golden.matrix<Scalar>(key + ".mu_gradient")) == "");
    CHECK(difference(dlogvar, golden.matrix<Scalar>(key + ".logvar_gradient")) == "");
    CHECK(dlogvar(0, 0) == 0);
    CHECK(dlogvar(0, 1) == 0);
    CHECK(dlogvar(0, 2) > 1000);
  }
  CHECK(hg::count_clamped_logvar(logvar) == 2);
  CHECK(hg::count_clamped_logvar(mu) == 0);
}

TEST_CASE("mu and logvar may be the halves of one matrix, and so may their gradients") {
  hg::Rng rng{12};
  const auto code = uniform(5, 6, rng, -2.0, 2.0);
  hg::Matrix<double> gradient(5, 6);
  const double value = hg::kl_divergence(code.leftCols(3), code.rightCols(3), gradient.leftCols(3),
                                         gradient.rightCols(3), hg::Reduction::sum);
  const hg::Matrix<double> mu(code.leftCols(3));
  const hg::Matrix<double> logvar(code.rightCols(3));
  CHECK(value == hg::kl_divergence(mu, logvar, hg::Reduction::sum));
  const auto f = [](std::span<const double> x) {
    const hg::ConstMatrixView<double> view(x.data(), 5, 6);
    return hg::kl_divergence(view.leftCols(3), view.rightCols(3), hg::Reduction::sum);
  };
  CHECK(gradcheck(f, {code.data(), code.data() + code.size()}, flat(gradient)) == "");

  // Strided maps, as a caller with raw memory would make them.
  using Strided = Eigen::Map<const hg::RowMajorMatrix<double>, 0, Eigen::OuterStride<>>;
  CHECK(hg::kl_divergence(Strided(code.data(), 5, 3, Eigen::OuterStride<>(6)),
                          Strided(code.data() + 3, 5, 3, Eigen::OuterStride<>(6)), hg::Reduction::sum) == value);
}

TEST_CASE("accumulate_kl_divergence adds the weighted gradient and returns the plain value") {
  hg::Rng rng{13};
  const auto code = uniform(4, 140, rng, -2.0, 2.0);
  hg::Matrix<double> gradient(4, 140);
  const double value =
      hg::kl_divergence(code.leftCols(70), code.rightCols(70), gradient.leftCols(70), gradient.rightCols(70));
  hg::Matrix<double> total(4, 140);
  total.setConstant(0.5);
  CHECK(hg::accumulate_kl_divergence(code.leftCols(70), code.rightCols(70), total.leftCols(70), total.rightCols(70),
                                     4.0) == value);
  const hg::Matrix<double> expected(0.5 + 4.0 * gradient.array());
  CHECK(difference(total, expected, {1e-14, 1e-14}) == "");
}

TEST_CASE("the closed form agrees with Monte Carlo") {
  const hg::Matrix<double> mu{{0.7, -1.2, 0.1}};
  const hg::Matrix<double> logvar{{-1.0, 0.5, 0.0}};
  const double exact = hg::kl_divergence(mu, logvar);
  hg::Rng rng{14};
  constexpr int samples = 200000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < samples; ++i) {
    double log_ratio = 0;
    for (hg::Index j = 0; j < 3; ++j) {
      const double epsilon = rng.normal<double>();
      const double z = mu(0, j) + std::exp(0.5 * logvar(0, j)) * epsilon;
      log_ratio += -0.5 * (logvar(0, j) + epsilon * epsilon) + 0.5 * z * z;
    }
    sum += log_ratio;
    squares += log_ratio * log_ratio;
  }
  const double mean = sum / samples;
  const double error = std::sqrt((squares / samples - mean * mean) / samples);
  CHECK(error < 0.01 * exact);
  CHECK(std::abs(mean - exact) < 3 * error);
}

TEST_CASE("known values, and extremes") {
  CHECK(hg::kl_divergence(hg::Matrix<float>(3, 2), hg::Matrix<float>(3, 2)) == 0);
  CHECK(hg::kl_divergence(hg::Matrix<double>{{2}}, hg::Matrix<double>{{0}}) == 2);
  constexpr float huge = std::numeric_limits<float>::max();
  CHECK(std::isfinite(hg::kl_divergence(hg::Matrix<float>{{0, 0}}, hg::Matrix<float>{{huge, -huge}})));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(hg::kl_divergence(hg::Matrix<float>{{0, 0}}, hg::Matrix<float>{{nan, 0}})));
  CHECK(hg::clamp_logvar(25.0) == hg::max_logvar);
  CHECK(hg::clamp_logvar(-31.0f) == -30.0f);
  CHECK(hg::clamp_logvar(3.0) == 3.0);
}

TEST_CASE("the same bits at any number of threads") {
  hg::Rng rng{15};
  const auto code = uniform(20001, 6, rng, -2.0f, 2.0f);
  hg::Matrix<float> gradients[2];
  float values[2];
  for (const int several : {0, 1}) {
    const Threads threads{several ? 3 : 1};
    gradients[several] = hg::Matrix<float>(20001, 6);
    values[several] = hg::kl_divergence(code.leftCols(3), code.rightCols(3), gradients[several].leftCols(3),
                                        gradients[several].rightCols(3));
  }
  CHECK(values[0] == values[1]);
  CHECK(gradients[0] == gradients[1]);
}

TEST_CASE("wrong shapes and empty batches are refused") {
  const hg::Matrix<float> mu(3, 4);
  hg::Matrix<float> small(3, 3);
  hg::Matrix<float> right(3, 4);
  CHECK(mentions(message_of<hg::ShapeError>([&] { (void)hg::kl_divergence(mu, small); }),
                 {"logvar", "(3, 4)", "(3, 3)"}));
  CHECK_THROWS_AS(hg::kl_divergence(mu, mu, small, right), hg::ShapeError);
  CHECK_THROWS_AS(hg::kl_divergence(mu, mu, right, small), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::kl_divergence(hg::Matrix<float>(0, 4), hg::Matrix<float>(0, 4)), hg::DataError);
}
