// Active units: latent dimensions that tell samples apart. Unit u is active when the variance over the data of the mean
// of q(z_u|x) is above 0.01; a collapsed one has the same posterior, the prior, for every sample.
//
// Y. Burda, R. Grosse, R. Salakhutdinov, "Importance weighted autoencoders", 2016.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/loss/elementwise.hpp"

namespace hourglass {

/// Variance of each column of `codes` (n, code), that of the n samples: 1/n sum_i (z_ij - mean_j)^2. Throws DataError
/// when there are no samples, or codes are not finite.
template <Batch Codes>
[[nodiscard]] std::vector<double> code_variances(const Codes& codes) {
  const ConstMatrixView<typename Codes::Scalar> z = codes;
  if (z.rows() == 0) throw DataError("code_variances: there are no samples");
  const auto count = static_cast<double>(z.rows());
  std::vector<double> variances;
  for (Index j = 0; j < z.cols(); ++j) {
    const auto sum = [&](const auto& term) {
      return block_sum<double>(0, z.rows(), [&](Index first, auto terms, double* out) {
        for (Index i = 0; i < terms; ++i) out[i] = term(static_cast<double>(z(first + i, j)));
      });
    };
    const double mean = sum([](double x) { return x; }) / count;
    variances.push_back(sum([&](double x) { return (x - mean) * (x - mean); }) / count);
    if (!std::isfinite(variances.back()))
      throw DataError(
          detail::message("code_variances: column ", j, " is not finite; the encoder overflows, or its input does"));
  }
  return variances;
}

/// Number of columns of the posterior means (n, latent) whose variance is above `threshold`:
/// `active_units(codes(vae, images))`. Errors as above.
template <Batch Means>
[[nodiscard]] Index active_units(const Means& posterior_means, double threshold = 0.01) {
  const std::vector<double> variances = code_variances(posterior_means);
  return std::count_if(variances.begin(), variances.end(), [&](double variance) { return variance > threshold; });
}

}  // namespace hourglass
