// Storage: vectors aligned to 64 bytes, whatever instruction set a translation unit is compiled for.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace hourglass {

/// One cache line, and one AVX-512 register.
inline constexpr std::size_t alignment = 64;

/// Allocates blocks that start on a cache line. Eigen's own allocator changes with `-march`, so memory that it
/// allocates in one translation unit may not be freed in another; this one is the same everywhere.
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() noexcept = default;
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): allocators convert
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}

  // Not inlined: GCC 12 would take the vector loops that it never runs on small constant sizes for overruns
  // (-Warray-bounds).
  [[nodiscard, gnu::noinline]] T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{alignment}));
  }
  void deallocate(T* pointer, std::size_t) noexcept { ::operator delete (pointer, std::align_val_t{alignment}); }

  template <class U>
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator<U>&) noexcept {
    return true;
  }
};

/// A `std::vector` whose first element lies on a cache line.
template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace hourglass
