// Losses row by row: -log p(x|z) of one sample, for objectives that need a number for each row of a batch.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/elementwise.hpp"

namespace hourglass {

/// A loss whose value is a sum of terms over the features of each row: an elementwise one that states `term`, or one
/// that offers `row_terms(output, target, features, gradient, scale)` for outputs twice as wide as the target.
template <class Loss>
concept RowwiseLoss = requires(const Loss& loss, double number) {
  loss.term(number, number);
}
|| requires(const Loss& loss, simd::Vector<float, simd::Single> vector) { loss.term(vector, vector); }
|| requires(const Loss& loss, const float* x, float* gradient) { loss.row_terms(x, x, Index{}, gradient, 0.0f); };

namespace detail {

template <class Loss>
inline constexpr bool has_row_terms = requires(const Loss& loss, const float* x, float* gradient) {
  loss.row_terms(x, x, Index{}, gradient, 0.0f);
};

/// Features of an output whose target has `features`.
template <class Loss>
[[nodiscard]] constexpr Index row_width(const Loss&, Index features) noexcept {
  return has_row_terms<Loss> ? 2 * features : features;
}

/// The terms of one row, and their gradients times `scale` unless `gradient` is null.
template <class Scalar, class Loss>
[[nodiscard]] auto row_terms(const Loss& loss, const Scalar* output, const Scalar* target,
                             [[maybe_unused]] Index features, Scalar* gradient, Scalar scale) {
  if constexpr (has_row_terms<Loss>)
    return loss.row_terms(output, target, features, gradient, scale);
  else
    return LossTerms<Loss, Scalar>{loss, output, target, gradient, scale};
}

/// Sum of the terms of one row.
template <class Scalar, class Loss>
[[nodiscard]] double row_sum(const Loss& loss, const Scalar* output, const Scalar* target, Index features) {
  const auto terms = row_terms<Scalar>(loss, output, target, features, static_cast<Scalar*>(nullptr), Scalar(0));
  double sum = 0;
  simd::dispatch<Scalar>(VectorSum<decltype(terms)>{0, features, terms, &sum});
  return sum;
}

template <class Terms>
struct EvaluateTerms {
  Index count;
  const Terms& terms;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes)
      (void)terms.template operator()<V>(i, std::min<Index>(V::lanes, count - i));
  })
};

/// gradient = scale * d terms / d output, of one row.
template <class Scalar, class Loss>
void row_gradient(const Loss& loss, const Scalar* output, const Scalar* target, Index features, Scalar* gradient,
                  Scalar scale) {
  const auto terms = row_terms<Scalar>(loss, output, target, features, gradient, scale);
  simd::dispatch<Scalar>(EvaluateTerms<decltype(terms)>{features, terms});
}

/// body(row) for each row, in parallel when the rows have many elements together.
template <class Body>
void for_each_row(Index rows, Index elements, const Body& body) {
  parallel_for(rows, elements < parallel_grain ? 1 : num_threads(), body);
}

/// log(1/n sum_i e^x_i), and the shares e^x_i / sum e^x of the numbers, so that none overflows. Without a finite x:
/// NaN.
template <class Scalar>
[[nodiscard]] double log_mean_exp(Index n, const double* x, Scalar* shares) {
  const double largest = *std::max_element(x, x + n);
  double sum = 0;
  for (Index i = 0; i < n; ++i) {
    shares[i] = simd::exp(simd::Vector<Scalar, simd::Single>(static_cast<Scalar>(x[i] - largest))).value;
    sum += double{shares[i]};
  }
  for (Index i = 0; i < n; ++i) shares[i] = static_cast<Scalar>(double{shares[i]} / sum);
  return largest + std::log(sum / static_cast<double>(n));
}

}  // namespace detail
}  // namespace hourglass
