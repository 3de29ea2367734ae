#include "worker.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <fstream>
#include <hourglass/core/isa.hpp>
#include <hourglass/core/threads.hpp>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "../common/channel.hpp"
#include "../common/peak.hpp"
#include "../common/text.hpp"
#include "products.hpp"
#include "session.hpp"

namespace benchmark {
namespace {

namespace hg = hourglass;

// Reading files and unpacking them takes memory of its own. Where the kernel does not let us forget it, it counts.
void forget_peak_memory() { std::ofstream("/proc/self/clear_refs") << 5; }

// VmHWM of /proc/self/status, which is in kilobytes.
double peak_memory() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;)
    if (double kilobytes = 0; word == "VmHWM:" && file >> kilobytes) return 1024 * kilobytes;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return 1024 * static_cast<double>(used.ru_maxrss);
}

void write_images(const hg::Images& images, const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  const auto pixels = images.pixels();
  out.write(reinterpret_cast<const char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
  if (!out.flush()) throw std::runtime_error(file + ": cannot be written");
}

const Network& network_of(const std::string& name) {
  for (const Network& each : networks())
    if (each.name == name) return each;
  throw std::runtime_error("there is no network '" + name + "'");
}

template <class... Numbers>
std::string joined(Numbers... values) {
  std::string text;
  for (const double value : {static_cast<double>(values)...}) text += (text.empty() ? "" : " ") + number(value);
  return text;
}

class Server {
 public:
  Server(std::string network, Index batch, std::uint64_t seed)
      : network_{network_of(network)}, batch_{batch}, data_{load_data()} {
    session_ = start_session(network, batch, data_, seed);
    forget_peak_memory();
  }

  [[nodiscard]] std::string greeting() const {
    std::ostringstream text;
    text << "ready\t" << hg::num_threads() << '\t' << hg::isa_name(hg::isa()) << '\t' << data_.train.rows() << '\t'
         << data_.name;
    return text.str();
  }

  [[nodiscard]] std::string answer(const std::string& request) {
    std::istringstream words(request);
    std::string verb;
    words >> verb;
    if (verb == "fit") {
      const Epoch epoch = session_->fit(next<Index>(words));
      return joined(epoch.seconds, epoch.loss);
    }
    if (verb == "loop") {
      const Breakdown part = session_->loop(next<Index>(words));
      return joined(part.wall, part.data, part.forward, part.loss, part.dx, part.dw);
    }
    if (verb == "products") {
      if (!products_) products_ = std::make_unique<Products>(network_, batch_);
      const ProductTimes times = products_->time(next<long>(words));
      return joined(times.forward, times.dw, times.dx);
    }
    if (verb == "barriers") return joined(session_->barriers(next<long>(words)));
    if (verb == "infer") {
      const Part part = next<std::string>(words) == "encode" ? Part::encoder : Part::whole;
      const auto batch = next<Index>(words);
      const auto repeats = next<long>(words);
      // Back into the caches with its weights and matrices, and awake with its threads: this process was stopped.
      (void)session_->infer(part, batch, 1 + repeats / 8);
      return joined(session_->infer(part, batch, repeats));
    }
    if (verb == "evaluate") return joined(session_->evaluate());
    if (verb == "peak") return joined(measure_peaks(hg::num_threads())[std::string(hg::isa_name(hg::isa()))]);
    if (verb == "memory") return joined(peak_memory());
    if (verb == "write") {
      const auto folder = next<std::string>(words);
      write_images(data_.train, folder + "/train.bin");
      write_images(data_.test, folder + "/test.bin");
      return "written";
    }
    throw std::runtime_error("there is no request '" + request + "'");
  }

 private:
  template <class T>
  static T next(std::istringstream& words) {
    T value{};
    if (!(words >> value)) throw std::runtime_error("the request '" + words.str() + "' is too short");
    return value;
  }

  const Network& network_;
  Index batch_;
  Data data_;
  std::unique_ptr<Session> session_;
  std::unique_ptr<Products> products_;
};

}  // namespace

std::optional<int> serve_as_worker(int argc, char** argv) {
  if (argc != 7 || std::string(argv[1]) != worker_flag) return std::nullopt;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // stopped, it would outlive whoever started it and was interrupted
  Channel channel(std::stoi(argv[2]));
  return serve(channel, [&] {
    hg::set_num_threads(std::stoi(argv[5]));
    return Server(argv[3], std::stol(argv[4]), std::stoull(argv[6]));
  });
}

}  // namespace benchmark
