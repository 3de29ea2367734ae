#include "hourglass/metrics/ssim.hpp"

#include <doctest/doctest.h>

#include <span>

#include "golden.hpp"
#include "hourglass/core/threads.hpp"

namespace hg = hourglass;

TEST_CASE("SSIM agrees with scikit-image") {
  const Golden golden{"metrics"};
  const auto images = golden.matrix<double>("images");
  const auto noisy = golden.matrix<double>("noisy");
  const auto expected = golden.values<double>("ssim");
  const hg::SsimOptions size{.height = 24, .width = 17};
  const auto values = hg::ssim_per_image(noisy, images, size);
  CHECK(difference(std::span<const double>(values), std::span<const double>(expected), {1e-9, 0}) == "");
  CHECK(hg::ssim(images, noisy, size) == doctest::Approx((expected[0] + expected[1] + expected[2]) / 3).epsilon(1e-9));
  CHECK(hg::ssim(images, images, size) == doctest::Approx(1).epsilon(1e-12));
  const hg::Matrix<float> floats = images.cast<float>();
  CHECK(hg::ssim(noisy, floats, size) == doctest::Approx(hg::ssim(noisy, images, size)).epsilon(1e-5));

  // The three images as the planes of one.
  const hg::ConstMatrixView<double> planes(images.data(), 1, images.size());
  const hg::ConstMatrixView<double> noisy_planes(noisy.data(), 1, noisy.size());
  CHECK(hg::ssim(noisy_planes, planes, {.height = 24, .width = 17, .channels = 3}) ==
        doctest::Approx(golden.scalar<double>("ssim_of_planes")).epsilon(1e-9));

  // Twice the values in twice the range.
  const hg::Matrix<double> twice = 2 * images;
  const hg::Matrix<double> twice_noisy = 2 * noisy;
  CHECK(hg::ssim(twice_noisy, twice, {.height = 24, .width = 17, .data_range = 2}) ==
        doctest::Approx(hg::ssim(noisy, images, size)).epsilon(1e-12));
}

TEST_CASE("SSIM of square images needs no size; the smallest is one window; threads change no bit") {
  const hg::Matrix<double> black(2, 121);
  const hg::Matrix<double> white = hg::Matrix<double>(black.array() + 1.0);
  // Constant images: (2 mx my + C1) / (mx^2 + my^2 + C1).
  CHECK(hg::ssim(black, white) == doctest::Approx(1e-4 / (1 + 1e-4)).epsilon(1e-9));
  const hg::Matrix<double> many = hg::Matrix<double>::Random(40, 196).cwiseAbs();
  const hg::Matrix<double> others = many.colwise().reverse();
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const auto one = hg::ssim_per_image(many, others);
  hg::set_num_threads(3);
  CHECK(hg::ssim_per_image(many, others) == one);
  hg::set_num_threads(before);
}

TEST_CASE("sizes that do not fit are refused") {
  const hg::Matrix<float> x(1, 400);
  CHECK_THROWS_WITH_AS((void)hg::ssim(x, x, {.height = 20, .width = 21}),
                       doctest::Contains("400 features are no image of 1 x 20 x 21"), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::ssim(x, x, {.height = 20}), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::ssim(x, x, {.channels = 0}), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::ssim(x, x, {.channels = 3}), hg::ShapeError);
  CHECK_THROWS_WITH_AS((void)hg::ssim(x, x, {.height = 10, .width = 40}), doctest::Contains("smaller than the window"),
                       hg::ShapeError);
  CHECK_THROWS_AS((void)hg::ssim(x, x, {.data_range = 0}), hg::DataError);
  CHECK_THROWS_AS((void)hg::ssim(x, hg::Matrix<float>(2, 400)), hg::ShapeError);
}
