#include "report.hpp"

#include <iomanip>
#include <ostream>

#include "../common/machine.hpp"
#include "../common/text.hpp"

namespace benchmark {
namespace {

std::string signed_percent(double fraction) { return (fraction < 0 ? "" : "+") + fixed(100 * fraction, 1) + " %"; }

double gigabytes_per_second(const Result& result) {
  return operand_bytes(result.of.product) * result.gflops / operations(result.of.product);
}

std::string shape(const Product& p) {
  return std::to_string(p.m) + " x " + std::to_string(p.n) + " x " + std::to_string(p.k);
}

// "1.21 (1.19 to 1.24)", the cost of an activation, or nothing.
std::string comparison(const Result& result) {
  if (result.cost)
    return "cost " + signed_percent(result.cost->median) + " (" + signed_percent(result.cost->low) + " to " +
           signed_percent(result.cost->high) + ")";
  if (result.best_peer.empty()) return "";
  return fixed(result.ratio.median, 2) + " (" + fixed(result.ratio.low, 2) + " to " + fixed(result.ratio.high, 2) + ")";
}

}  // namespace

void print_header(std::ostream& out) {
  out << std::left << std::setw(32) << "product" << std::right << std::setw(10) << "GFLOP/s" << std::setw(8)
      << "of peak" << std::setw(9) << "GB/s"
      << "  " << std::left << std::setw(22) << "best peer" << std::right << std::setw(8) << "GFLOP/s"
      << "  ratio (quartiles)\n";
}

void print_result(std::ostream& out, const Result& result, const Limits& limits) {
  out << std::left << std::setw(32) << result.of.name << std::right << std::setw(10) << fixed(result.gflops, 1)
      << std::setw(8) << percent(result.gflops, limits.peak(result.isa)) << std::setw(9)
      << (result.of.memory_bound ? fixed(gigabytes_per_second(result), 1) : "") << "  " << std::left << std::setw(22)
      << result.best_peer << std::right << std::setw(8)
      << (result.best_peer.empty() ? "" : fixed(result.best_peer_gflops, 1)) << "  " << comparison(result);
  if (result.wrong()) out << "  WRONG: error " << result.error << " times what rounding explains";
  out << std::endl;  // a line in a file that is being watched
  for (const std::string& comment : result.comments) out << "    left out: " << comment << "\n";
}

void write_markdown(std::ostream& out, const Report& report) {
  out << "Measured on " << machine_name() << ", compiled with " << HOURGLASS_COMPILER << ".\n";
  for (const auto& [threads, limits] : report.limits) {
    out << "\n## " << thread_count(threads) << "\n\n";
    print_limits(out, threads, limits);
    out << "\n| library | instruction set | processors kept busy |\n|---|---|---|\n";
    for (const Contestant& each : report.contestants)
      if (each.threads == threads)
        out << "| " << each.name << " | " << each.detail << " | " << fixed(each.busy, 2) << " |\n";
    out << "\n| product | m x n x k | GFLOP/s | of peak | GB/s | best peer | GFLOP/s | ratio (quartiles) |\n"
        << "|---|---|---|---|---|---|---|---|\n";
    for (const Result& result : report.results) {
      if (result.threads != threads) continue;
      out << "| " << result.of.name << " | " << shape(result.of.product) << " | " << fixed(result.gflops, 1) << " | "
          << percent(result.gflops, limits.peak(result.isa)) << " | " << fixed(gigabytes_per_second(result), 1) << " | "
          << result.best_peer << " | " << (result.best_peer.empty() ? "" : fixed(result.best_peer_gflops, 1)) << " | "
          << comparison(result) << " |\n";
    }
  }
  print_others(out << "\n", report.others);
  if (!report.comments.empty()) out << "\nNot measured:\n\n";
  for (const std::string& comment : report.comments) out << "- " << comment << "\n";
}

}  // namespace benchmark
