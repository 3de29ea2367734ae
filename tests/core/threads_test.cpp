#include "hourglass/core/threads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

namespace hg = hourglass;

namespace {
struct Threads {
  int before = hg::num_threads();
  explicit Threads(int count) { hg::set_num_threads(count); }
  ~Threads() { hg::set_num_threads(before); }
};
}  // namespace

TEST_CASE("loops visit every index once, at any number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    const Threads setting(threads);
    std::vector<int> visits(1000);
    hg::parallel_for(1000, hg::num_threads(), [&](std::ptrdiff_t i) { ++visits[static_cast<std::size_t>(i)]; });
    for (const std::ptrdiff_t count : {0, 1, 100, 300001}) {
      std::vector<int> pieces(static_cast<std::size_t>(count));
      hg::parallel_ranges(count, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        for (std::ptrdiff_t i = begin; i < end; ++i) ++pieces[static_cast<std::size_t>(i)];
      });
      CHECK(std::accumulate(pieces.begin(), pieces.end(), 0L) == count);
      for (const int visit : pieces) CHECK_UNARY(visit == 1);
    }
    CHECK(visits == std::vector<int>(1000, 1));
  }
}

TEST_CASE("sums have the same bits at any number of threads") {
  for (const std::ptrdiff_t count : {0, 1, 4095, 16384, 1000003}) {
    const auto sum = [count] {
      return hg::parallel_sum(count, [](std::ptrdiff_t begin, std::ptrdiff_t end) {
        double part = 0;
        for (std::ptrdiff_t i = begin; i < end; ++i) part += std::sin(static_cast<double>(i));
        return part;
      });
    };
    const Threads one(1);
    const double expected = sum();
    for (const int threads : {2, 3, 8}) {
      const Threads setting(threads);
      CHECK(sum() == expected);
    }
    double plain = 0;
    for (std::ptrdiff_t i = 0; i < count; ++i) plain += std::sin(static_cast<double>(i));
    CHECK(expected == doctest::Approx(plain).epsilon(1e-9));
  }
}

TEST_CASE("the number of threads can be set, and nested loops do not multiply it") {
  const Threads setting(3);
#ifdef _OPENMP
  CHECK(hg::num_threads() == 3);
  std::atomic<int> most = 0;
  hg::parallel_for(3, 3, [&](std::ptrdiff_t) { most = std::max(most.load(), hg::num_threads()); });
  CHECK(most == 1);
#else
  CHECK(hg::num_threads() == 1);
#endif
  hg::set_num_threads(-5);
  CHECK(hg::num_threads() == 1);
}
