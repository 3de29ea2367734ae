// A process of its own for whatever is measured, which runs only while it is asked something.
//
// Two libraries in one process share symbols, thread pools and environment variables; and threads that wait by
// spinning, as most do, slow down whoever is measured next. Here each has its own process with the waiting that is its
// default, stopped (SIGSTOP) while others have their turn.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "channel.hpp"

namespace benchmark {

class Process {
 public:
  /// Starts this program again with `arguments` and, beside its own, these environment variables. What it prints is
  /// dropped where it is `silent`.
  Process(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
          bool silent);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  /// What the process says first.
  [[nodiscard]] std::string greeting();
  /// Wakes the process, waits for its answer and stops it again. Throws std::runtime_error where the answer is an
  /// error, or the process died or is silent for two minutes.
  [[nodiscard]] std::string ask(const std::string& request);

 private:
  std::string receive();
  void stop();
  [[noreturn]] void fail();

  pid_t id_ = -1;
  int descriptor_ = -1;
  Channel channel_{-1};
};

}  // namespace benchmark
