#include "hourglass/metrics/auc.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "golden.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;

TEST_CASE("AUC with ties agrees with scikit-learn") {
  const Golden golden{"metrics"};
  const auto scores = golden.values<double>("scores");
  const auto labels = golden.values<std::int64_t>("score_labels");
  CHECK(hg::auc(scores, labels) == doctest::Approx(golden.scalar<double>("auc")).epsilon(1e-14));
}

TEST_CASE("AUC by hand: all pairs, ties counting half") {
  const std::vector<float> negatives{1, 2, 2};
  const std::vector<double> positives{2, 3};
  CHECK(hg::auc(negatives, positives) == doctest::Approx((1 + 0.5 + 0.5 + 3) / 6));
  CHECK(hg::auc(std::vector<float>{1, 2, 3, 2, 2}, std::vector<int>{0, 1, 1, 0, 0}) == doctest::Approx(5.0 / 6));
  CHECK(hg::auc(std::vector<float>{1, 2}, std::vector<float>{3, 4, 5}) == 1);
  CHECK(hg::auc(std::vector<float>{3, 4}, std::vector<float>{1, 2}) == 0);
  CHECK(hg::auc(std::vector<float>{1, 1}, std::vector<float>{1, 1, 1}) == 0.5);
  CHECK(hg::auc(std::vector<float>{1, 2}, std::vector<float>{INFINITY}) == 1);
}

TEST_CASE("scores that know nothing of the labels have an AUC of about one half") {
  hg::Rng rng{3};
  std::vector<double> scores(4000);
  rng.fill_uniform(std::span<double>(scores));
  std::vector<int> labels(scores.size());
  for (int& label : labels) label = static_cast<int>(rng.below(2));
  // The deviation is sqrt((p + n + 1) / (12 p n)) = 0.009.
  CHECK(hg::auc(scores, labels) == doctest::Approx(0.5).epsilon(0.05));
}

TEST_CASE("labels that are missing or all of one kind, and NaN, are refused") {
  const std::vector<double> scores{1, 2};
  CHECK_THROWS_WITH_AS((void)hg::auc(scores, std::vector<int>{1}), doctest::Contains("2 scores, 1 labels"),
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS((void)hg::auc(scores, std::vector<int>{1, 1}), doctest::Contains("no sample is negative"),
                       hg::DataError);
  CHECK_THROWS_WITH_AS((void)hg::auc(scores, std::vector<int>{0, 0}), doctest::Contains("no sample is positive"),
                       hg::DataError);
  CHECK_THROWS_AS((void)hg::auc(scores, std::vector<double>{NAN}), hg::DataError);
  CHECK_THROWS_AS((void)hg::auc(scores, std::vector<double>{}), hg::DataError);
}
