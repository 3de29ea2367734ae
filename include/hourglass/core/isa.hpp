// Instruction sets: which vector units this machine has, and which of them the kernels use.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <string_view>

#include "hourglass/core/error.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#define HOURGLASS_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#define HOURGLASS_ARM64 1
#endif
#if defined(HOURGLASS_X86) && defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

namespace hourglass {

/// Instruction sets that kernels are written for. avx2 (with FMA), avx512 and neon round a product and a sum once and
/// give the same bits; portable runs everywhere and, on machines without such an instruction, rounds twice.
enum class Isa { portable, neon, avx2, avx512 };

/// Every one of them, slowest first.
inline constexpr std::array all_isas{Isa::portable, Isa::neon, Isa::avx2, Isa::avx512};

[[nodiscard]] constexpr std::string_view isa_name(Isa isa) noexcept {
  constexpr std::array<std::string_view, all_isas.size()> names{"portable", "neon", "avx2", "avx512"};
  return names[static_cast<std::size_t>(isa)];
}

/// Whether this processor and its operating system can run the kernels of `isa`.
[[nodiscard]] inline bool isa_supported(Isa isa) noexcept {
#ifdef HOURGLASS_X86
#ifdef __GNUC__
  __builtin_cpu_init();
  const bool fma = __builtin_cpu_supports("fma") != 0;
  const bool avx2 = __builtin_cpu_supports("avx2") != 0;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0;
#else
  // CPUID 1 and 7; XCR0 says which registers the operating system saves.
  int one[4];
  int seven[4];
  __cpuid(one, 1);
  __cpuidex(seven, 7, 0);
  const auto saved = (one[2] >> 27 & 1) != 0 ? _xgetbv(0) : 0;
  const bool fma = (one[2] >> 12 & 1) != 0;
  const bool avx2 = (saved & 0x06) == 0x06 && (seven[1] >> 5 & 1) != 0;
  const bool avx512 = (saved & 0xe6) == 0xe6 && (seven[1] >> 16 & 1) != 0;
#endif
  if (isa == Isa::avx512) return avx512 && avx2 && fma;
  if (isa == Isa::avx2) return avx2 && fma;
#endif
#ifdef HOURGLASS_ARM64
  if (isa == Isa::neon) return true;
#endif
  return isa == Isa::portable;
}

namespace detail {

/// The best one, or what the environment variable HOURGLASS_ISA names if this machine can run it.
[[nodiscard]] inline Isa initial_isa() noexcept {
  Isa best = Isa::portable;
  for (const Isa isa : all_isas)
    if (isa_supported(isa)) best = isa;
#ifdef _MSC_VER
#pragma warning(suppress : 4996)
#endif
  if (const char* wish = std::getenv("HOURGLASS_ISA"))
    for (const Isa isa : all_isas)
      if (isa_name(isa) == wish && isa_supported(isa)) return isa;
  return best;
}

// Decided at first use, and the same for every thread.
[[nodiscard]] inline std::atomic<Isa>& current_isa() noexcept {
  static std::atomic<Isa> isa{initial_isa()};
  return isa;
}

}  // namespace detail

/// The instruction set of the kernels to come: the best that the machine has, unless HOURGLASS_ISA=avx2 or so in the
/// environment, or set_isa, chose another.
[[nodiscard]] inline Isa isa() noexcept { return detail::current_isa().load(std::memory_order_relaxed); }

/// Chooses the kernels of all work to come, for tests and comparisons. Throws Error when this machine cannot run them.
inline void set_isa(Isa isa) {
  if (!isa_supported(isa))
    throw Error(detail::message("set_isa: this machine cannot run the ", isa_name(isa), " kernels"));
  detail::current_isa().store(isa, std::memory_order_relaxed);
}

}  // namespace hourglass
