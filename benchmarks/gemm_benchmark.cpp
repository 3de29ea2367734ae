// Hourglass's matrix product against the peak of the machine and the other libraries on it; see --help.
//
// Protocol: the peak of a loop of multiply-adds is measured before and after. Every library runs in a process of its
// own, stopped while others have their turn (common/process.hpp). For each product they take turns in random order,
// round after round; a turn repeats the product for some milliseconds after a warm-up. Figures are medians over the
// rounds, the ratio to the best peer the median of the ratios within a round. Every result is checked against float64.
#include <iostream>
#include <random>
#include <stdexcept>

#include "common/command_line.hpp"
#include "common/machine.hpp"
#include "common/text.hpp"
#include "gemm/options.hpp"
#include "gemm/peers.hpp"
#include "gemm/report.hpp"
#include "gemm/team.hpp"
#include "gemm/worker.hpp"

namespace {

namespace bm = benchmark;

bm::Team assemble(const bm::Options& options, int threads, bm::Report& report) {
  bm::Team team = bm::start_team(bm::find_peers(options.peers, options.isa), threads, options.isa);
  for (const bm::Member& member : team.members) {
    std::cout << "  " << member.name << (member.detail.empty() ? "" : " (" + member.detail + ")") << ": keeps "
              << static_cast<double>(static_cast<int>(100 * member.busy)) / 100 << " processors busy\n";
    report.contestants.push_back({threads, member.name, member.detail, member.busy});
  }
  for (const std::string& comment : team.comments) {
    std::cout << "  left out: " << comment << "\n";
    report.comments.push_back(comment);
  }
  return team;
}

int run(const bm::Options& options) {
  bm::check_writable(options.json);
  bm::check_writable(options.markdown);
  std::cout << bm::machine_name() << "\n";
  const bm::Meter meter;
  bm::Report report;
  for (const int threads : options.threads) {
    bm::Limits& limits = report.limits[threads];
    limits.before = bm::measure_peaks(threads);
    limits.bandwidth = bm::measure_bandwidth(threads);
    bm::print_limits(std::cout, threads, limits);
  }

  std::mt19937_64 random{1};
  bool wrong = false;
  for (const int threads : options.threads) {
    std::cout << "\n" << bm::thread_count(threads) << "\n";
    bm::Team team = assemble(options, threads, report);
    bm::print_header(std::cout);
    for (const bm::Case& each : options.cases) {
      report.results.push_back(bm::measure(each, team, options.protocol, random));
      bm::print_result(std::cout, report.results.back(), report.limits[threads]);
      wrong = wrong || report.results.back().wrong();
    }
  }

  std::cout << "\n";
  for (const int threads : options.threads) {
    report.limits[threads].after = bm::measure_peaks(threads);
    bm::print_limits(std::cout, threads, report.limits[threads]);
  }
  report.others = meter.others();
  bm::print_others(std::cout, report.others);
  bm::write_file(options.json, [&](std::ostream& out) { bm::write_json(out, report); });
  bm::write_file(options.markdown, [&](std::ostream& out) { bm::write_markdown(out, report); });
  if (wrong) throw std::runtime_error("Hourglass computed a wrong product; see above");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (const auto status = bm::serve_as_worker(argc, argv)) return *status;
    const auto options = bm::parse(argc, argv);
    if (!options) return 0;
    if (!options->list) return run(*options);
    for (const bm::Case& each : options->cases)
      std::cout << each.name << ": m = " << each.product.m << ", n = " << each.product.n << ", k = " << each.product.k
                << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "gemm_benchmark: " << error.what() << "\n";
    return 1;
  }
}
