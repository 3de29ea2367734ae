#include "hourglass/loss/free_bits.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE("the floor is on the mean over the batch of each dimension, not on each sample") {
  // KL of N(mu, 1) is mu^2 / 2: dimension 0 has 0.5 and 2, mean 1.25; dimension 1 has 0.02 and 0.08, mean 0.05.
  const hg::Matrix<double> mu{{1, 0.2}, {2, 0.4}};
  const hg::Matrix<double> logvar(2, 2);
  const auto kl = hg::free_bits_kl(mu, logvar, 0.6);
  CHECK(kl.kl == doctest::Approx(1.3));
  CHECK(kl.floored == doctest::Approx(1.85));
  CHECK(hg::free_bits_kl(mu, logvar, 0).floored == doctest::Approx(hg::kl_divergence(mu, logvar)));
  hg::Matrix<double> dmu = hg::Matrix<double>::Constant(2, 2, 7);
  hg::Matrix<double> dlogvar = dmu;
  (void)hg::accumulate_free_bits_kl(mu, logvar, dmu, dlogvar, 0.6, 3.0);
  CHECK(dmu(0, 0) == doctest::Approx(7 + 3 * 0.5));
  CHECK(dmu(1, 0) == doctest::Approx(7 + 3 * 1.0));
  CHECK(dmu(0, 1) == 7);
  CHECK(dlogvar(1, 1) == 7);
}

TEST_CASE("gradient check across blocks of dimensions, some below the floor") {
  hg::Rng rng{3};
  const auto code = uniform(5, 2 * 70, rng, -1.5, 1.5);
  hg::Matrix<double> gradient(5, 2 * 70);
  const auto value = hg::accumulate_free_bits_kl(code.leftCols(70), code.rightCols(70), gradient.leftCols(70),
                                                 gradient.rightCols(70), 0.5, 2.0);
  CHECK(value.kl == doctest::Approx(hg::kl_divergence(code.leftCols(70), code.rightCols(70))));
  CHECK(value.floored > value.kl + 0.1);
  CHECK((gradient.array() == 0).any());
  CHECK((gradient.col(69).array() != 0).any());
  const auto f = [](std::span<const double> x) {
    const hg::ConstMatrixView<double> view(x.data(), 5, 2 * 70);
    return 2 * hg::free_bits_kl(view.leftCols(70), view.rightCols(70), 0.5).floored;
  };
  CHECK(gradcheck(f, {code.data(), code.data() + code.size()}, flat(gradient)) == "");
}

TEST_CASE("without a floor the gradients of float are those of kl_divergence") {
  hg::Rng rng{4};
  const auto code = uniform(9, 2 * 21, rng, -2.0f, 2.0f);
  hg::Matrix<float> expected(9, 2 * 21);
  hg::Matrix<float> gradient(9, 2 * 21);
  (void)hg::kl_divergence(code.leftCols(21), code.rightCols(21), expected.leftCols(21), expected.rightCols(21));
  (void)hg::accumulate_free_bits_kl(code.leftCols(21), code.rightCols(21), gradient.leftCols(21),
                                    gradient.rightCols(21), 0.0);
  CHECK(difference(gradient, expected) == "");
}

TEST_CASE("shapes that differ and empty batches are refused") {
  const hg::Matrix<double> mu(2, 3);
  CHECK_THROWS_AS((void)hg::free_bits_kl(mu, hg::Matrix<double>(2, 4), 0.1), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::free_bits_kl(hg::Matrix<double>(0, 3), hg::Matrix<double>(0, 3), 0.1), hg::DataError);
}
