// The command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cases.hpp"
#include "measure.hpp"

namespace benchmark {

struct Options {
  std::string json;
  std::string inference_json;
  std::string markdown;
  std::string filter;
  std::string isa;
  std::vector<int> threads;
  bool inference = true;
  bool list = false;
  Protocol protocol;
  std::vector<Case> cases;  // the selected ones
};

/// Nothing where only help was asked for, and printed. Throws std::exception with one clear line on a bad command line.
[[nodiscard]] std::optional<Options> parse(int argc, char** argv);

}  // namespace benchmark
