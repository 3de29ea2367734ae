// Memory between two pages that nobody may touch: a read or a write beyond its ends stops the program.
#pragma once

#include <cstddef>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <unistd.h>

#include <new>

inline constexpr bool has_guard_pages = true;

/// Which end of the memory lies at a guard page.
enum class Guard { before, behind };

/// `count` objects of a trivial type, all bits zero.
template <class T>
class Guarded {
 public:
  Guarded(std::ptrdiff_t count, Guard guard) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    inside_ = (bytes + page - 1) / page * page;
    void* memory = mmap(nullptr, inside_ + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<char*>(memory) + page;
    if (inside_ != 0 && mprotect(begin_, inside_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<T*>(guard == Guard::before ? begin_ : begin_ + inside_ - bytes);
  }
  ~Guarded() {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    munmap(begin_ - page, inside_ + 2 * page);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  [[nodiscard]] T* data() const noexcept { return data_; }
  T& operator[](std::ptrdiff_t i) const noexcept { return data_[i]; }

  /// From now on writing stops the program too.
  void forbid_writing() const {
    if (inside_ != 0 && mprotect(begin_, inside_, PROT_READ) != 0) throw std::bad_alloc();
  }

 private:
  std::size_t inside_ = 0;  // bytes between the two guard pages
  char* begin_ = nullptr;
  T* data_ = nullptr;
};

#else
inline constexpr bool has_guard_pages = false;
#endif
