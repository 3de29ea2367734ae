// Crew: threads that stay together over many short pieces of work.
//
// OpenMP's threads spin for milliseconds before they sleep. On a machine with other work that is fatal: a thread that
// spins uses up its share of a processor, and when it is needed the other program is running. A step of training that
// takes half a millisecond was seen to take 30. These threads spin for some microseconds, as long as it takes to
// fall asleep and to be woken, and then sleep: a sleeper that is woken comes before those who had the processor.
#pragma once

#include <atomic>
#include <chrono>

namespace hourglass::detail {

/// Tells the processor that this thread only waits.
inline void pause_processor() noexcept {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
  __builtin_ia32_pause();
#elif defined(__GNUC__) && defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Returns when `value` is not `old` any more: spins for some microseconds, then sleeps.
inline void wait_for_change(const std::atomic<int>& value, int old) noexcept {
  using Clock = std::chrono::steady_clock;
  constexpr auto patience = std::chrono::microseconds(20);
  const auto start = Clock::now();
  do {
    for (int i = 0; i < 32; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause_processor();
    }
  } while (Clock::now() - start < patience);
  value.wait(old, std::memory_order_acquire);
}

/// A leader and the threads that serve it. run() is for the leader, serve() for the others.
class Crew {
 public:
  explicit Crew(int size) noexcept : size_{size} {}
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Threads, the leader among them.
  [[nodiscard]] int size() const noexcept { return size_; }

  /// Calls task(rank) for each rank in [0, size()), the leader's being 0, and returns when all have returned.
  template <class Task>
  void run(const Task& task) {
    task_ = &task;
    call_ = [](const void* what, int rank) { (*static_cast<const Task*>(what))(rank); };
    pending_.store(size_ - 1, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    task(0);
    for (int left = pending_.load(std::memory_order_acquire); left != 0;
         left = pending_.load(std::memory_order_acquire))
      wait_for_change(pending_, left);
  }

  /// Does what the leader asks for until it dismisses the crew.
  void serve(int rank) noexcept {
    for (int round = 0;; ++round) {
      wait_for_change(round_, round);
      if (dismissed_) return;
      call_(task_, rank);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
    }
  }

  void dismiss() noexcept {
    dismissed_ = true;
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }

 private:
  int size_;
  bool dismissed_ = false;
  const void* task_ = nullptr;
  void (*call_)(const void*, int) = nullptr;
  alignas(128) std::atomic<int> round_{0};
  alignas(128) std::atomic<int> pending_{0};
};

/// The crew that the calling thread leads; null: none.
[[nodiscard]] inline Crew*& led_crew() noexcept {
  static thread_local Crew* crew = nullptr;
  return crew;
}

}  // namespace hourglass::detail
