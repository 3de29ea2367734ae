#include "hourglass/core/threads.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>
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

TEST_CASE("a loop runs on the calling thread inside a parallel region, whatever it asks for") {
  const Threads setting(3);
  std::atomic<int> elsewhere = 0;
  hg::parallel_for(3, 3, [&](std::ptrdiff_t) {
    const auto here = std::this_thread::get_id();
    hg::parallel_for(100, 8, [&](std::ptrdiff_t) { elsewhere += std::this_thread::get_id() != here; });
  });
  CHECK(elsewhere == 0);
}

#ifdef _OPENMP

TEST_CASE("teams claim what is left of the machine, and at least the thread that they come with") {
  using hg::detail::Team;
  using hg::detail::threads_at_work;
  const int processors = omp_get_num_procs();
  CHECK(threads_at_work() == 0);
  {
    const Team alone(1);
    CHECK(alone.size() == 1);
    CHECK(threads_at_work() == 1);
    const Team rest(processors);
    CHECK(rest.size() == std::max(processors - 1, 1));
    const Team late(processors);
    CHECK(late.size() == 1);
    const Team later(1);
    CHECK(later.size() == 1);
    CHECK(threads_at_work() == 1 + rest.size() + 2);
  }
  CHECK(threads_at_work() == 0);
  {
    // Alone, it may have more threads than there are processors; beside others only what they left of them.
    const Team many(processors + 5);
    CHECK(many.size() == processors + 5);
    const Team more(processors + 7);
    CHECK(more.size() == 2);
    const Team other(processors);
    CHECK(other.size() == 1);
  }
  CHECK(threads_at_work() == 0);
}

TEST_CASE("claims of several threads at once add up, and are all given back") {
  const int processors = omp_get_num_procs();
  constexpr int callers = 4;
  std::atomic<int> most = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller)
    threads.emplace_back([&, caller] {
      for (int round = 0; round < 2000; ++round) {
        const int wanted = 1 + (round + caller) % std::max(processors, 2);
        const hg::detail::Team team(wanted);
        wrong += team.size() < 1 || team.size() > wanted;
        const int now = hg::detail::threads_at_work();
        wrong += now < team.size();
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(most <= std::max(processors, 2) + callers - 1);
  CHECK(hg::detail::threads_at_work() == 0);
}

TEST_CASE("loops of several threads at once visit every index once") {
  std::vector<std::thread> threads;
  std::vector<std::vector<int>> visits(4, std::vector<int>(1000));
  for (std::vector<int>& mine : visits)
    threads.emplace_back([&mine] {
      for (int round = 0; round < 20; ++round)
        hg::parallel_for(1000, 4, [&](std::ptrdiff_t i) { ++mine[static_cast<std::size_t>(i)]; });
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& mine : visits) CHECK(mine == std::vector<int>(1000, 20));
  CHECK(hg::detail::threads_at_work() == 0);
}

#endif
