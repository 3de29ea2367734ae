// Measuring a case: contenders take turns in random order, round after round.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "../common/spread.hpp"
#include "cases.hpp"
#include "team.hpp"

namespace benchmark {

struct Protocol {
  int rounds = 30;  // at most; at least `fewest`, also where that exceeds `seconds`
  int fewest = 7;
  double seconds = 15;  // for one case
  double turn = 2e-3;   // seconds that a turn lasts at least
};

struct Result {
  Case of;
  int threads = 1;
  std::string isa;
  int rounds = 0;
  double gflops = 0;
  double error = 0;                                   // over its bound: above 1 is wrong
  std::vector<std::pair<std::string, double>> peers;  // name and GFLOP/s, of those with a correct result
  std::string best_peer;                              // empty where there is none
  double best_peer_gflops = 0;
  Spread ratio;                // of our speed to that of the best peer, in the same round
  std::optional<Spread> cost;  // of the activation: time over that of the plain product, less one
  std::vector<std::string> comments;

  [[nodiscard]] bool wrong() const { return !(error <= 1); }
};

/// Measures the case; for one with an activation, Hourglass with against without it. Throws std::runtime_error where
/// Hourglass fails.
[[nodiscard]] Result measure(const Case& of, Team& team, const Protocol& protocol, std::mt19937_64& random);

}  // namespace benchmark
