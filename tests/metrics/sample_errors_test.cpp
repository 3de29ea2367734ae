#include "hourglass/metrics/sample_errors.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/images.hpp"

namespace hg = hourglass;

TEST_CASE("the mean squared error of each sample, of matrices and 8-bit images") {
  const hg::Matrix<float> output{{0, 0, 1, 1}, {0.5f, 0.5f, 0.5f, 0.5f}};
  const hg::Matrix<double> target{{0, 0, 1, 1}, {0, 1, 0, 0.5}};
  CHECK(hg::sample_errors(output, target) == std::vector<double>{0, 0.1875});
  const hg::Images images({0, 0, 255, 255, 255, 0, 255, 0}, 2, 2, 2);
  CHECK(hg::sample_errors(output, images) == std::vector<double>{0, 0.25});
  CHECK(hg::sample_errors(images.topRows(1), hg::Matrix<float>{{1, 1, 1, 1}}) == std::vector<double>{0.5});
}

TEST_CASE("many samples, and the same bits at any number of threads") {
  hg::Rng rng{1};
  hg::Matrix<float> a(700, 65);
  rng.fill_normal(std::span<float>(a.data(), static_cast<std::size_t>(a.size())));
  const hg::Matrix<float> b = 2 * a;
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const auto one = hg::sample_errors(a, b);
  hg::set_num_threads(3);
  CHECK(hg::sample_errors(a, b) == one);
  hg::set_num_threads(before);
  for (const hg::Index i : {0, 255, 256, 699})
    CHECK(one[static_cast<std::size_t>(i)] ==
          doctest::Approx(a.row(i).cast<double>().squaredNorm() / 65).epsilon(1e-12));
}

TEST_CASE("shapes that differ and empty data are refused") {
  const hg::Matrix<float> a(2, 3);
  CHECK_THROWS_WITH_AS((void)hg::sample_errors(a, hg::Matrix<float>(3, 3)),
                       doctest::Contains("output has shape (2, 3), the target (3, 3)"), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::sample_errors(a, hg::Matrix<float>(2, 4)), hg::ShapeError);
  CHECK_THROWS_WITH_AS((void)hg::sample_errors(hg::Matrix<float>(0, 3), hg::Matrix<float>(0, 3)),
                       doctest::Contains("(0, 3) is empty"), hg::DataError);
}
