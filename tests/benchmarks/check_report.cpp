// Fails unless a JSON report of a benchmark has what others read from it.
//     usage: check_benchmark_report gemm|train|inference|pytorch FILE
#include <cmath>
#include <exception>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

void require_first(const Json& result, const Names& keys) {
  auto each = result.begin();
  for (const std::string& key : keys) {
    require(each != result.end() && each.key() == key, "the key " + key + " is missing, or in another place");
    ++each;
  }
}

void require_texts(const Json& result, const Names& keys) {
  for (const std::string& key : keys) require(result.at(key).is_string(), key + " is no text");
}

void require_counts(const Json& result, const Names& keys) {
  for (const std::string& key : keys)
    require(result.at(key).is_number_integer() && result.at(key) > 0, key + " is no positive integer");
}

void require_positive(const Json& result, const Names& keys) {
  for (const std::string& key : keys)
    require(result.at(key).is_number() && result.at(key) > 0, key + " is not positive");
}

// What needs the peak of the machine is null where that is unknown.
void require_positive_or_null(const Json& result, const Names& keys) {
  for (const std::string& key : keys) require(result.at(key).is_null() || result.at(key) > 0, key + " is not positive");
}

void require_close(double a, double b, const std::string& what) {
  require(std::abs(a - b) <= 0.01 * std::abs(b), what + ": " + std::to_string(a) + " against " + std::to_string(b));
}

void check_gemm(const Json& result) {
  require_first(result, {"name", "m", "n", "k", "threads", "isa", "gflops", "percent_of_peak", "best_peer",
                         "best_peer_gflops", "ratio_to_best_peer"});
  require_texts(result, {"name", "isa"});
  require_counts(result, {"m", "n", "k", "threads"});
  require_positive(result, {"gflops"});
  require_positive_or_null(result, {"percent_of_peak"});
  const bool compared = result["best_peer"].is_string();
  require(compared || result["best_peer"].is_null(), "best_peer is neither a text nor null");
  for (const char* key : {"best_peer_gflops", "ratio_to_best_peer", "ratio_low", "ratio_high"})
    require(compared ? result.at(key) > 0 : result.at(key).is_null(), std::string(key) + " does not fit best_peer");
  require(result.at("correct") == true, "the product is wrong");
}

void check_train(const Json& result) {
  require_first(result, {"model", "batch", "threads", "isa", "seconds_per_epoch", "fma_peak_gflops", "percent_of_limit",
                         "peak_memory_bytes"});
  require_texts(result, {"model", "isa", "data"});
  require_counts(result, {"batch", "threads", "peak_memory_bytes", "rounds", "images_per_round"});
  require_positive(result,
                   {"seconds_per_epoch", "seconds_low", "seconds_high", "loop_seconds", "forward_products_seconds",
                    "dw_products_seconds", "dx_products_seconds", "barriers_seconds"});
  require_positive_or_null(result, {"fma_peak_gflops", "percent_of_limit", "limit_seconds"});
  require(result["peak_memory_bytes"] > 55e6, "the images are not in memory");
  double sum = 0;
  for (const char* part : {"data", "forward", "loss", "dx", "dw_and_optimizer"}) {
    const Json& seconds = result.at(std::string(part) + "_seconds");
    require(seconds > 0, std::string(part) + " takes no time");
    sum += seconds.get<double>();
  }
  require_close(sum, result["loop_seconds"], "the parts do not sum to the time of the loop");
  if (!result["percent_of_limit"].is_null())
    require_close(result["percent_of_limit"].get<double>() / 100 * result["seconds_per_epoch"].get<double>(),
                  result["limit_seconds"], "percent_of_limit is not that of the limit");
}

void check_inference(const Json& result) {
  require_first(result, {"model", "task", "batch", "threads", "isa", "seconds"});
  require_texts(result, {"model", "task", "isa"});
  require_counts(result, {"batch", "threads", "rounds"});
  require_positive(result, {"seconds", "seconds_low", "seconds_high", "images_per_second", "gigabytes_per_second",
                            "l2_gigabytes_per_second", "memory_gigabytes_per_second", "gflops"});
  require_positive_or_null(result, {"fma_peak_gflops", "percent_of_peak"});
  require_close(result["images_per_second"].get<double>() * result["seconds"].get<double>(),
                result["batch"].get<double>(), "images_per_second is not that of the batch");
}

// What is said of PyTorch itself is named after it, what is said of the others after a peer.
void check_pytorch(const Json& result) {
  const std::string peer = result.at("peer") == "PyTorch" ? "pytorch" : "peer";
  require_first(result, {"model", "batch", "threads", "ours_seconds", peer + "_seconds", "ratio", peer + "_version"});
  require_texts(result, {"model", "peer", peer + "_version", "task", "isa", "data"});
  require_counts(result, {"batch", "threads", "rounds", "images"});
  require_positive(result, {"ours_seconds", peer + "_seconds", "ratio", "ratio_low", "ratio_high", "best_ratio"});
  require(result.at("flush_denormal").is_boolean(), "flush_denormal is neither true nor false");
  if (result["task"] != "train") return;
  if (result["peer"] == "MiniDNN") {  // its mean square, 0.23 before it trains
    require(result.at("peer_test_loss") > 0 && result["peer_test_loss"] < 0.23, "MiniDNN does not learn");
    return;
  }
  // Both start from the same distributions and see the same images, so neither can be far from the other.
  const double ours = result.at("ours_test_loss");
  const double theirs = result.at(peer + "_test_loss");
  require(ours > 0 && theirs > 0 && std::abs(ours - theirs) < 0.1 * theirs,
          "the test losses differ: " + std::to_string(ours) + " and " + std::to_string(theirs));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc == 3, "usage: check_benchmark_report gemm|train|inference|pytorch FILE");
    const std::string kind = argv[1];
    const auto check = kind == "gemm"        ? check_gemm
                       : kind == "train"     ? check_train
                       : kind == "inference" ? check_inference
                       : kind == "pytorch"   ? check_pytorch
                                             : nullptr;
    require(check != nullptr, "there is no kind of report called " + kind);
    std::ifstream file(argv[2]);
    const Json report = Json::parse(file);
    require(report.is_array() && !report.empty(), "the report is no array of results");
    for (const Json& result : report) check(result);
    std::cout << report.size() << " results\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
