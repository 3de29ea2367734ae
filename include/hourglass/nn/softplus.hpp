// Softplus: y = log(1 + e^(beta x)) / beta.
#pragma once

#include <string_view>

#include "hourglass/core/simd_math.hpp"

namespace hourglass {

/// Smooth ReLU y = log(1 + e^(beta x)) / beta; the identity where beta x > threshold, as in PyTorch. Derivative
/// 1 - e^(-beta y), which is sigmoid(beta x).
struct Softplus {
  static constexpr std::string_view name = "Softplus";
  double beta = 1;
  double threshold = 20;

  HOURGLASS_SIMD(V value(V x) const, {
    using Scalar = typename V::Scalar;
    const V b(static_cast<Scalar>(beta));
    return select(b * x > V(static_cast<Scalar>(threshold)), x, simd::softplus(b * x) / b);
  })
  HOURGLASS_SIMD(V derivative(V x, V) const, {
    using Scalar = typename V::Scalar;
    const V b(static_cast<Scalar>(beta));
    return select(b * x > V(static_cast<Scalar>(threshold)), V(1), simd::sigmoid(b * x));
  })
};

}  // namespace hourglass
