// Peers: which libraries for matrix products this machine has.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace benchmark {

/// Where a contender is, and what its process needs.
struct Contender {
  std::string kind;
  std::string file;                                // a path, or a name that the system's loader knows
  std::map<std::string, std::string> environment;  // beside the benchmark's own
  bool expected = false;                           // it exists: say so where it cannot be loaded
};

/// Names for --peers.
[[nodiscard]] const std::vector<std::string>& peer_kinds();

/// Hourglass itself.
[[nodiscard]] Contender ours();

/// Candidates of these kinds, from the folder that HOURGLASS_PEERS names, build/peers and the system's loader. Whether
/// they can be loaded shows only when they are. Where `isa` is avx2, libraries are kept from using more.
[[nodiscard]] std::vector<Contender> find_peers(const std::vector<std::string>& kinds, const std::string& isa);

}  // namespace benchmark
