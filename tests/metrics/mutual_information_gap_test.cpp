#include "hourglass/metrics/mutual_information_gap.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "golden.hpp"

namespace hg = hourglass;

namespace {

// Two independent factors of 4 and 3 values, every combination once.
hg::Matrix<int> all_combinations() {
  hg::Matrix<int> factors(12, 2);
  for (int i = 0; i < 12; ++i) factors.row(i) << i % 4, 10 * (i / 4);
  return factors;
}

}  // namespace

TEST_CASE("mutual information and gap agree with scikit-learn's mutual_info_score over 20 bins") {
  const Golden golden{"metrics"};
  const auto codes = golden.matrix<double>("codes");
  const hg::Matrix<int> factors = golden.matrix<double>("factors").cast<int>();
  CHECK(difference(hg::mutual_information(codes, factors), golden.matrix<double>("mutual_information"),
                   {1e-12, 1e-12}) == "");
  CHECK(hg::mutual_information_gap(codes, factors) == doctest::Approx(golden.scalar<double>("gap")).epsilon(1e-12));
}

TEST_CASE("one dimension per factor gives a gap of 1, rotated codes less, equal ones 0") {
  const auto factors = all_combinations();
  const hg::Matrix<float> aligned = factors.cast<float>();
  CHECK(hg::mutual_information_gap(aligned, factors) == doctest::Approx(1));
  CHECK(hg::mutual_information(aligned, factors)(0, 0) == doctest::Approx(std::log(4.0)));
  CHECK(hg::mutual_information(aligned, factors)(1, 0) == doctest::Approx(0));
  hg::Matrix<float> same(12, 2);
  same.col(0) = aligned.col(0);
  same.col(1) = aligned.col(0);
  CHECK(hg::mutual_information_gap(same, factors) == doctest::Approx(0));
  hg::Matrix<float> mixed = aligned;
  mixed.col(0) += 0.3f * aligned.col(1);
  CHECK(hg::mutual_information_gap(mixed, factors) < 0.8);
  CHECK(hg::mutual_information(hg::Matrix<float>(12, 1), factors)(0, 0) == doctest::Approx(0));
}

TEST_CASE("codes and factors that cannot be compared are refused") {
  const auto factors = all_combinations();
  const hg::Matrix<float> codes(12, 2);
  CHECK_THROWS_WITH_AS((void)hg::mutual_information_gap(hg::Matrix<float>(11, 2), factors),
                       doctest::Contains("11 codes, 12 rows of factors"), hg::ShapeError);
  CHECK_THROWS_WITH_AS((void)hg::mutual_information_gap(codes, hg::Matrix<int>(12, 1)),
                       doctest::Contains("factor 0 has the same value"), hg::DataError);
  CHECK_THROWS_AS((void)hg::mutual_information_gap(hg::Matrix<float>(12, 1), factors), hg::DataError);
  CHECK_THROWS_AS((void)hg::mutual_information_gap(codes, hg::Matrix<int>(12, 0)), hg::DataError);
  CHECK_THROWS_AS((void)hg::mutual_information(codes, factors, 0), hg::DataError);
  CHECK_THROWS_AS((void)hg::mutual_information(hg::Matrix<float>(0, 2), hg::Matrix<int>(0, 2)), hg::DataError);
  hg::Matrix<float> broken = codes;
  broken(3, 1) = NAN;
  CHECK_THROWS_WITH_AS((void)hg::mutual_information(broken, factors), doctest::Contains("row 3, column 1"),
                       hg::DataError);
}
