#include "hourglass/metrics/psnr.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>

#include "golden.hpp"

namespace hg = hourglass;

TEST_CASE("PSNR agrees with scikit-image, and with sums done by hand") {
  const Golden golden{"metrics"};
  const auto images = golden.matrix<double>("images");
  const auto noisy = golden.matrix<double>("noisy");
  const auto expected = golden.values<double>("psnr");
  const auto values = hg::psnr_per_image(noisy, images);
  CHECK(difference(std::span<const double>(values), std::span<const double>(expected), {1e-12, 0}) == "");
  CHECK(hg::psnr(noisy, images) == doctest::Approx((expected[0] + expected[1] + expected[2]) / 3).epsilon(1e-12));

  const hg::Matrix<float> zero(1, 4);
  CHECK(hg::psnr(zero, hg::Matrix<double>{{0.1, 0.1, 0.1, 0.1}}) == doctest::Approx(20));
  CHECK(hg::psnr(zero, hg::Matrix<double>{{25.5, 25.5, 25.5, 25.5}}, 255) == doctest::Approx(20));
  CHECK(hg::psnr(zero, zero) == HUGE_VAL);
}

TEST_CASE("a peak that is not above 0, and shapes that differ, are refused") {
  const hg::Matrix<float> x(1, 4);
  CHECK_THROWS_WITH_AS((void)hg::psnr(x, x, 0), doctest::Contains("peak must be above 0"), hg::DataError);
  CHECK_THROWS_WITH_AS((void)hg::psnr(x, hg::Matrix<float>(1, 5)), doctest::Contains("psnr: the output has shape"),
                       hg::ShapeError);
}
