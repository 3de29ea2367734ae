// Denormal numbers: read as zero and flushed to zero while a guard lives.
#pragma once

#include <cstdint>

#include "hourglass/core/isa.hpp"

#ifdef HOURGLASS_X86
#include <xmmintrin.h>
#endif

namespace hourglass {

/// Makes the calling thread treat denormal numbers as zero until the end of the scope. They cost some processors a
/// hundred cycles each, and saturated sigmoids and Adam's second moment are full of them. Whatever the user set is
/// restored.
class FlushDenormals {
 public:
#ifdef HOURGLASS_X86
  FlushDenormals() noexcept : before_{_mm_getcsr()} {
    if ((before_ & bits) != bits) _mm_setcsr(before_ | bits);
  }
  ~FlushDenormals() {
    if ((before_ & bits) != bits) _mm_setcsr(before_);
  }
#elif defined(HOURGLASS_ARM64) && defined(__GNUC__)
  FlushDenormals() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | bits) : "memory");
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_) : "memory"); }
#else
  FlushDenormals() noexcept = default;
  ~FlushDenormals() = default;
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#ifdef HOURGLASS_X86
  static constexpr unsigned bits = 0x8040;  // flush to zero, denormals are zero
  unsigned before_;
#elif defined(HOURGLASS_ARM64)
  static constexpr std::uint64_t bits = std::uint64_t{1} << 24;  // FZ
  std::uint64_t before_ = 0;
#endif
};

}  // namespace hourglass
