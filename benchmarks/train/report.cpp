#include "report.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <ostream>
#include <string>

#include "../common/machine.hpp"
#include "../common/text.hpp"

namespace benchmark {
namespace {

/// Seconds of an epoch where nothing but its products takes time, and they run at the peak; 0 where that is unknown.
double limit_seconds(const TrainResult& result, double peak) {
  if (peak <= 0) return 0;
  return training_operations(result.of.network) * static_cast<double>(epoch_images) / (peak * 1e9);
}

// 100 where the epoch takes as long as its limit; null where that is unknown.
std::string percent_of_limit(const TrainResult& result, double peak) {
  return peak > 0 ? number(100 * limit_seconds(result, peak) / result.seconds.median) : "null";
}

struct Column {
  const char* name;
  double seconds;
};

std::array<Column, 5> parts(const TrainResult& result) {
  const Breakdown& part = result.breakdown;
  return {{{"data", part.data},
           {"forward", part.forward},
           {"loss", part.loss},
           {"dx", part.dx},
           {"dw_and_optimizer", part.dw}}};
}

std::array<Column, 4> alone(const TrainResult& result) {
  return {{{"forward_products", result.products.forward},
           {"dw_products", result.products.dw},
           {"dx_products", result.products.dx},
           {"barriers", result.barriers}}};
}

std::string megabytes(double bytes) { return fixed(bytes / 1e6, 0); }

double gflops(const InferenceResult& result) { return result.operations() / result.seconds.median * 1e-9; }
double gigabytes_per_second(const InferenceResult& result) {
  return result.parameter_bytes() / result.seconds.median * 1e-9;
}
double images_per_second(const InferenceResult& result) {
  return static_cast<double>(result.batch) / result.seconds.median;
}

// What of the machine a pass uses: one image reads all weights for little arithmetic, many read them once.
std::string share(const InferenceResult& result, const Limits& limits) {
  if (result.batch > 1) return percent(gflops(result), limits.peak(result.isa)) + " of the FMA peak";
  const double rate = gigabytes_per_second(result);
  return fixed(rate, 1) + " GB/s of weights: " + percent(rate, limits.bandwidth.l2) + " of L2's, " +
         percent(rate, limits.bandwidth.memory) + " of memory's";
}

std::string quartiles(const Spread& spread, int digits) {
  return fixed(spread.median, digits) + " (" + fixed(spread.low, digits) + " to " + fixed(spread.high, digits) + ")";
}

}  // namespace

void print_training_header(std::ostream& out) {
  out << std::left << std::setw(34) << "training: seconds per epoch" << std::setw(24) << "fit (quartiles)" << std::right
      << std::setw(8) << "limit" << std::setw(10) << "of limit" << std::setw(8) << "MB"
      << "   loop = data + forward + loss + dX + dW and optimizer [alone: products of forward, dW, dX; barriers]\n";
}

void print_training(std::ostream& out, const TrainResult& result, const Limits& limits) {
  const double limit = limit_seconds(result, limits.peak(result.isa));
  out << std::left << std::setw(34) << result.of.name << std::setw(24) << quartiles(result.seconds, 3) << std::right
      << std::setw(8) << fixed(limit, 3) << std::setw(10) << percent(limit, result.seconds.median) << std::setw(8)
      << megabytes(result.peak_memory) << "   " << fixed(result.breakdown.wall, 3);
  const char* separator = " = ";
  for (const Column& part : parts(result)) {
    out << separator << fixed(part.seconds, 3);
    separator = " + ";
  }
  separator = " [";
  for (const Column& product : alone(result)) {
    out << separator << fixed(product.seconds, 3);
    separator = ", ";
  }
  out << "]" << std::endl;  // a line in a file that is being watched
}

void print_inference_header(std::ostream& out) {
  out << std::left << std::setw(34) << "inference" << std::setw(12) << "task" << std::right << std::setw(6) << "batch"
      << std::setw(14) << "images/s"
      << "  uses\n";
}

void print_inference(std::ostream& out, const InferenceResult& result, const Limits& limits) {
  out << std::left << std::setw(34) << result.network.name << std::setw(12) << result.task() << std::right
      << std::setw(6) << result.batch << std::setw(14) << fixed(images_per_second(result), 0) << "  "
      << share(result, limits) << std::endl;
}

void write_training_json(std::ostream& out, const Report& report) {
  const char* separator = "[\n";
  for (const TrainResult& result : report.training) {
    const double peak = report.limits.at(result.threads).peak(result.isa);
    out << separator << "  {\"model\": " << quoted(result.of.network.name) << ", \"batch\": " << result.of.batch
        << ", \"threads\": " << result.threads << ", \"isa\": " << quoted(result.isa)
        << ", \"seconds_per_epoch\": " << number(result.seconds.median)
        << ", \"fma_peak_gflops\": " << (peak > 0 ? number(peak) : "null")
        << ", \"percent_of_limit\": " << percent_of_limit(result, peak)
        << ", \"peak_memory_bytes\": " << fixed(result.peak_memory, 0)
        << ", \"seconds_low\": " << number(result.seconds.low) << ", \"seconds_high\": " << number(result.seconds.high)
        << ", \"limit_seconds\": " << (peak > 0 ? number(limit_seconds(result, peak)) : "null")
        << ", \"loop_seconds\": " << number(result.breakdown.wall);
    for (const Column& part : parts(result)) out << ", \"" << part.name << "_seconds\": " << number(part.seconds);
    for (const Column& each : alone(result)) out << ", \"" << each.name << "_seconds\": " << number(each.seconds);
    out << ", \"rounds\": " << result.rounds << ", \"images_per_round\": " << result.images
        << ", \"data\": " << quoted(result.data) << "}";
    separator = ",\n";
  }
  out << (report.training.empty() ? "[]\n" : "\n]\n");
}

void write_inference_json(std::ostream& out, const Report& report) {
  const char* separator = "[\n";
  for (const InferenceResult& result : report.inference) {
    const Limits& limits = report.limits.at(result.threads);
    const double peak = limits.peak(result.isa);
    out << separator << "  {\"model\": " << quoted(result.network.name) << ", \"task\": " << quoted(result.task())
        << ", \"batch\": " << result.batch << ", \"threads\": " << result.threads << ", \"isa\": " << quoted(result.isa)
        << ", \"seconds\": " << number(result.seconds.median) << ", \"seconds_low\": " << number(result.seconds.low)
        << ", \"seconds_high\": " << number(result.seconds.high)
        << ", \"images_per_second\": " << number(images_per_second(result))
        << ", \"gigabytes_per_second\": " << number(gigabytes_per_second(result))
        << ", \"l2_gigabytes_per_second\": " << number(limits.bandwidth.l2)
        << ", \"memory_gigabytes_per_second\": " << number(limits.bandwidth.memory)
        << ", \"gflops\": " << number(gflops(result)) << ", \"fma_peak_gflops\": " << (peak > 0 ? number(peak) : "null")
        << ", \"percent_of_peak\": " << (peak > 0 ? number(100 * gflops(result) / peak) : "null")
        << ", \"rounds\": " << result.rounds << "}";
    separator = ",\n";
  }
  out << (report.inference.empty() ? "[]\n" : "\n]\n");
}

void write_markdown(std::ostream& out, const Report& report) {
  out << "Measured on " << machine_name() << ", compiled with " << HOURGLASS_COMPILER << ".\n";
  for (const auto& [threads, limits] : report.limits) {
    out << "\n## " << thread_count(threads) << "\n\n";
    print_limits(out, threads, limits);
    out << "\nTraining, seconds per epoch of " << epoch_images
        << " images; a loop and its parts; products and barriers alone:\n\n"
        << "| network | batch | fit (quartiles) | limit | of limit | MB | loop | data | forward | loss | dX | "
           "dW, optimizer | forward products | dW | dX | barriers |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (const TrainResult& result : report.training) {
      if (result.threads != threads) continue;
      const double limit = limit_seconds(result, limits.peak(result.isa));
      out << "| " << result.of.network.name << " | " << result.of.batch << " | " << quartiles(result.seconds, 3)
          << " | " << fixed(limit, 3) << " | " << percent(limit, result.seconds.median) << " | "
          << megabytes(result.peak_memory) << " | " << fixed(result.breakdown.wall, 3);
      for (const Column& part : parts(result)) out << " | " << fixed(part.seconds, 3);
      for (const Column& product : alone(result)) out << " | " << fixed(product.seconds, 3);
      out << " |\n";
    }
    if (report.inference.empty()) continue;
    out << "\n| network | inference | batch | microseconds (quartiles) | images/s | uses "
           "|\n|---|---|---|---|---|---|\n";
    for (const InferenceResult& result : report.inference) {
      if (result.threads != threads) continue;
      const Spread& s = result.seconds;
      out << "| " << result.network.name << " | " << result.task() << " | " << result.batch << " | "
          << quartiles({1e6 * s.low, 1e6 * s.median, 1e6 * s.high}, 1) << " | " << fixed(images_per_second(result), 0)
          << " | " << share(result, limits) << " |\n";
    }
  }
  print_others(out << "\n", report.others);
}

}  // namespace benchmark
