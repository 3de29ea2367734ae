#include "hourglass/core/crew.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "hourglass/core/threads.hpp"

namespace hg = hourglass;

namespace {

struct Threads {
  explicit Threads(int count) { hg::set_num_threads(count); }
  ~Threads() { hg::set_num_threads(before); }
  int before = hg::num_threads();
};

}  // namespace

TEST_CASE("each rank does each piece of work once, also when it has fallen asleep meanwhile") {
  hg::detail::Crew crew(3);
  std::vector<std::thread> others;
  for (int rank = 1; rank < 3; ++rank) others.emplace_back([&crew, rank] { crew.serve(rank); });
  std::array<int, 3> done{};
  for (int round = 1; round <= 2000; ++round) {
    if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    crew.run([&](int rank) { ++done[static_cast<std::size_t>(rank)]; });
    REQUIRE(done == std::array<int, 3>{round, round, round});
  }
  crew.dismiss();
  for (std::thread& other : others) other.join();
}

TEST_CASE("keep_threads: loops in it visit everything once, are serial inside, and give the same sums") {
  for (const int threads : {1, 2, 4}) {
    const Threads scope(threads);
    const int expected = hg::num_threads();
    std::vector<int> visits(1000);
    double sum = 0;
    hg::keep_threads([&] {
      CHECK(hg::num_threads() == expected);
      for (int round = 0; round < 50; ++round)
        hg::parallel_for(1000, threads, [&](std::ptrdiff_t i) {
          ++visits[static_cast<std::size_t>(i)];
          if (threads > 1 && hg::num_threads() != 1) visits[0] = -1;
          hg::parallel_for(3, 2, [](std::ptrdiff_t) {});
        });
      hg::keep_threads([&] { CHECK(hg::num_threads() == expected); });
      sum = hg::parallel_sum(100000, [](std::ptrdiff_t begin, std::ptrdiff_t end) {
        double part = 0;
        for (std::ptrdiff_t i = begin; i < end; ++i) part += 1.0 / static_cast<double>(i + 1);
        return part;
      });
    });
    CHECK(visits == std::vector<int>(1000, 50));
    CHECK(sum == hg::parallel_sum(100000, [](std::ptrdiff_t begin, std::ptrdiff_t end) {
            double part = 0;
            for (std::ptrdiff_t i = begin; i < end; ++i) part += 1.0 / static_cast<double>(i + 1);
            return part;
          }));
    CHECK(hg::num_threads() == expected);
  }
}

TEST_CASE("keep_threads hands on what its body throws") {
  const Threads scope(2);
  CHECK_THROWS_WITH_AS(hg::keep_threads([] { throw std::runtime_error("stop"); }), "stop", std::runtime_error);
  int visits = 0;
  hg::keep_threads([&] { hg::parallel_for(1, 2, [&](std::ptrdiff_t) { ++visits; }); });
  CHECK(visits == 1);
}
