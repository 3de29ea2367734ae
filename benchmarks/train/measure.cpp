#include "measure.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "../common/process.hpp"

namespace benchmark {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// On a machine that is too busy to tell anything, a few rounds are enough too.
bool enough(const Protocol& protocol, int rounds, double seconds) {
  return seconds > protocol.seconds && (rounds >= protocol.fewest || (rounds > 0 && seconds > 4 * protocol.seconds));
}

// The numbers of an answer.
template <std::size_t count>
std::array<double, count> numbers(const std::string& line) {
  std::istringstream words(line);
  std::array<double, count> values{};
  for (double& value : values)
    if (!(words >> value)) throw std::runtime_error("the worker answers '" + line + "'");
  return values;
}

// The process of one network, with its number of threads and its instruction set verified.
class Trainer {
 public:
  Trainer(const std::string& network, Index batch, int threads, const std::string& isa)
      : process_({worker_flag, std::to_string(worker_descriptor), network, std::to_string(batch),
                  std::to_string(threads), "1"},
                 isa.empty() ? std::map<std::string, std::string>{}
                             : std::map<std::string, std::string>{{"HOURGLASS_ISA", isa}},
                 false) {
    std::istringstream greeting(process_.greeting());
    int actual = 0;
    greeting >> data_ >> actual >> isa_ >> images_;
    std::getline(greeting >> std::ws, data_);
    if (actual != threads)
      throw std::runtime_error("Hourglass uses " + std::to_string(actual) + " threads, not " + std::to_string(threads) +
                               "; was it built with OpenMP?");
    if (!isa.empty() && isa != isa_) throw std::runtime_error("this machine cannot run the " + isa + " kernels");
  }

  [[nodiscard]] const std::string& isa() const { return isa_; }
  [[nodiscard]] const std::string& data() const { return data_; }
  /// Training images that there are.
  [[nodiscard]] Index images() const { return images_; }

  double fit(Index images) { return numbers<2>(process_.ask("fit " + std::to_string(images)))[0]; }
  Breakdown loop(Index images) {
    const auto times = numbers<6>(process_.ask("loop " + std::to_string(images)));
    return {times[0], times[1], times[2], times[3], times[4], times[5]};
  }
  ProductTimes products(long repeats) {
    const auto times = numbers<3>(process_.ask("products " + std::to_string(repeats)));
    return {times[0], times[1], times[2]};
  }
  double barriers(long steps) { return numbers<1>(process_.ask("barriers " + std::to_string(steps)))[0]; }
  double infer(const InferenceResult& of, long repeats) {
    return numbers<1>(process_.ask(std::string("infer ") + of.task() + " " + std::to_string(of.batch) + " " +
                                   std::to_string(repeats)))[0];
  }
  double peak_memory() { return numbers<1>(process_.ask("memory"))[0]; }

 private:
  Process process_;
  std::string isa_;
  std::string data_;
  Index images_ = 0;
};

// As many whole batches as take `seconds`, at most all images.
Index images_for(double seconds, double seconds_per_image, Index batch, Index most) {
  const double batches = std::ceil(seconds / seconds_per_image / static_cast<double>(batch));
  return batches * static_cast<double>(batch) < static_cast<double>(most)
             ? std::max<Index>(1, static_cast<Index>(batches)) * batch
             : most;
}

Breakdown scaled(Breakdown times, double factor) {
  for (double* each : {&times.wall, &times.data, &times.forward, &times.loss, &times.dx, &times.dw}) *each *= factor;
  return times;
}

// Of the round with the median wall-clock time: medians of the parts would not sum to that of the whole.
Breakdown median_round(std::vector<Breakdown> rounds) {
  const auto middle = rounds.begin() + static_cast<std::ptrdiff_t>((rounds.size() - 1) / 2);
  std::nth_element(rounds.begin(), middle, rounds.end(),
                   [](const Breakdown& a, const Breakdown& b) { return a.wall < b.wall; });
  return *middle;
}

}  // namespace

double InferenceResult::operations() const {
  const double decoding = part == Part::encoder ? 0 : benchmark::operations(network.decoder);
  return static_cast<double>(batch) * (benchmark::operations(network.encoder) + decoding);
}

double InferenceResult::parameter_bytes() const {
  const double decoding = part == Part::encoder ? 0 : benchmark::parameter_bytes(network.decoder);
  return benchmark::parameter_bytes(network.encoder) + decoding;
}

TrainResult measure_training(const Case& of, int threads, const std::string& isa, const Protocol& protocol,
                             std::mt19937_64& random) {
  const auto start = Clock::now();
  Trainer trainer(of.network.name, of.batch, threads, isa);
  TrainResult result;
  result.of = of;
  result.threads = threads;
  result.isa = trainer.isa();
  result.data = trainer.data();

  // The first steps make moments and wake threads; the next tell how long steps take.
  const Index few = std::min(std::max<Index>(2 * of.batch, 256), trainer.images());
  (void)trainer.fit(few);
  result.peak_memory = trainer.peak_memory();
  const double seconds_per_image = trainer.fit(few) / static_cast<double>(few);
  result.images = images_for(protocol.turn, seconds_per_image, of.batch, trainer.images());
  const double per_epoch = static_cast<double>(epoch_images) / static_cast<double>(result.images);
  // Products in a quarter of the time of the rest.
  const long repeats = std::max(1L, static_cast<long>(result.images / of.batch / 4));
  const double repeats_per_epoch = static_cast<double>(epoch_images) / static_cast<double>(of.batch * repeats);

  std::vector<double> fits;
  std::vector<double> walls;
  std::vector<Breakdown> loops;
  std::array<std::vector<double>, 3> products;
  std::vector<double> barriers;
  const auto products_turn = [&] {
    const ProductTimes times = trainer.products(repeats);
    products[0].push_back(times.forward * repeats_per_epoch);
    products[1].push_back(times.dw * repeats_per_epoch);
    products[2].push_back(times.dx * repeats_per_epoch);
  };
  std::array<int, 4> order{0, 1, 2, 3};
  for (; result.rounds < protocol.rounds; ++result.rounds) {
    if (enough(protocol, result.rounds, since(start))) break;
    std::shuffle(order.begin(), order.end(), random);
    for (const int turn : order) {
      if (turn == 0) fits.push_back(trainer.fit(result.images) * per_epoch);
      if (turn == 1) loops.push_back(scaled(trainer.loop(result.images), per_epoch));
      if (turn == 2) products_turn();
      if (turn == 3) barriers.push_back(trainer.barriers(repeats) * repeats_per_epoch);
    }
    walls.push_back(loops.back().wall);
  }
  result.seconds = spread(fits);
  result.loop = spread(walls);
  result.breakdown = median_round(loops);
  result.barriers = spread(std::move(barriers)).median;
  result.products = {spread(products[0]).median, spread(products[1]).median, spread(products[2]).median};
  return result;
}

std::vector<InferenceResult> measure_inference(const Network& network, int threads, const std::string& isa,
                                               const Protocol& protocol, std::mt19937_64& random) {
  struct Entry {
    InferenceResult result;
    long repeats = 1;
    std::vector<double> seconds = {};
  };
  const auto start = Clock::now();
  const double turn = protocol.turn / 20;
  Trainer trainer(network.name, 1, threads, isa);
  std::vector<Entry> entries;
  for (const Part part : {Part::encoder, Part::whole})
    for (const Index batch : {Index{1}, Index{128}, Index{1024}}) {
      Entry entry{{network, part, batch, threads, trainer.isa(), 0, {}}};
      // The first turn finds cold caches and sleeping threads: twice.
      for (int i = 0; i < 2; ++i) {
        const double one = trainer.infer(entry.result, entry.repeats) / static_cast<double>(entry.repeats);
        entry.repeats = std::clamp(static_cast<long>(std::ceil(turn / one)), 1L, 1000000L);
      }
      entries.push_back(std::move(entry));
    }
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (int round = 0; round < protocol.rounds; ++round) {
    if (enough(protocol, round, since(start))) break;
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      Entry& entry = entries[i];
      entry.seconds.push_back(trainer.infer(entry.result, entry.repeats) / static_cast<double>(entry.repeats));
    }
  }
  std::vector<InferenceResult> results;
  for (Entry& entry : entries) {
    entry.result.rounds = static_cast<int>(entry.seconds.size());
    entry.result.seconds = spread(std::move(entry.seconds));
    results.push_back(std::move(entry.result));
  }
  return results;
}

}  // namespace benchmark
