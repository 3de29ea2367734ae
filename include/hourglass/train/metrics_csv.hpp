// Metrics as CSV: one row an epoch, written as soon as the epoch is over.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <limits>
#include <string>

#include "hourglass/core/error.hpp"
#include "hourglass/train/report.hpp"

namespace hourglass {

/// Writes `epoch,train_loss,test_loss,seconds`, for classifiers `train_accuracy,test_accuracy` and, for losses of
/// several terms, `test_<term>` for each. Without validation data the test columns stay empty. The file is replaced;
/// every row is flushed.
class MetricsCsv {
 public:
  /// Throws FormatError when the file cannot be written.
  explicit MetricsCsv(const std::filesystem::path& path) : path_{path}, file_{path} { check(); }

  void write(const EpochReport& report) {
    const auto& parts = report.train.parts;
    if (!header_written_) {
      file_ << "epoch,train_loss,test_loss,seconds";
      if (report.train.accuracy) file_ << ",train_accuracy,test_accuracy";
      for (const auto& part : parts) file_ << ",test_" << part.first;
      file_ << '\n' << std::setprecision(std::numeric_limits<float>::max_digits10);
      header_written_ = true;
    }
    file_ << report.epoch << ',' << report.train.loss << ',';
    if (report.test) file_ << report.test->loss;
    file_ << ',' << report.seconds;
    if (report.train.accuracy) {
      file_ << ',' << *report.train.accuracy << ',';
      if (report.test) file_ << report.test->accuracy.value_or(0);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      file_ << ',';
      if (report.test) file_ << report.test->parts[i].second;
    }
    file_ << std::endl;
    check();
  }

 private:
  void check() const {
    if (!file_) throw FormatError(path_.string() + ": cannot be written; check that the folder exists and has room");
  }

  std::filesystem::path path_;
  std::ofstream file_;
  bool header_written_ = false;
};

}  // namespace hourglass
