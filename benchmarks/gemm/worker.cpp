#include "worker.hpp"

#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "../common/channel.hpp"
#include "cases.hpp"
#include "check.hpp"
#include "library.hpp"

namespace benchmark {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

class Prepared {
 public:
  Prepared(const Case& of, const Library& library)
      : matrices_{std::make_unique<Matrices>(of.product)}, multiply_{library.prepare(matrices_->product())} {
    multiply_();
    error_ = matrices_->error();
  }

  [[nodiscard]] double error() const noexcept { return error_; }

  /// Wall-clock and processor seconds of `repeats` products, with caches and threads awake: this process was stopped
  /// while others had their turn. Threads that woke up on one processor need a tick of the scheduler to part. A long
  /// product does all that itself.
  [[nodiscard]] std::string time(long repeats, int threads) {
    const double warm = threads > 1 ? 2e-3 : 5e-4;
    const auto woken = Clock::now();
    if (last_ < 10 * warm) do {
        multiply_();
      } while (since(woken) < warm);
    const double processor = processor_seconds();
    const auto start = Clock::now();
    for (long i = 0; i < repeats; ++i) multiply_();
    const double seconds = since(start);
    last_ = seconds / static_cast<double>(repeats);
    return std::to_string(seconds * 1e9) + " " + std::to_string((processor_seconds() - processor) * 1e9);
  }

 private:
  std::unique_ptr<Matrices> matrices_;
  std::function<void()> multiply_;
  double error_ = 0;
  double last_ = 0;  // seconds of one product
};

class Server {
 public:
  explicit Server(Library library) : library_{std::move(library)} {
    for (Case& each : all_cases()) cases_.emplace(each.name, std::move(each));
  }

  /// "ready", the number of threads, the name of the library and what it says of itself, parted by tabs.
  [[nodiscard]] std::string greeting() const {
    return "ready\t" + std::to_string(library_.threads) + "\t" + library_.name + "\t" + library_.detail;
  }

  std::string answer(const std::string& request) {
    std::istringstream words(request);
    std::string verb;
    words >> verb;
    if (verb == "prepare") {
      std::ostringstream text;
      text << prepared(name(words)).error();
      return text.str();
    }
    if (verb == "time") {
      long repeats = 0;
      words >> repeats;
      return prepared(name(words)).time(repeats, library_.threads);
    }
    if (verb == "forget") {
      prepared_.clear();
      return "forgotten";
    }
    throw std::runtime_error("there is no request '" + request + "'");
  }

 private:
  static std::string name(std::istringstream& words) {
    std::string text;
    std::getline(words >> std::ws, text);
    return text;
  }

  Prepared& prepared(const std::string& name) {
    const auto found = prepared_.find(name);
    if (found != prepared_.end()) return found->second;
    return prepared_.emplace(name, Prepared(cases_.at(name), library_)).first->second;
  }

  Library library_;
  std::map<std::string, Case> cases_;
  std::map<std::string, Prepared> prepared_;
};

}  // namespace

std::optional<int> serve_as_worker(int argc, char** argv) {
  if (argc != 6 || std::string(argv[1]) != worker_flag) return std::nullopt;
  Channel channel(worker_descriptor);
  return serve(channel, [&] { return Server(load_library(argv[2], argv[3], std::stoi(argv[4]), argv[5])); });
}

}  // namespace benchmark
