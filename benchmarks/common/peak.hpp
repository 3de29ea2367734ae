// What the machine can do: multiply-adds in registers, and reading memory.
#pragma once

#include <map>
#include <string>

namespace benchmark {

/// GFLOP/s in float of a loop of fused multiply-adds that touches no memory, for avx512 and avx2 where the processor
/// has them, with `threads` threads at once; the best of several runs.
[[nodiscard]] std::map<std::string, double> measure_peaks(int threads);

struct Bandwidth {
  double memory = 0;  // GB/s, summing an array of its own per thread, together four times the last cache
  double l2 = 0;      // the same for half the second cache
};
[[nodiscard]] Bandwidth measure_bandwidth(int threads);

}  // namespace benchmark
