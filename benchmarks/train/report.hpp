// Reports: what was measured, as text, JSON and Markdown.
#pragma once

#include <iosfwd>
#include <map>
#include <vector>

#include "../common/limits.hpp"
#include "measure.hpp"

namespace benchmark {

struct Report {
  std::map<int, Limits> limits;  // by number of threads
  std::vector<TrainResult> training;
  std::vector<InferenceResult> inference;
  double others = 0;  // processors that other programs kept busy meanwhile
};

void print_training_header(std::ostream& out);
/// One line; the share of the limit is that of the measurement before.
void print_training(std::ostream& out, const TrainResult& result, const Limits& limits);
void print_inference_header(std::ostream& out);
void print_inference(std::ostream& out, const InferenceResult& result, const Limits& limits);

/// Arrays of objects; what is unknown is null.
void write_training_json(std::ostream& out, const Report& report);
void write_inference_json(std::ostream& out, const Report& report);

/// Tables for each number of threads.
void write_markdown(std::ostream& out, const Report& report);

}  // namespace benchmark
