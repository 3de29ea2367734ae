// Gradient clipping: g *= min(1, max_norm / (|g| + 1e-6)), with |g| the Euclidean norm over all parameters together.
#pragma once

#include <cmath>
#include <span>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/optim/gradients.hpp"

namespace hourglass {

/// Scales all gradients (a ParameterBuffer, or a workspace with `gradients()`) so that their norm is at most about
/// max_norm, and returns the norm before that; it is not finite when a gradient is not. Throws DataError unless
/// max_norm >= 0. PyTorch: nn.utils.clip_grad_norm_.
template <class Gradients>
double clip_grad_norm(Gradients& gradients, double max_norm) {
  if (!(max_norm >= 0))
    throw DataError(detail::message("clip_grad_norm: max_norm must not be negative, it is ", max_norm));
  auto& buffer = detail::gradient_buffer(gradients);
  const std::span values = buffer.values();
  using Scalar = typename decltype(values)::value_type;
  Scalar* const g = values.data();
  const auto size = static_cast<Index>(values.size());
  // In double, where no square of a float overflows or vanishes.
  const double norm = std::sqrt(parallel_block_sum<double>(size, [&](Index first, auto count, double* squares) {
    for (Index i = 0; i < count; ++i) squares[i] = double{g[first + i]} * double{g[first + i]};
  }));
  const double factor = max_norm / (norm + 1e-6);
  if (factor < 1)
    parallel_ranges(size, [g, scale = static_cast<Scalar>(factor)](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) g[i] *= scale;
    });
  return norm;
}

}  // namespace hourglass
