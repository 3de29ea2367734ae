// Fails unless a JSON report of the benchmark has what others read from it.   usage: check_benchmark_report FILE
#include <exception>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::ordered_json;

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

void check(const Json& result) {
  const std::vector<std::string> keys{"name",
                                      "m",
                                      "n",
                                      "k",
                                      "threads",
                                      "isa",
                                      "gflops",
                                      "percent_of_peak",
                                      "best_peer",
                                      "best_peer_gflops",
                                      "ratio_to_best_peer"};
  auto each = result.begin();
  for (const std::string& key : keys) {
    require(each != result.end() && each.key() == key, "the key " + key + " is missing, or in another place");
    ++each;
  }
  for (const char* key : {"name", "isa"}) require(result[key].is_string(), std::string(key) + " is no text");
  for (const char* key : {"m", "n", "k", "threads"})
    require(result[key].is_number_integer() && result[key] > 0, std::string(key) + " is no positive integer");
  require(result["gflops"].is_number() && result["gflops"] > 0, "gflops is not positive");
  require(result["percent_of_peak"].is_null() || result["percent_of_peak"] > 0, "percent_of_peak is not positive");
  const bool compared = result["best_peer"].is_string();
  require(compared || result["best_peer"].is_null(), "best_peer is neither a text nor null");
  for (const char* key : {"best_peer_gflops", "ratio_to_best_peer", "ratio_low", "ratio_high"})
    require(compared ? result.at(key) > 0 : result.at(key).is_null(), std::string(key) + " does not fit best_peer");
  require(result.at("correct") == true, "the product is wrong");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc == 2, "usage: check_benchmark_report FILE");
    std::ifstream file(argv[1]);
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
