// Limits: what the machine can do at most, before and after a run, and who else used it meanwhile.
#pragma once

#include <iosfwd>
#include <map>
#include <string>

#include "peak.hpp"

namespace benchmark {

/// What one number of threads can do at most, before and after the run.
struct Limits {
  std::map<std::string, double> before;  // instruction set to GFLOP/s
  std::map<std::string, double> after;
  Bandwidth bandwidth;  // zeros where it was not measured

  /// The larger of both; 0 where that instruction set was not measured.
  [[nodiscard]] double peak(const std::string& isa) const;
};

void print_limits(std::ostream& out, int threads, const Limits& limits);
/// How many processors other programs kept busy.
void print_others(std::ostream& out, double others);

}  // namespace benchmark
