// A product as every contender gets it, and what the modules for Hourglass and Eigen export.
//
// Nothing here includes Hourglass or Eigen: each of them is compiled once, into a module of its own.
#pragma once

#include <cstddef>

namespace benchmark {

using Index = std::ptrdiff_t;

enum class Activation { none, relu, sigmoid };

/// C = A B, or C = activation(A B + bias) where there is an activation: A (m, k), B (k, n), C (m, n) row-major.
struct Product {
  Index m = 0;
  Index n = 0;
  Index k = 0;
  bool a_transposed = false;  // A lies in memory as the row-major (k, m)
  bool b_transposed = false;  // B lies in memory as the row-major (n, k)
  Index lda = 0;
  Index ldb = 0;
  Index ldc = 0;
  Activation activation = Activation::none;
  const float* a = nullptr;
  const float* b = nullptr;
  const float* bias = nullptr;  // (n)
  float* c = nullptr;
};

/// What a module exports, by these names.
struct Module {
  const char* name;    // such as "Eigen 3.4.0"
  const char* detail;  // the instruction set, or what went wrong where `threads` is 0
  int threads;         // how many it will use
};
using ModuleStart = Module(int threads, const char* isa);
using ModuleMultiply = void(const Product& product);
inline constexpr const char* module_start = "benchmark_start";
inline constexpr const char* module_multiply = "benchmark_multiply";

}  // namespace benchmark
