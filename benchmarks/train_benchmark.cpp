// Training and inference of three networks against the limit of the machine; see --help.
//
// Protocol: the peak of a loop of multiply-adds is measured before and after. The limit of an epoch is the time of its
// products alone at that peak: forward, dW, and dX but for the first layer. Every case has a process of its own
// (common/process.hpp), so that its memory can be told. Round after round, in random order, it trains for a fraction of
// an epoch by hg::fit, whose time counts, and by a loop of its own with a clock between the calls; and computes the
// products of as many steps through hg::gemm. Times are scaled to an epoch of 60,000 images; figures are medians.
#include <algorithm>
#include <iostream>
#include <random>
#include <stdexcept>

#include "common/command_line.hpp"
#include "common/machine.hpp"
#include "common/text.hpp"
#include "train/measure.hpp"
#include "train/options.hpp"
#include "train/report.hpp"
#include "train/worker.hpp"

namespace {

namespace bm = benchmark;

// Those of the selected cases, once each.
std::vector<bm::Network> networks_of(const std::vector<bm::Case>& cases) {
  std::vector<bm::Network> found;
  for (const bm::Network& network : bm::networks())
    if (std::any_of(cases.begin(), cases.end(),
                    [&](const bm::Case& each) { return each.network.name == network.name; }))
      found.push_back(network);
  return found;
}

void measure(const bm::Options& options, int threads, bm::Report& report, std::mt19937_64& random) {
  const bm::Limits& limits = report.limits[threads];
  std::cout << "\n" << bm::thread_count(threads) << "\n";
  bm::print_training_header(std::cout);
  for (const bm::Case& each : options.cases) {
    report.training.push_back(bm::measure_training(each, threads, options.isa, options.protocol, random));
    bm::print_training(std::cout, report.training.back(), limits);
  }
  if (!options.inference) return;
  bm::print_inference_header(std::cout);
  for (const bm::Network& network : networks_of(options.cases))
    for (const bm::InferenceResult& result :
         bm::measure_inference(network, threads, options.isa, options.protocol, random)) {
      report.inference.push_back(result);
      bm::print_inference(std::cout, result, limits);
    }
}

int run(const bm::Options& options) {
  for (const std::string& file : {options.json, options.inference_json, options.markdown}) bm::check_writable(file);
  std::cout << bm::machine_name() << "\n";
  const bm::Meter meter;
  bm::Report report;
  for (const int threads : options.threads) {
    bm::Limits& limits = report.limits[threads];
    limits.before = bm::measure_peaks(threads);
    if (options.inference) limits.bandwidth = bm::measure_bandwidth(threads);
    bm::print_limits(std::cout, threads, limits);
  }
  std::mt19937_64 random{1};
  for (const int threads : options.threads) measure(options, threads, report, random);
  std::cout << "\nImages: " << report.training.front().data << "\n";
  for (const int threads : options.threads) {
    report.limits[threads].after = bm::measure_peaks(threads);
    bm::print_limits(std::cout, threads, report.limits[threads]);
  }
  report.others = meter.others();
  bm::print_others(std::cout, report.others);
  bm::write_file(options.json, [&](std::ostream& out) { bm::write_training_json(out, report); });
  bm::write_file(options.inference_json, [&](std::ostream& out) { bm::write_inference_json(out, report); });
  bm::write_file(options.markdown, [&](std::ostream& out) { bm::write_markdown(out, report); });
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
      std::cout << each.name << ": "
                << bm::fixed(bm::training_operations(each.network) * static_cast<double>(bm::epoch_images) * 1e-9, 1)
                << " GFLOP an epoch\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "train_benchmark: " << error.what() << "\n";
    return 1;
  }
}
