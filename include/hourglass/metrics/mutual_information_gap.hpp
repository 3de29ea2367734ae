// Mutual information gap: how much more the best latent dimension knows of a factor than the second best,
//     MIG = 1/K sum_k (I(z_first; v_k) - I(z_second; v_k)) / H(v_k),
// 1 for codes that hold each factor in one dimension, 0 for codes that spread every factor evenly.
//
// R. Chen, X. Li, R. Grosse, D. Duvenaud, "Isolating sources of disentanglement in variational autoencoders", 2018. The
// codes are cut into bins of equal width, as in Locatello et al., "Challenging common assumptions in the unsupervised
// learning of disentangled representations", 2019.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/loss/elementwise.hpp"

namespace hourglass {

namespace detail {

/// Numbers 0 ... bins - 1 for the values of column j: equal widths from the smallest to the largest.
template <class Scalar>
[[nodiscard]] std::vector<Index> bins_of_column(const ConstMatrixView<Scalar>& codes, Index j, Index bins) {
  double low = static_cast<double>(codes(0, j));
  double high = low;
  for (Index i = 0; i < codes.rows(); ++i) {
    const auto value = static_cast<double>(codes(i, j));
    if (!std::isfinite(value))
      throw DataError(
          message("mutual_information: row ", i, ", column ", j, " of the codes is ", value, "; codes must be finite"));
    low = std::min(low, value);
    high = std::max(high, value);
  }
  std::vector<Index> numbers;
  for (Index i = 0; i < codes.rows(); ++i) {
    const double share = high > low ? (static_cast<double>(codes(i, j)) - low) / (high - low) : 0;
    numbers.push_back(std::min(bins - 1, static_cast<Index>(share * static_cast<double>(bins))));
  }
  return numbers;
}

/// The values of column k of the factors as numbers from 0, in ascending order of the values.
[[nodiscard]] inline std::vector<Index> classes_of_column(const ConstMatrixView<int>& factors, Index k) {
  std::vector<int> values;
  for (Index i = 0; i < factors.rows(); ++i) values.push_back(factors(i, k));
  std::vector<int> distinct = values;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<Index> numbers;
  for (const int value : values)
    numbers.push_back(std::lower_bound(distinct.begin(), distinct.end(), value) - distinct.begin());
  return numbers;
}

/// I(a; b) = sum_ab p(a, b) log(p(a, b) / (p(a) p(b))) in nats, from the counts of pairs of numbers.
[[nodiscard]] inline double mutual_information(const std::vector<Index>& a, const std::vector<Index>& b) {
  const Index rows = *std::max_element(a.begin(), a.end()) + 1;
  const Index cols = *std::max_element(b.begin(), b.end()) + 1;
  Matrix<double> joint(rows, cols);
  for (std::size_t i = 0; i < a.size(); ++i) joint(a[i], b[i]) += 1.0 / static_cast<double>(a.size());
  double information = 0;
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      if (joint(i, j) > 0)
        information += joint(i, j) * std::log(joint(i, j) / (joint.row(i).sum() * joint.col(j).sum()));
  return information;
}

}  // namespace detail

/// Mutual information (code, K) in nats between each column of `codes` (n, code), cut into `bins` bins of equal width,
/// and each column of `factors` (n, K), which counts distinct values. Throws ShapeError when the numbers of rows
/// differ, DataError when there are none, codes are not finite or bins < 1.
template <Batch Codes>
[[nodiscard]] Matrix<double> mutual_information(const Codes& codes, const ConstMatrixView<int>& factors,
                                                Index bins = 20) {
  const ConstMatrixView<typename Codes::Scalar> z = codes;
  if (z.rows() != factors.rows())
    throw ShapeError(detail::message("mutual_information: ", z.rows(), " codes, ", factors.rows(),
                                     " rows of factors; give one row of factors per code"));
  if (z.rows() == 0 || bins < 1)
    throw DataError(
        detail::message("mutual_information: ", z.rows(), " codes in ", bins, " bins; at least 1 of both is needed"));
  std::vector<std::vector<Index>> classes;
  for (Index k = 0; k < factors.cols(); ++k) classes.push_back(detail::classes_of_column(factors, k));
  Matrix<double> information(z.cols(), factors.cols());
  for (Index j = 0; j < z.cols(); ++j) {
    const std::vector<Index> numbers = detail::bins_of_column(z, j, bins);
    for (Index k = 0; k < factors.cols(); ++k)
      information(j, k) = detail::mutual_information(numbers, classes[static_cast<std::size_t>(k)]);
  }
  return information;
}

/// The gap of `codes` (n, code) for known discrete `factors` (n, K); errors as above, and DataError when there are
/// fewer than two latent dimensions, no factors, or a factor has only one value.
template <Batch Codes>
[[nodiscard]] double mutual_information_gap(const Codes& codes, const ConstMatrixView<int>& factors, Index bins = 20) {
  const Matrix<double> information = mutual_information(codes, factors, bins);
  if (information.rows() < 2 || information.cols() == 0)
    throw DataError(detail::message("mutual_information_gap: ", information.rows(), " latent dimensions and ",
                                    information.cols(), " factors; at least 2 and 1 are needed"));
  double sum = 0;
  for (Index k = 0; k < information.cols(); ++k) {
    const std::vector<Index> classes = detail::classes_of_column(factors, k);
    const double entropy = detail::mutual_information(classes, classes);
    if (!(*std::max_element(classes.begin(), classes.end()) > 0))
      throw DataError(
          detail::message("mutual_information_gap: factor ", k, " has the same value everywhere; leave it out"));
    std::vector<double> column;
    for (Index j = 0; j < information.rows(); ++j) column.push_back(information(j, k));
    std::partial_sort(column.begin(), column.begin() + 2, column.end(), std::greater<>());
    sum += (column[0] - column[1]) / entropy;
  }
  return sum / static_cast<double>(information.cols());
}

}  // namespace hourglass
