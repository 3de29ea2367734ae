// Reports: what was measured, as text, JSON and Markdown.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "../common/limits.hpp"
#include "measure.hpp"

namespace benchmark {

struct Contestant {
  int threads;
  std::string name;
  std::string detail;
  double busy;
};

struct Report {
  std::map<int, Limits> limits;  // by number of threads
  std::vector<Contestant> contestants;
  std::vector<Result> results;
  std::vector<std::string> comments;
  double others = 0;  // processors that other programs kept busy meanwhile
};

void print_header(std::ostream& out);
/// One line; the share of the peak is that of the measurement before.
void print_result(std::ostream& out, const Result& result, const Limits& limits);

/// An array of objects; what is unknown is null.
void write_json(std::ostream& out, const Report& report);

/// A table for each number of threads.
void write_markdown(std::ostream& out, const Report& report);

}  // namespace benchmark
