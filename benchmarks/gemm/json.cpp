#include <ostream>

#include "../common/text.hpp"
#include "report.hpp"

namespace benchmark {

void write_json(std::ostream& out, const Report& report) {
  const char* separator = "[\n";
  for (const Result& result : report.results) {
    const double peak = report.limits.at(result.threads).peak(result.isa);
    const bool compared = !result.best_peer.empty();
    const auto if_compared = [&](double value) { return compared ? number(value) : "null"; };
    const Product& p = result.of.product;
    out << separator << "  {\"name\": " << quoted(result.of.name) << ", \"m\": " << p.m << ", \"n\": " << p.n
        << ", \"k\": " << p.k << ", \"threads\": " << result.threads << ", \"isa\": " << quoted(result.isa)
        << ", \"gflops\": " << number(result.gflops)
        << ", \"percent_of_peak\": " << (peak > 0 ? number(100 * result.gflops / peak) : "null")
        << ", \"best_peer\": " << (compared ? quoted(result.best_peer) : "null")
        << ", \"best_peer_gflops\": " << if_compared(result.best_peer_gflops)
        << ", \"ratio_to_best_peer\": " << if_compared(result.ratio.median)
        << ", \"ratio_low\": " << if_compared(result.ratio.low)
        << ", \"ratio_high\": " << if_compared(result.ratio.high)
        << ", \"gigabytes_per_second\": " << number(operand_bytes(p) * result.gflops / operations(p))
        << ", \"rounds\": " << result.rounds << ", \"correct\": " << (result.wrong() ? "false" : "true");
    if (result.cost)
      out << ", \"activation_cost_percent\": " << number(100 * result.cost->median)
          << ", \"activation_cost_low\": " << number(100 * result.cost->low)
          << ", \"activation_cost_high\": " << number(100 * result.cost->high);
    out << ", \"peers\": {";
    for (std::size_t i = 0; i < result.peers.size(); ++i)
      out << (i ? ", " : "") << quoted(result.peers[i].first) << ": " << number(result.peers[i].second);
    out << "}}";
    separator = ",\n";
  }
  out << (report.results.empty() ? "[]\n" : "\n]\n");
}

}  // namespace benchmark
