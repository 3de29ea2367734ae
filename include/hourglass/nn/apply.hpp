// Inference without a workspace: y = module(x), a bounded number of rows at a time.
#pragma once

#include <algorithm>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass::detail {

/// Rows that one call to a module handles at most: bounds the memory for activations, whatever the size of the input.
inline constexpr Index apply_rows = 256;

/// y (batch, out) of any module for x (batch, in). Throws ShapeError when the module does not take `in` features.
template <class Module, class Scalar>
[[nodiscard]] Matrix<Scalar> apply(const Module& module, const ConstMatrixView<Scalar>& x) {
  Matrix<Scalar> y(x.rows(), out_features(module, x.cols()));
  if (x.rows() == 0) return y;
  auto cache = plan<Scalar>(module, std::min(x.rows(), apply_rows), x.cols(), Purpose::inference);
  for (Index first = 0; first < x.rows(); first += apply_rows) {
    const Index rows = std::min(apply_rows, x.rows() - first);
    const ConstMatrixView<Scalar> part(x.data() + first * x.cols(), rows, x.cols());
    y.middleRows(first, rows) = propagate<Scalar>(module, part, cache, Inference{}, {0, rows});
  }
  return y;
}

}  // namespace hourglass::detail
