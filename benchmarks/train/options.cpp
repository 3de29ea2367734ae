#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "../common/command_line.hpp"

namespace benchmark {
namespace {

constexpr const char* description =
    "Measures training and inference of three networks on MNIST (from $HOURGLASS_MNIST_DIR, else drawn images of the "
    "same size) against the limit that the machine's multiply-adds set. It should have nothing else to do.";

}  // namespace

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  bool quick = false;
  bool no_inference = false;
  int rounds = 0;
  CLI::App app{description, "train_benchmark"};
  app.add_option("--json", options.json, "Write the results of training to this file, an array of objects");
  auto* inference_json =
      app.add_option("--inference-json", options.inference_json, "Write those of inference to this file");
  app.add_option("--markdown", options.markdown, "Write tables to this file");
  app.add_option("--filter", options.filter, "Only cases whose name holds this text, or matches it as a pattern");
  app.add_option("--threads", options.threads, "Numbers of threads, such as 1,2; default: 1 and all")->delimiter(',');
  app.add_option("--isa", options.isa, "Instruction set: avx512, avx2, neon or portable; default: the best")
      ->check(CLI::IsMember({"portable", "neon", "avx2", "avx512"}));
  app.add_option("--rounds", rounds, "Rounds per case; default: 30, with --quick 5")->check(CLI::PositiveNumber);
  app.add_flag("--no-inference", no_inference, "Training alone")->excludes(inference_json);
  app.add_flag("--quick", quick, "Few cases, steps and rounds: less than a minute");
  app.add_flag("--list", options.list, "Name the cases and stop");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  }

  options.threads = thread_counts(std::move(options.threads));
  options.cases = select_cases(quick ? Effort::quick : Effort::usual, options.filter);
  options.inference = !no_inference;
  if (quick) {
    options.protocol.rounds = 5;
    options.protocol.fewest = 3;
    options.protocol.seconds = 25.0 / static_cast<double>(options.cases.size() * options.threads.size());
    options.protocol.turn = 0.1;
  }
  if (rounds > 0) {
    options.protocol.rounds = rounds;
    options.protocol.fewest = std::min(options.protocol.fewest, rounds);
  }
  return options;
}

}  // namespace benchmark
