// Libraries that multiply matrices, loaded at run time: no header of theirs is needed to build the benchmark.
#pragma once

#include <functional>
#include <string>

#include "product.hpp"

namespace benchmark {

struct Library {
  std::string name;    // with its version
  std::string detail;  // the instruction set or processor that it chose, where it tells
  int threads = 0;     // how many it says it will use
  /// What computes the product, again and again.
  std::function<std::function<void()>(const Product&)> prepare;
};

/// Loads `file` as a library of this kind: hourglass, eigen, openblas, blis, onednn, onednn-matmul or mkl, and sets its
/// number of threads. `isa` is for Hourglass and BLIS; others get theirs by environment variables, see peers.cpp.
/// Throws std::runtime_error.
[[nodiscard]] Library load_library(const std::string& kind, const std::string& file, int threads,
                                   const std::string& isa);

}  // namespace benchmark
