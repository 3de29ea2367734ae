#include "hourglass/loss/mmd.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

namespace {

hg::Matrix<double> normal(hg::Index rows, hg::Index cols, hg::Rng& rng, double mean = 0, double deviation = 1) {
  hg::Matrix<double> x(rows, cols);
  rng.fill_normal(std::span<double>(x.data(), static_cast<std::size_t>(x.size())), mean, deviation);
  return x;
}

double kernel(const hg::Matrix<double>& a, const hg::Matrix<double>& b) {
  double sum = 0;
  for (const double scale : hg::mmd_scales) {
    const double c = 2 * static_cast<double>(a.size()) * scale;
    sum += c / (c + (a - b).squaredNorm());
  }
  return sum;
}

}  // namespace

TEST_CASE("the formula, pair by pair") {
  hg::Rng rng{1};
  const auto z = normal(70, 3, rng, 0.5);
  const auto p = normal(70, 3, rng);
  double expected = 0;
  for (hg::Index i = 0; i < 70; ++i)
    for (hg::Index j = 0; j < 70; ++j) {
      if (i != j) expected += (kernel(z.row(i), z.row(j)) + kernel(p.row(i), p.row(j))) / (70.0 * 69);
      expected -= 2 * kernel(z.row(i), p.row(j)) / (70.0 * 70);
    }
  CHECK(hg::mmd(z, p) == doctest::Approx(expected));
}

TEST_CASE("gradient check, added to what is there") {
  hg::Rng rng{2};
  const auto z = normal(70, 5, rng);
  const auto p = normal(70, 5, rng);
  hg::MMDScratch<double> scratch(80, 5);
  hg::Matrix<double> gradient = hg::Matrix<double>::Constant(70, 5, 1);
  CHECK(hg::accumulate_mmd<double>(z, p, gradient, scratch, 300.0) == doctest::Approx(hg::mmd(z, p)));
  gradient.array() -= 1;
  const auto f = [&](std::span<const double> x) {
    return 300 * hg::mmd(hg::Matrix<double>(hg::ConstMatrixView<double>(x.data(), 70, 5)), p);
  };
  CHECK(gradcheck(f, {z.data(), z.data() + z.size()}, flat(gradient)) == "");
}

TEST_CASE("equal distributions: 0 on average; others: above") {
  hg::Rng rng{3};
  double mean = 0;
  double square = 0;
  constexpr int repeats = 200;
  for (int i = 0; i < repeats; ++i) {
    const double value = hg::mmd(normal(30, 4, rng), normal(30, 4, rng));
    mean += value / repeats;
    square += value * value / repeats;
  }
  CHECK(std::abs(mean) < 4 * std::sqrt(square / repeats));  // a biased estimate would be near 7 / 15
  CHECK(mean < 0.02);
  CHECK(hg::mmd(normal(200, 4, rng, 1.0), normal(200, 4, rng)) > 0.2);
  CHECK(hg::mmd(normal(200, 4, rng, 0.0, 0.2), normal(200, 4, rng)) > 0.2);
}

TEST_CASE("float has the same bits on any number of threads") {
  hg::Rng rng{4};
  const hg::Matrix<float> z = normal(300, 9, rng).cast<float>();
  const hg::Matrix<float> p = normal(300, 9, rng).cast<float>();
  hg::MMDScratch<float> scratch(300, 9);
  std::vector<hg::Matrix<float>> gradients;
  for (const int count : {1, 2, 5}) {
    const Threads threads(count);
    gradients.emplace_back(300, 9);
    (void)hg::accumulate_mmd<float>(z, p, gradients.back(), scratch);
  }
  CHECK(gradients[0] == gradients[1]);
  CHECK(gradients[0] == gradients[2]);
}

TEST_CASE("single points and shapes that do not fit") {
  CHECK(hg::mmd(hg::Matrix<double>(1, 3), hg::Matrix<double>(1, 3)) == 0);
  CHECK_THROWS_AS((void)hg::mmd(hg::Matrix<double>(4, 3), hg::Matrix<double>(5, 3)), hg::ShapeError);
  hg::MMDScratch<double> scratch(3, 3);
  hg::Matrix<double> gradient(4, 3);
  CHECK_THROWS_AS(hg::accumulate_mmd<double>(gradient, gradient, gradient, scratch), hg::ShapeError);
  hg::Matrix<double> narrow(4, 2);
  CHECK_THROWS_AS(hg::accumulate_mmd<double>(gradient, gradient, narrow, scratch), hg::ShapeError);
}
