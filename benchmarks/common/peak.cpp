#include "peak.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace benchmark {
namespace {

using Clock = std::chrono::steady_clock;
using Loop = std::function<double(int thread)>;  // does its work and returns how much that was

// Keeps a thread on one processor for as long as it lives.
class Pinned {
 public:
  explicit Pinned(int index) {
    sched_getaffinity(0, sizeof before_, &before_);
    for (int processor = 0; processor < CPU_SETSIZE; ++processor)
      if (CPU_ISSET(processor, &before_) && index-- == 0) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(processor, &one);
        sched_setaffinity(0, sizeof one, &one);
      }
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_{};
};

// Work per second of all threads together: from the first start to the last end, the best of many short runs, which
// find the moments when a machine that is not quite idle lets us have its processors. Where there is a thread per
// processor, each keeps to its own, or two might share one.
double best_rate(int threads, int runs, const Loop& loop) {
  const auto count = static_cast<std::size_t>(threads);
  std::vector<Clock::time_point> starts(count);
  std::vector<Clock::time_point> ends(count);
  std::vector<double> work(count);
  std::atomic<int> arrived{0};
  const auto meet = [&, threads](int meeting) {
    for (++arrived; arrived < meeting * threads;) {
    }
  };
  double best = 0;
  const auto body = [&](int thread) {
    const auto i = static_cast<std::size_t>(thread);
    std::optional<Pinned> pinned;
    if (threads == static_cast<int>(std::thread::hardware_concurrency())) pinned.emplace(thread);
    for (int run = 0; run < runs; ++run) {
      meet(2 * run + 1);
      starts[i] = Clock::now();
      work[i] = loop(thread);
      ends[i] = Clock::now();
      meet(2 * run + 2);
      if (thread > 0) continue;
      const std::chrono::duration<double> seconds =
          *std::max_element(ends.begin(), ends.end()) - *std::min_element(starts.begin(), starts.end());
      best = std::max(best, std::accumulate(work.begin(), work.end(), 0.0) / seconds.count());
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(body, thread);
  body(0);
  for (std::thread& each : others) each.join();
  return best;
}

// Results go here, so that the compiler cannot leave the work out.
thread_local volatile float sink;

#if defined(__x86_64__)

// x converges to 0.5 and never becomes denormal; flush-to-zero is on all the same. A compiler that knew the numbers
// would find that an accumulator which starts there stays there, and leave it out.
const volatile float factor = 0.5F;
const volatile float addend = 0.25F;

// Sixteen accumulators cover a latency of 4 cycles on two units twice.
__attribute__((target("avx512f"))) double multiply_add_avx512(long rounds) {
  _mm_setcsr(_mm_getcsr() | 0x8040);
  const __m512 a = _mm512_set1_ps(factor);
  const __m512 b = _mm512_set1_ps(addend);
  __m512 x[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) x[i] = _mm512_set1_ps(static_cast<float>(i));
  for (long round = 0; round < rounds; ++round)
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) x[i] = _mm512_fmadd_ps(x[i], a, b);
#pragma GCC unroll 16
  for (int i = 1; i < 16; ++i) x[0] = _mm512_add_ps(x[0], x[i]);
  sink = _mm512_cvtss_f32(x[0]);
  return static_cast<double>(rounds) * 16 * 16 * 2;
}

// Twelve, as there are sixteen registers.
__attribute__((target("avx2,fma"))) double multiply_add_avx2(long rounds) {
  _mm_setcsr(_mm_getcsr() | 0x8040);
  const __m256 a = _mm256_set1_ps(factor);
  const __m256 b = _mm256_set1_ps(addend);
  __m256 x[12];
#pragma GCC unroll 12
  for (int i = 0; i < 12; ++i) x[i] = _mm256_set1_ps(static_cast<float>(i));
  for (long round = 0; round < rounds; ++round)
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) x[i] = _mm256_fmadd_ps(x[i], a, b);
#pragma GCC unroll 12
  for (int i = 1; i < 12; ++i) x[0] = _mm256_add_ps(x[0], x[i]);
  sink = _mm256_cvtss_f32(x[0]);
  return static_cast<double>(rounds) * 12 * 8 * 2;
}

__attribute__((target("avx512f"))) void sum_avx512(const float* data, std::size_t size) {
  __m512 x[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) x[i] = _mm512_setzero_ps();
  for (std::size_t at = 0; at < size; at += 128)
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) x[i] = _mm512_add_ps(x[i], _mm512_load_ps(data + at + 16 * i));
#pragma GCC unroll 8
  for (int i = 1; i < 8; ++i) x[0] = _mm512_add_ps(x[0], x[i]);
  sink = _mm512_cvtss_f32(x[0]);
}

__attribute__((target("avx2"))) void sum_avx2(const float* data, std::size_t size) {
  __m256 x[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) x[i] = _mm256_setzero_ps();
  for (std::size_t at = 0; at < size; at += 64)
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) x[i] = _mm256_add_ps(x[i], _mm256_load_ps(data + at + 8 * i));
#pragma GCC unroll 8
  for (int i = 1; i < 8; ++i) x[0] = _mm256_add_ps(x[0], x[i]);
  sink = _mm256_cvtss_f32(x[0]);
}

#endif

void sum_portable(const float* data, std::size_t size) {
  float x[16] = {};
  for (std::size_t at = 0; at < size; at += 16)
    for (std::size_t i = 0; i < 16; ++i) x[i] += data[at + i];
  for (std::size_t i = 1; i < 16; ++i) x[0] += x[i];
  sink = x[0];
}

void sum(const float* data, std::size_t size) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return sum_avx512(data, size);
  if (__builtin_cpu_supports("avx2")) return sum_avx2(data, size);
#endif
  sum_portable(data, size);
}

// GB/s of summing `bytes` per thread, again and again where they are few.
double read_rate(int threads, std::size_t bytes) {
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  const std::size_t size = bytes / sizeof(float) / 128 * 128;
  std::vector<std::unique_ptr<float[], Free>> arrays;
  for (int thread = 0; thread < threads; ++thread) {
    arrays.emplace_back(static_cast<float*>(std::aligned_alloc(64, size * sizeof(float))));
    std::fill_n(arrays.back().get(), size, 1.0F);
  }
  const std::size_t repeats = std::max<std::size_t>(1, 50000000 / (size * sizeof(float)));
  return best_rate(threads, 15,
                   [&](int thread) {
                     const float* data = arrays[static_cast<std::size_t>(thread)].get();
                     for (std::size_t i = 0; i < repeats; ++i) sum(data, size);
                     return static_cast<double>(repeats * size * sizeof(float));
                   }) *
         1e-9;
}

std::size_t cache_size([[maybe_unused]] int name, std::size_t otherwise) {
#ifdef _SC_LEVEL3_CACHE_SIZE
  const long size = sysconf(name);
  if (size > 0) return static_cast<std::size_t>(size);
#endif
  return otherwise;
}

}  // namespace

std::map<std::string, double> measure_peaks([[maybe_unused]] int threads) {
  std::map<std::string, double> peaks;
#if defined(__x86_64__)
  const auto measure = [&](double (*loop)(long)) {
    return best_rate(threads, 80, [loop](int) { return loop(400000); }) * 1e-9;
  };
  const bool fma = __builtin_cpu_supports("fma");
  if (fma && __builtin_cpu_supports("avx512f")) peaks["avx512"] = measure(multiply_add_avx512);
  if (fma && __builtin_cpu_supports("avx2")) peaks["avx2"] = measure(multiply_add_avx2);
#endif
  return peaks;
}

Bandwidth measure_bandwidth(int threads) {
#ifdef _SC_LEVEL3_CACHE_SIZE
  constexpr int l2 = _SC_LEVEL2_CACHE_SIZE, l3 = _SC_LEVEL3_CACHE_SIZE;
#else
  constexpr int l2 = 0, l3 = 0;
#endif
  constexpr std::size_t megabyte = 1 << 20;
  // Virtual machines report the last cache of the whole host, or none.
  const std::size_t last = std::clamp(cache_size(l3, 64 * megabyte), 32 * megabyte, 256 * megabyte);
  return {read_rate(threads, 4 * last / static_cast<std::size_t>(threads)),
          read_rate(threads, cache_size(l2, megabyte) / 2)};
}

}  // namespace benchmark
