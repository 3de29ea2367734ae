// Tests that run on every instruction set of this machine.
#pragma once

#include "hourglass/core/isa.hpp"

/// Kernels of one instruction set until the end of the scope.
class IsaSetting {
 public:
  explicit IsaSetting(hourglass::Isa isa) : before_{hourglass::isa()} { hourglass::set_isa(isa); }
  ~IsaSetting() { hourglass::set_isa(before_); }
  IsaSetting(const IsaSetting&) = delete;
  IsaSetting& operator=(const IsaSetting&) = delete;

 private:
  hourglass::Isa before_;
};

/// Calls `test()` under every instruction set that this machine can run.
template <class Test>
void for_each_isa(const Test& test) {
  for (const hourglass::Isa isa : hourglass::all_isas) {
    if (!hourglass::isa_supported(isa)) continue;
    const IsaSetting setting(isa);
    test();
  }
}

/// Whether every multiply-add under isa() is rounded once. The portable kernels write a * b + c, which compilers may
/// fuse or not where they know of such an instruction.
[[nodiscard]] inline bool isa_fuses() noexcept { return hourglass::isa() != hourglass::Isa::portable; }

/// Calls `test()` under every instruction set whose bits are those of isa(), which has to be one that fuses.
template <class Test>
void for_each_fusing_isa(const Test& test) {
  if (!isa_fuses()) return;
  for_each_isa([&] {
    if (isa_fuses()) test();
  });
}
#if defined(__FMA__) || defined(__aarch64__)
inline constexpr bool portable_may_fuse = true;
#else
inline constexpr bool portable_may_fuse = false;
#endif
