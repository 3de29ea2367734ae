// randn: a matrix of draws from the standard normal.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"

namespace hourglass {

/// (rows, cols) of independent draws from N(0, 1), the numbers of rng.fill_normal(): codes from the prior of a model.
/// Throws ShapeError for a negative number of either. PyTorch: torch.randn.
template <std::floating_point Scalar = float>
[[nodiscard]] Matrix<Scalar> randn(Index rows, Index cols, Rng& rng) {
  Matrix<Scalar> values(rows, cols);
  rng.fill_normal(std::span<Scalar>(values.data(), static_cast<std::size_t>(values.size())));
  return values;
}

}  // namespace hourglass
