#include "hourglass/core/blocks.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace hg = hourglass;

TEST_CASE_TEMPLATE("every term is added once, whatever the length", Scalar, float, double) {
  for (const hg::Index begin : {0, 1, 64, 100})
    for (hg::Index count = 0; count < 200; ++count) {
      std::vector<int> visits(400);
      const double sum = hg::block_sum<Scalar>(begin, begin + count, [&](hg::Index first, auto n, Scalar* out) {
        for (hg::Index i = 0; i < n; ++i) {
          ++visits[static_cast<std::size_t>(first + i)];
          out[i] = static_cast<Scalar>(first + i);
        }
      });
      CHECK(sum == static_cast<double>(count) * static_cast<double>(2 * begin + count - 1) / 2);
      for (hg::Index i = 0; i < 400; ++i)
        REQUIRE(visits[static_cast<std::size_t>(i)] == (i >= begin && i < begin + count ? 1 : 0));
    }
}

TEST_CASE("long sums are accurate and do not depend on the number of threads") {
  const auto tenth = [](hg::Index, auto n, float* out) {
    for (hg::Index i = 0; i < n; ++i) out[i] = 0.1f;
  };
  const auto wave = [](hg::Index first, auto n, float* out) {
    for (hg::Index i = 0; i < n; ++i) out[i] = 1.0f / static_cast<float>(first + i + 1);
  };
  CHECK(hg::parallel_block_sum<float>(10'000'000, tenth) == doctest::Approx(double{0.1f} * 1e7).epsilon(1e-7));
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const double one = hg::parallel_block_sum<float>(1'000'003, wave);
  for (const int threads : {2, 5}) {
    hg::set_num_threads(threads);
    CHECK(hg::parallel_block_sum<float>(1'000'003, wave) == one);
  }
  hg::set_num_threads(before);
  CHECK(one == doctest::Approx(14.392729).epsilon(1e-6));  // ln n + 0.577216, n = 1000003
}
