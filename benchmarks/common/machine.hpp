// The machine: its name, and how much of it others use.
#pragma once

#include <chrono>
#include <string>

namespace benchmark {

/// "AMD EPYC 9R14, 8 processors", as the operating system tells.
[[nodiscard]] std::string machine_name();

/// How many processors were busy with anything but this program and its workers since the meter was made, as the
/// operating system counts. Workers count when they have ended.
class Meter {
 public:
  Meter();
  [[nodiscard]] double others() const;

 private:
  std::chrono::steady_clock::time_point start_;
  double busy_;  // seconds of all processors
  double ours_;
};

}  // namespace benchmark
