// Threads: how many to use, loops over them, and sums that do not depend on how many there are.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <optional>

#include "hourglass/core/crew.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace hourglass {

/// Threads that a parallel loop started here would use: OpenMP's setting (`OMP_NUM_THREADS`, set_num_threads), 1
/// without OpenMP, and 1 inside a parallel region, so that nested use does not oversubscribe the machine.
[[nodiscard]] inline int num_threads() noexcept {
#ifdef _OPENMP
  if (const detail::Crew* crew = detail::led_crew()) return crew->size();
  return omp_in_parallel() ? 1 : omp_get_max_threads();
#else
  return 1;
#endif
}

/// Sets the number of threads for parallel loops started by the calling thread; values below 1 mean 1. Results do
/// not depend on it.
inline void set_num_threads([[maybe_unused]] int count) noexcept {
#ifdef _OPENMP
  omp_set_num_threads(std::max(count, 1));
#endif
}

namespace detail {

#ifdef _OPENMP
// Threads at work in parallel loops of this process. OpenMP knows nothing of other teams: of four std::threads that
// multiply matrices, each would start a team as large as the machine.
[[nodiscard]] inline std::atomic<int>& threads_at_work() noexcept {
  static std::atomic<int> count{0};
  return count;
}

/// A claim to up to `wanted` threads, of which the caller is one: as many as processors are left, and at least one.
class Team {
 public:
  explicit Team(int wanted) noexcept {
    // Whoever asks for more threads than there are processors, and is alone, gets them.
    const int limit = std::max(omp_get_num_procs(), wanted);
    int others = threads_at_work().load(std::memory_order_relaxed);
    do size_ = std::clamp(limit - others, 1, wanted);
    while (!threads_at_work().compare_exchange_weak(others, others + size_, std::memory_order_relaxed));
  }
  ~Team() { threads_at_work().fetch_sub(size_, std::memory_order_relaxed); }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  [[nodiscard]] int size() const noexcept { return size_; }

 private:
  int size_ = 1;
};
#endif

}  // namespace detail

namespace detail {

/// A loop body that has lost its type, so that what shares loops among threads is compiled once and not for each body.
struct LoopBody {
  const void* body;
  void (*run)(const void* body, std::ptrdiff_t begin, std::ptrdiff_t end);

  template <class Body>
  explicit LoopBody(const Body& of) noexcept
      : body{&of}, run{[](const void* what, std::ptrdiff_t begin, std::ptrdiff_t end) {
          for (std::ptrdiff_t i = begin; i < end; ++i) (*static_cast<const Body*>(what))(i);
        }} {}
  void operator()(std::ptrdiff_t begin, std::ptrdiff_t end) const { run(body, begin, end); }
};

/// What parallel_for does.
inline void run_loop(std::ptrdiff_t count, [[maybe_unused]] int threads, const LoopBody& body) {
#ifdef _OPENMP
  const int wanted = static_cast<int>(std::min<std::ptrdiff_t>(threads, count));
  if (Crew* const crew = led_crew(); crew != nullptr && wanted > 1) {
    led_crew() = nullptr;  // loops inside of the body are serial
    crew->run([&, size = crew->size()](int rank) { body(count * rank / size, count * (rank + 1) / size); });
    led_crew() = crew;
    return;
  }
  if (wanted > 1 && !omp_in_parallel()) {
    const Team team(wanted);
    if (team.size() > 1) {
#pragma omp parallel num_threads(team.size())
      {
        const int size = omp_get_num_threads();
        const int rank = omp_get_thread_num();
        body(count * rank / size, count * (rank + 1) / size);
      }
      return;
    }
  }
#endif
  body(0, count);
}

}  // namespace detail

/// Calls `body(index)` for each index in [0, count), on up to `threads` threads, and on fewer while other threads of
/// the process run such loops. Bodies must write to disjoint memory and must not throw.
template <class Body>
void parallel_for(std::ptrdiff_t count, int threads, const Body& body) {
  detail::run_loop(count, threads, detail::LoopBody(body));
}

/// Calls `body()` on this thread while up to num_threads() threads stand by for the parallel loops in it: for loops
/// that follow each other closely, such as the steps of training. Nothing happens within a parallel region or another
/// such call, or without OpenMP, but the call. Parallel regions of other code in the body are serial.
template <class Body>
void keep_threads(const Body& body) {
#ifdef _OPENMP
  const int wanted = num_threads();
  if (wanted > 1 && !omp_in_parallel()) {
    const detail::Team team(wanted);
    if (team.size() > 1) {
      std::exception_ptr error;
      std::optional<detail::Crew> crew;
#pragma omp parallel num_threads(team.size())
      {
#pragma omp single
        crew.emplace(omp_get_num_threads());
        if (omp_get_thread_num() != 0) {
          crew->serve(omp_get_thread_num());
        } else {
          detail::led_crew() = &*crew;
          try {
            body();
          } catch (...) {
            error = std::current_exception();
          }
          detail::led_crew() = nullptr;
          crew->dismiss();
        }
      }
      if (error) std::rethrow_exception(error);
      return;
    }
  }
#endif
  body();
}

/// Elements for which a loop is worth another thread: some 50 microseconds of work. Starting and joining threads takes
/// a few, and far more on a machine that is busy with something else.
inline constexpr std::ptrdiff_t parallel_grain = 49152;

/// Calls `body(begin, end)` on pieces of [0, count), in parallel when the range is long.
template <class Body>
void parallel_ranges(std::ptrdiff_t count, const Body& body) {
  const std::ptrdiff_t pieces =
      std::clamp<std::ptrdiff_t>(count / parallel_grain, 1, static_cast<std::ptrdiff_t>(num_threads()));
  // Whole cache lines of floats per piece, so that no two threads write to the same line.
  const std::ptrdiff_t step = ((count + pieces - 1) / pieces + 15) / 16 * 16;
  parallel_for(pieces, num_threads(), [&](std::ptrdiff_t piece) {
    const std::ptrdiff_t begin = std::min(piece * step, count);
    const std::ptrdiff_t end = std::min(begin + step, count);
    if (begin < end) body(begin, end);
  });
}

/// Sum of `body(begin, end)` (a double) over fixed pieces of [0, count): the split depends on `count` alone, and the
/// partial sums are added in order, so the result is bitwise the same at any number of threads.
template <class Body>
[[nodiscard]] double parallel_sum(std::ptrdiff_t count, const Body& body) {
  constexpr std::ptrdiff_t most = 64;
  const std::ptrdiff_t step = std::max<std::ptrdiff_t>(4096, (count + most - 1) / most);
  const std::ptrdiff_t pieces = (count + step - 1) / step;
  std::array<double, most> partial{};
  parallel_for(pieces, count < parallel_grain ? 1 : num_threads(), [&](std::ptrdiff_t piece) {
    partial[static_cast<std::size_t>(piece)] = body(piece * step, std::min(piece * step + step, count));
  });
  double sum = 0;
  for (std::ptrdiff_t piece = 0; piece < pieces; ++piece) sum += partial[static_cast<std::size_t>(piece)];
  return sum;
}

}  // namespace hourglass
