// Where products run: how many threads they start, and that they start none where others are at work already.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/gemm/gemm.hpp"

namespace hg = hourglass;

namespace {

struct Threads {
  int before = hg::num_threads();
  explicit Threads(int count) { hg::set_num_threads(count); }
  ~Threads() { hg::set_num_threads(before); }
};

// Which threads compute, seen from an epilogue that leaves the product as it is.
struct Witness {
  mutable std::mutex mutex;
  mutable std::set<std::thread::id> threads;
  void note() const {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  }
  [[nodiscard]] auto epilogue() const {
    const auto function = [this](float sum, float, std::ptrdiff_t, std::ptrdiff_t j) {
      if (j % 16 == 0) note();
      return sum;
    };
    return hg::epilogue::Elementwise<decltype(function), false>{function};
  }
};

// More than four million multiply-adds: worth more than one thread.
Product<float> worthwhile() {
  hg::Rng rng{1};
  return {130, 256, 140, {140, 1}, {256, 1}, rng};
}

}  // namespace

TEST_CASE("a product uses at most the threads that the call, or the process, allows") {
  const Product<float> product = worthwhile();
  const std::vector<float> expected = product.run();
  const auto threads_of = [&](int per_process, int per_call) {
    const Threads setting(per_process);
    const Witness witness;
    CHECK(difference_of_bits(product.run(witness.epilogue(), {.threads = per_call}), expected) == "");
    return static_cast<int>(witness.threads.size());
  };
  CHECK(threads_of(1, 0) == 1);
  CHECK(threads_of(4, 1) == 1);
  CHECK(threads_of(3, 0) <= 3);
  CHECK(threads_of(1, 3) <= 3);
  CHECK(threads_of(1, 40) <= 40);
  CHECK(threads_of(-7, 0) == 1);
  CHECK(threads_of(1, -7) == 1);
#ifdef _OPENMP
  if (omp_get_thread_limit() >= 3 && omp_get_dynamic() == 0) {
    CHECK(threads_of(3, 0) == 3);
    CHECK(threads_of(1, 3) == 3);
  }
  CHECK(hg::detail::threads_at_work() == 0);
#endif
}

TEST_CASE("a small product stays on the calling thread unless the call says otherwise") {
  hg::Rng rng{2};
  const Product<float> product(64, 64, 64, rng);
  const Threads setting(4);
  const Witness witness;
  (void)product.run(witness.epilogue());
  CHECK(witness.threads == std::set<std::thread::id>{std::this_thread::get_id()});
}

#ifdef _OPENMP

TEST_CASE("inside a parallel region every product stays on the thread that asks for it") {
  const Product<float> product = worthwhile();
  const std::vector<float> expected = product.run();
  const Threads setting(4);
  std::atomic<int> strangers = 0;
  std::atomic<int> wrong = 0;
  std::atomic<int> claimed = 0;
#pragma omp parallel num_threads(4)
  for (int round = 0; round < 3; ++round) {
    const Witness witness;
    const int asked = round == 2 ? 8 : 0;
    const std::vector<float> c = product.run(witness.epilogue(), {.threads = asked});
    if (witness.threads != std::set<std::thread::id>{std::this_thread::get_id()}) ++strangers;
    if (!difference_of_bits(c, expected).empty()) ++wrong;
    claimed += hg::detail::threads_at_work();
  }
  CHECK(strangers == 0);
  CHECK(wrong == 0);
  CHECK(claimed == 0);
}

TEST_CASE("products of several threads at once share the machine") {
  const Product<float> product = worthwhile();
  const std::vector<float> expected = product.run();
  constexpr int callers = 4;
  const int processors = omp_get_num_procs();
  for (const int asked : {0, 2}) {
    std::atomic<int> most = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int caller = 0; caller < callers; ++caller)
      threads.emplace_back([&] {
        const auto watch = [&](float sum, float, std::ptrdiff_t, std::ptrdiff_t j) {
          if (j % 64 == 0) {
            const int now = hg::detail::threads_at_work();
            for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
            }
          }
          return sum;
        };
        const hg::epilogue::Elementwise<decltype(watch), false> epilogue{watch};
        for (int round = 0; round < 10; ++round)
          if (!difference_of_bits(product.run(epilogue, {.threads = asked}), expected).empty()) ++wrong;
      });
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    // Whoever comes first gets what is left of the machine, and everybody gets the thread that he came with.
    CHECK(most <= std::max(processors, asked) + callers - 1);
    CHECK(hg::detail::threads_at_work() == 0);
  }
}

#endif

TEST_CASE("parts of a product make the whole, with the same bits, and each column is summed once") {
  hg::Rng rng{3};
  const Product<float> product(100, 90, 40, {40, 1}, {90, 1}, rng);
  std::vector<float> whole(100 * 90);
  std::vector<float> sums(90);
  const auto run = [&](std::vector<float>& c, std::vector<float>& columns, int part, int parts) {
    hg::gemm<float>(100, 90, 40, product.a.operand(), product.b.operand(), hg::Output<float>{c.data(), 90}, {},
                    {.column_sums = columns.data(), .part = part, .parts = parts});
  };
  run(whole, sums, 0, 1);
  for (const int parts : {2, 3, 4, 7, 200}) {
    CAPTURE(parts);
    std::vector<float> c(100 * 90);
    std::vector<float> columns(90);
    std::vector<int> summed(90);
    for (int part = parts - 1; part >= 0; --part) {
      run(c, columns, part, parts);
      const auto range = hg::detail::column_sums_of_part<float>(100, 90, part, parts);
      for (std::ptrdiff_t j = range.begin; j < range.end; ++j) ++summed[static_cast<std::size_t>(j)];
    }
    CHECK(c == whole);
    CHECK(columns == sums);
    CHECK(summed == std::vector<int>(90, 1));
  }
  for (const auto& [part, parts] : {std::pair{-1, 2}, std::pair{2, 2}, std::pair{0, 0}})
    CHECK_THROWS_WITH_AS(run(whole, sums, part, parts), doctest::Contains("there is no part"), hg::ShapeError);
}
