// Reductions: what a loss does with its per-element values before it returns one number.
#pragma once

#include "hourglass/core/extent.hpp"

namespace hourglass {

/// How the values of a (batch, features) block become one number; the gradient is scaled alike.
enum class Reduction {
  mean,      ///< sum / (batch * features): PyTorch's default
  sum,       ///< sum
  batchmean  ///< sum / batch: summed over features, averaged over the batch, as in the negative ELBO
};

/// Factor that turns the sum over a (batch, features) block into the reduced value.
[[nodiscard]] inline double reduction_scale(Reduction reduction, Index batch, Index features) noexcept {
  if (reduction == Reduction::sum) return 1.0;
  if (reduction == Reduction::batchmean) return 1.0 / static_cast<double>(batch);
  return 1.0 / (static_cast<double>(batch) * static_cast<double>(features));
}

}  // namespace hourglass
