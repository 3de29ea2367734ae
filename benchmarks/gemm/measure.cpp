#include "measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace benchmark {
namespace {

// One column of the table of times.
struct Entry {
  Member* member = nullptr;
  std::string name;  // of the case
  double error = 0;
  long repeats = 1;
  std::vector<double> nanoseconds = {};  // of one product, by round
  bool failed = false;
};

double turn(Entry& entry) {
  return time_products(*entry.member->process, entry.name, entry.repeats).wall / static_cast<double>(entry.repeats);
}

void prepare(Entry& entry, double seconds) {
  entry.error = std::stod(entry.member->process->ask("prepare " + entry.name));
  // The first turn finds cold caches and sleeping threads: twice.
  for (int i = 0; i < 2; ++i)
    entry.repeats = std::clamp(static_cast<long>(std::ceil(seconds * 1e9 / turn(entry))), 1L, 1000000L);
}

std::string describe(double error) {
  std::ostringstream text;
  text << "wrong result: its error is " << error << " times what rounding explains";
  return text.str();
}

// Takes part in nothing more where its answer is wrong or its process fails.
std::vector<Entry> enter(const Case& of, Team& team, double seconds, Result& result) {
  std::vector<Entry> entries{{&team.members.front(), of.name}};
  prepare(entries.front(), seconds);
  result.error = entries.front().error;
  if (!of.plain.empty()) {
    entries.push_back({&team.members.front(), of.plain});
    prepare(entries.back(), seconds);
    return entries;
  }
  for (std::size_t i = 1; i < team.members.size(); ++i) {
    Entry entry{&team.members[i], of.name};
    try {
      prepare(entry, seconds);
      if (!(entry.error <= 1)) throw std::runtime_error(describe(entry.error));
      entries.push_back(std::move(entry));
    } catch (const std::exception& error) {
      result.comments.push_back(team.members[i].name + ": " + error.what());
    }
  }
  return entries;
}

// Returns the number of rounds; entries that fail on the way are gone afterwards.
int play(std::vector<Entry>& entries, const Protocol& protocol, std::mt19937_64& random, Result& result) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  int round = 0;
  for (; round < protocol.rounds; ++round) {
    const std::chrono::duration<double> passed = Clock::now() - start;
    if (round >= protocol.fewest && passed.count() > protocol.seconds) break;
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      Entry& entry = entries[i];
      if (entry.failed) continue;
      try {
        entry.nanoseconds.push_back(turn(entry));
      } catch (const std::exception& error) {
        if (i == 0) throw;
        result.comments.push_back(entry.member->name + ": " + error.what());
        entry.failed = true;
      }
    }
  }
  std::erase_if(entries, [](const Entry& entry) { return entry.failed; });
  return round;
}

}  // namespace

Result measure(const Case& of, Team& team, const Protocol& protocol, std::mt19937_64& random) {
  Result result;
  result.of = of;
  result.threads = team.threads;
  result.isa = team.members.front().detail;
  std::vector<Entry> entries = enter(of, team, protocol.turn, result);
  result.rounds = play(entries, protocol, random, result);

  const double work = operations(of.product);
  const Entry& ours = entries.front();
  result.gflops = work / spread(ours.nanoseconds).median;
  if (!of.plain.empty()) {
    Spread cost = spread(quotients(ours.nanoseconds, entries.back().nanoseconds));
    result.cost = {cost.low - 1, cost.median - 1, cost.high - 1};
  } else {
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const double gflops = work / spread(entries[i].nanoseconds).median;
      result.peers.emplace_back(entries[i].member->name, gflops);
      if (gflops <= result.best_peer_gflops) continue;
      result.best_peer = entries[i].member->name;
      result.best_peer_gflops = gflops;
      result.ratio = spread(quotients(entries[i].nanoseconds, ours.nanoseconds));
    }
  }
  for (Member& member : team.members) {
    try {
      (void)member.process->ask("forget");
    } catch (const std::exception&) {
      // its failure is in the comments already
    }
  }
  return result;
}

}  // namespace benchmark
