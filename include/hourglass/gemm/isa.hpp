// Instruction sets: which kernels this machine can run, and which of them are used.
#pragma once

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hourglass/core/error.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define HOURGLASS_X86_KERNELS 1
#endif

namespace hourglass {

/// Kernels of the matrix product, slowest first. avx2 and avx512 fuse multiply and add and give the same bits; portable
/// rounds twice.
enum class Isa { portable, avx2, avx512 };

[[nodiscard]] constexpr std::string_view isa_name(Isa isa) noexcept {
  return isa == Isa::avx512 ? "avx512" : (isa == Isa::avx2 ? "avx2" : "portable");
}

/// Whether this processor and operating system can run the kernels of `isa`.
[[nodiscard]] inline bool isa_supported([[maybe_unused]] Isa isa) noexcept {
#ifdef HOURGLASS_X86_KERNELS
  __builtin_cpu_init();
  if (isa == Isa::avx512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return isa == Isa::portable;
}

namespace detail {

[[nodiscard]] inline Isa best_isa() noexcept {
  for (const Isa isa : {Isa::avx512, Isa::avx2})
    if (isa_supported(isa)) return isa;
  return Isa::portable;
}

/// The best one, or what the environment variable HOURGLASS_ISA names if this machine can run it.
[[nodiscard]] inline Isa initial_isa() noexcept {
  if (const char* wish = std::getenv("HOURGLASS_ISA"))
    for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512})
      if (isa_name(isa) == wish && isa_supported(isa)) return isa;
  return best_isa();
}

// The one piece of state in the library: decided at the first product, and the same for every thread.
[[nodiscard]] inline std::atomic<Isa>& current_isa() noexcept {
  static std::atomic<Isa> isa{initial_isa()};
  return isa;
}

}  // namespace detail

/// The instruction set of the products to come: the best that the machine has, unless HOURGLASS_ISA=avx2 or so in the
/// environment, or set_isa, chose another.
[[nodiscard]] inline Isa isa() noexcept { return detail::current_isa().load(std::memory_order_relaxed); }

/// Chooses the kernels of all products to come, for tests and comparisons. Throws Error when this machine cannot run
/// them.
inline void set_isa(Isa isa) {
  if (!isa_supported(isa))
    throw Error(detail::message("set_isa: this machine cannot run the ", isa_name(isa), " kernels"));
  detail::current_isa().store(isa, std::memory_order_relaxed);
}

}  // namespace hourglass
