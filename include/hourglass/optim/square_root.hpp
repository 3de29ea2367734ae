// Square roots of a block of numbers, correctly rounded. Compilers do not vectorise std::sqrt while it may set errno.
#pragma once

#include <cmath>

#include "hourglass/core/extent.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hourglass::detail {

/// Replaces `count` values by their square roots; `count` is a multiple of 4.
inline void square_roots(float* values, Index count) noexcept {
#ifdef __SSE2__
  for (Index i = 0; i < count; i += 4) _mm_storeu_ps(values + i, _mm_sqrt_ps(_mm_loadu_ps(values + i)));
#else
  for (Index i = 0; i < count; ++i) values[i] = std::sqrt(values[i]);
#endif
}

inline void square_roots(double* values, Index count) noexcept {
#ifdef __SSE2__
  for (Index i = 0; i < count; i += 2) _mm_storeu_pd(values + i, _mm_sqrt_pd(_mm_loadu_pd(values + i)));
#else
  for (Index i = 0; i < count; ++i) values[i] = std::sqrt(values[i]);
#endif
}

}  // namespace hourglass::detail
