// Gaussian likelihood of fixed width: l(y, t) = -log N(t; y, sigma^2) = (y - t)^2 / (2 sigma^2) + log sigma + log(2
// pi) / 2.
#pragma once

#include <cmath>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// -log p(t | y) of a decoder whose output y is the mean of a Gaussian with the given standard deviation; reduction
/// `mean` by default. In a negative ELBO, sigma^2 = 1/2 makes it the squared error plus a constant, and a smaller sigma
/// acts like a smaller beta. Throws DataError unless sigma is finite and above 0. Call forms: elementwise.hpp.
struct FixedGaussianLoss {
  static constexpr std::string_view name = "FixedGaussianLoss";
  Reduction reduction = Reduction::mean;
  double sigma = 1.0;

  HOURGLASS_SIMD(LossTerm<V> term(V output, V target) const, {
    using Scalar = typename V::Scalar;
    const V difference = output - target;
    const V ratio = difference * V(static_cast<Scalar>(1 / (sigma * sigma)));
    return {fma(V(Scalar(0.5)) * difference, ratio, V(static_cast<Scalar>(log_normaliser()))), ratio};
  })

  void check_options() const {
    if (!(sigma > 0 && std::isfinite(sigma)))
      throw DataError(detail::message("FixedGaussianLoss: sigma must be finite and above 0, it is ", sigma));
  }

  template <Batch Output, BatchLike<Output> Target, GradientSink<typename Output::Scalar>... Sink>
  typename Output::Scalar operator()(const Output& output, const Target& target, Sink&&... gradient) const {
    return detail::elementwise_loss(*this, output, target, gradient...);
  }

 private:
  [[nodiscard]] double log_normaliser() const { return std::log(sigma) + 0.91893853320467274178; }
};

}  // namespace hourglass
