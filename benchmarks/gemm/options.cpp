#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "../common/command_line.hpp"
#include "peers.hpp"

namespace benchmark {
namespace {

constexpr const char* description =
    "Measures Hourglass's matrix product against the peak of the machine and the other libraries on it "
    "(scripts/install_benchmark_peers gets some). The machine should have nothing else to do.";

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  bool quick = false;
  bool all = false;
  bool no_peers = false;
  int rounds = 0;
  CLI::App app{description, "gemm_benchmark"};
  app.add_option("--json", options.json, "Write the results to this file, an array of objects");
  app.add_option("--markdown", options.markdown, "Write tables to this file");
  app.add_option("--filter", options.filter, "Only products whose name holds this text, or matches it as a pattern");
  app.add_option("--threads", options.threads, "Numbers of threads, such as 1,2; default: 1 and all")->delimiter(',');
  app.add_option("--isa", options.isa, "Instruction set: avx512, avx2 (peers too), neon or portable; default: the best")
      ->check(CLI::IsMember({"portable", "neon", "avx2", "avx512"}));
  app.add_option("--rounds", rounds, "Rounds per product; default: 30, with --quick 9")->check(CLI::PositiveNumber);
  auto* wish = app.add_option("--peers", options.peers, "Only these libraries, of " + joined(peer_kinds()));
  wish->delimiter(',')->check(CLI::IsMember(peer_kinds()));
  app.add_flag("--no-peers", no_peers, "No other libraries")->excludes(wish);
  auto* quick_flag = app.add_flag("--quick", quick, "Few products and rounds: less than a minute");
  app.add_flag("--all", all, "Every batch, layer and square: half an hour")->excludes(quick_flag);
  app.add_flag("--list", options.list, "Name the products and stop");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  }

  options.effort = quick ? Effort::quick : (all ? Effort::all : Effort::usual);
  options.threads = thread_counts(std::move(options.threads));
  options.cases = select_cases(options.effort, options.filter);
  if (no_peers)
    options.peers.clear();
  else if (options.peers.empty())
    options.peers = peer_kinds();
  if (quick) {
    options.protocol.rounds = 9;
    options.protocol.seconds = 30.0 / static_cast<double>(options.cases.size() * options.threads.size());
    options.protocol.turn = 1e-3;
  }
  if (rounds > 0) {
    options.protocol.rounds = rounds;
    options.protocol.fewest = std::min(options.protocol.fewest, rounds);
  }
  return options;
}

}  // namespace benchmark
