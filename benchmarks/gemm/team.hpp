// The contenders that take part, each in its process and with its number of threads verified.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../common/process.hpp"
#include "peers.hpp"

namespace benchmark {

struct Member {
  std::string name;
  std::string detail;
  std::unique_ptr<Process> process;
  double busy = 0;  // processor seconds over wall-clock seconds of a large product
};

struct Team {
  int threads = 1;
  std::vector<Member> members;        // Hourglass first
  std::vector<std::string> comments;  // on those that do not take part
};

/// Starts Hourglass and those of `peers` that can be loaded. A library that names another number of threads, or is seen
/// to use more, is left out. Throws std::runtime_error where Hourglass is one of these.
[[nodiscard]] Team start_team(const std::vector<Contender>& peers, int threads, const std::string& isa);

/// Wall-clock and processor nanoseconds of `repeats` products.
struct Time {
  double wall = 0;
  double processor = 0;
};
[[nodiscard]] Time time_products(Process& process, const std::string& name, long repeats);

}  // namespace benchmark
