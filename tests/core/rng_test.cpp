#include "hourglass/core/rng.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <span>
#include <vector>

namespace hg = hourglass;

TEST_CASE("the seed fixes the numbers, on every machine") {
  hg::Rng rng{42};
  CHECK(rng() == hg::philox4x32({0, 0, 0, 0}, {42, 0})[0]);
  const std::vector<hg::Index> order = hg::Rng{7}.permutation(8);
  CHECK(order == std::vector<hg::Index>{3, 4, 2, 1, 6, 0, 5, 7});
  std::array<float, 4> normal{};
  hg::Rng{7}.fill_normal(std::span<float>(normal));
  CHECK(normal[0] == doctest::Approx(0.000291469332).epsilon(1e-6));
  CHECK(normal[3] == doctest::Approx(1.06787205).epsilon(1e-6));
  static_assert(std::uniform_random_bit_generator<hg::Rng>);
}

TEST_CASE("the state resumes anywhere") {
  hg::Rng rng{5, 3};
  for (int draws = 0; draws < 11; ++draws) {
    hg::Rng copy{rng.state()};
    hg::Rng other = rng;
    for (int i = 0; i < 9; ++i) CHECK(copy() == other());
    CHECK(copy.state() == other.state());
    (void)rng();
  }
}

TEST_CASE("streams and splits differ") {
  std::set<std::uint32_t> first;
  for (std::uint64_t stream = 0; stream < 100; ++stream) first.insert(hg::Rng{1, stream}());
  CHECK(first.size() == 100);
  hg::Rng rng{1};
  hg::Rng child = rng.split();
  hg::Rng sibling = rng.split();
  CHECK(child() != sibling());
}

TEST_CASE_TEMPLATE("uniform: range, mean, variance, and pieces equal the whole", Scalar, float, double) {
  std::vector<Scalar> values(100000);
  hg::Rng rng{1};
  rng.fill_uniform(std::span<Scalar>(values), Scalar(-1), Scalar(3));
  double sum = 0;
  double squares = 0;
  for (const Scalar v : values) {
    CHECK_UNARY(v >= -1 && v < 3);
    sum += v;
    squares += double{v} * v;
  }
  const double mean = sum / 1e5;
  CHECK(std::abs(mean - 1) < 5 * 4 / std::sqrt(12e5));
  CHECK(squares / 1e5 - mean * mean == doctest::Approx(16.0 / 12).epsilon(0.02));
  // A fill does not depend on how many elements follow.
  std::vector<Scalar> head(10);
  hg::Rng{1}.fill_uniform(std::span<Scalar>(head), Scalar(-1), Scalar(3));
  CHECK(std::equal(head.begin(), head.end(), values.begin()));
}

TEST_CASE_TEMPLATE("normal: moments and tails", Scalar, float, double) {
  std::vector<Scalar> values(200001);
  hg::Rng{2}.fill_normal(std::span<Scalar>(values), Scalar(1), Scalar(2));
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  int beyond = 0;
  for (const Scalar v : values) {
    const double z = (double{v} - 1) / 2;
    sum += z, squares += z * z, cubes += z * z * z, fourths += z * z * z * z;
    if (std::abs(z) > 2.5758293) ++beyond;  // 1 % of a normal distribution
  }
  CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(2 / n));
  CHECK(std::abs(cubes / n) < 5 * std::sqrt(15 / n));
  CHECK(std::abs(fourths / n - 3) < 5 * std::sqrt(96 / n));
  CHECK(std::abs(beyond / n - 0.01) < 5 * std::sqrt(0.01 / n));
}

TEST_CASE("below is uniform, permutation is one, shuffle keeps the elements") {
  hg::Rng rng{3};
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts[static_cast<std::size_t>(rng.below(7))];
  for (const int count : counts) CHECK(std::abs(count - 10000) < 500);
  std::vector<hg::Index> order = rng.permutation(1000);
  CHECK(!std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (hg::Index i = 0; i < 1000; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
  CHECK(rng.permutation(0).empty());
  CHECK_THROWS_AS((void)rng.below(0), hg::DataError);
  CHECK_THROWS_AS((void)rng.permutation(-1), hg::DataError);
}
