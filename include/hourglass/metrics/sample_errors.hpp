// Errors of each sample: e_i = 1/features sum_j (output_ij - target_ij)^2.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <vector>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/samples.hpp"

namespace hourglass {

/// Whatever Samples is a view of: Matrix, its views, Images, ImageSpan, Samples. As an argument it may be a temporary.
template <class T>
concept SampleSource = std::convertible_to<const T&, Samples>;

namespace detail {

/// Calls `body(i, output_i, target_i, scratch)` for every i, in parallel: row i of each data set as `features` doubles,
/// and `scratch_size` doubles of this thread. Throws ShapeError when the shapes differ, DataError when there are no
/// samples.
template <class Body>
void for_each_pair(const char* name, const Samples& output, const Samples& target, Index scratch_size,
                   const Body& body) {
  if (output.rows() != target.rows() || output.cols() != target.cols())
    throw ShapeError(message(name, ": the output has shape ", shape_string(output.rows(), output.cols()),
                             ", the target ", shape_string(target.rows(), target.cols()),
                             "; compare samples of the same number and size"));
  if (output.rows() == 0 || output.cols() == 0)
    throw DataError(message(name, ": the data of shape ", shape_string(output.rows(), output.cols()),
                            " is empty; there is nothing to compare"));
  constexpr Index most = 256;  // rows that are held as doubles at a time
  const Index parts = num_threads();
  Matrix<double> outputs(std::min(most, output.rows()), output.cols());
  Matrix<double> targets(outputs.rows(), output.cols());
  Matrix<double> scratch(parts, scratch_size);
  for (Index first = 0; first < output.rows(); first += most) {
    const Index rows = std::min(most, output.rows() - first);
    output.copy_rows(first, MatrixView<double>(outputs.data(), rows, output.cols()));
    target.copy_rows(first, MatrixView<double>(targets.data(), rows, output.cols()));
    parallel_for(parts, static_cast<int>(parts), [&](Index part) {
      for (Index i = rows * part / parts; i < rows * (part + 1) / parts; ++i)
        body(first + i, outputs.data() + i * output.cols(), targets.data() + i * output.cols(),
             scratch.data() + part * scratch_size);
    });
  }
}

[[nodiscard]] inline std::vector<double> sample_errors(const char* name, const Samples& output, const Samples& target) {
  std::vector<double> errors(static_cast<std::size_t>(output.rows()));
  for_each_pair(name, output, target, 0, [&](Index i, const double* a, const double* b, double*) {
    const double sum = block_sum<double>(0, output.cols(), [&](Index begin, auto count, double* out) {
      for (Index j = 0; j < count; ++j) {
        const double difference = a[begin + j] - b[begin + j];
        out[j] = difference * difference;
      }
    });
    errors[static_cast<std::size_t>(i)] = sum / static_cast<double>(output.cols());
  });
  return errors;
}

/// Mean of values, added in their order.
[[nodiscard]] inline double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace detail

/// Mean squared error of each sample: output and target (n, features), one value per row. Throws ShapeError when the
/// shapes differ, DataError when there are no samples.
template <SampleSource Output, SampleSource Target>
[[nodiscard]] std::vector<double> sample_errors(const Output& output, const Target& target) {
  return detail::sample_errors("sample_errors", output, target);
}

}  // namespace hourglass
