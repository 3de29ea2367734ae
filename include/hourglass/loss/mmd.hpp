// Maximum mean discrepancy between two sets of n points, unbiased, with a sum of inverse multiquadratic kernels:
//     MMD^2 = 1/(n (n-1)) sum_{i != j} (k(z_i, z_j) + k(p_i, p_j)) - 2/n^2 sum_ij k(z_i, p_j),
//     k(a, b) = sum_s C_s / (C_s + |a - b|^2),   C_s = 2 d s for points of d dimensions.
//
// It is 0 on average when both sets come from one distribution, so single estimates may be negative. Kernel and scales
// s = 0.1 ... 10 are those of I. Tolstikhin, O. Bousquet, S. Gelly, B. Schoelkopf, "Wasserstein auto-encoders", 2018,
// for a standard normal p: 2 d is then the expected squared distance of two points.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/rows.hpp"

namespace hourglass {

/// The scales s of the kernels.
inline constexpr std::array<double, 7> mmd_scales{0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0};

/// Memory that mmd() needs for up to `points` points a set.
template <class Scalar>
struct MMDScratch {
  Matrix<Scalar> codes;  // (dimensions, points): transposed, so that vectors run over points
  Matrix<Scalar> prior;  // (dimensions, points)
  Matrix<double> sums;   // (points, 2): sums of kernels that belong to point i, within the sets and between them

  MMDScratch() = default;
  MMDScratch(Index points, Index dimensions) : codes(dimensions, points), prior(dimensions, points), sums(points, 2) {}
  [[nodiscard]] std::size_t bytes() const noexcept {
    return static_cast<std::size_t>(codes.size() + prior.size()) * sizeof(Scalar) +
           static_cast<std::size_t>(sums.size()) * sizeof(double);
  }
};

namespace detail {

/// Sum of k(point, other_j) over `count` others but number `skip`; adds `factor` times its gradient with respect to the
/// point unless that is null.
template <class Scalar>
struct MMDPoint {
  Index dimensions;
  Index count;
  const Scalar* point;       // (dimensions)
  const Scalar* others;      // (count, dimensions)
  const Scalar* transposed;  // (dimensions, count), `leading` apart
  Index leading;
  Index skip;
  Scalar factor;
  Scalar* gradient;
  double* sum;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index first = 0; first < count; first += block_size) {
      const Index block = std::min(block_size, count - first);
      alignas(64) Scalar values[block_size];
      alignas(64) Scalar slopes[block_size];
      for (Index j = 0; j < block; j += V::lanes) {
        const Index n = std::min<Index>(V::lanes, block - j);
        V distance(0);
        for (Index d = 0; d < dimensions; ++d) {
          const V difference = V(point[d]) - V::load(transposed + d * leading + first + j, n);
          distance = fma(difference, difference, distance);
        }
        V value(0);
        V slope(0);  // -dk / d distance
        for (const double scale : mmd_scales) {
          const double size = 2 * static_cast<double>(dimensions) * scale;
          const V ratio = V(static_cast<Scalar>(size)) / (V(static_cast<Scalar>(size)) + distance);
          value = value + ratio;
          slope = fma(ratio * ratio, V(static_cast<Scalar>(1 / size)), slope);
        }
        value.store(values + j, n);
        slope.store(slopes + j, n);
      }
      std::fill(values + block, values + block_size, Scalar(0));
      if (skip >= first && skip < first + block) {
        values[skip - first] = 0;
        slopes[skip - first] = 0;
      }
      *sum += tree_sum(values);
      if (gradient == nullptr) continue;
      for (Index d = 0; d < dimensions; d += V::lanes) {
        const Index n = std::min<Index>(V::lanes, dimensions - d);
        const V own = V::load(point + d, n);
        V total(0);
        for (Index j = 0; j < block; ++j)
          total = fma(V(slopes[j]), V::load(others + (first + j) * dimensions + d, n) - own, total);
        fma(V(factor + factor), total, V::load(gradient + d, n)).store(gradient + d, n);
      }
    }
  })
};

template <class Scalar>
void transpose_points(const ConstMatrixView<Scalar>& points, Matrix<Scalar>& to) {
  for (Index i = 0; i < points.rows(); ++i)
    for (Index d = 0; d < points.cols(); ++d) to(d, i) = points(i, d);
}

template <class Scalar>
double mmd_sum(const ConstMatrixView<Scalar>& codes, const ConstMatrixView<Scalar>& prior, Scalar* gradient,
               Scalar weight, MMDScratch<Scalar>& scratch) {
  const Index n = codes.rows();
  const Index d = codes.cols();
  if (prior.rows() != n || prior.cols() != d)
    throw ShapeError(message("mmd: the codes have shape ", shape_string(n, d), ", the draws of the prior ",
                             shape_string(prior.rows(), prior.cols()), "; they must be the same"));
  if (n > scratch.codes.cols() || d != scratch.codes.rows())
    throw ShapeError(message("mmd: codes of shape ", shape_string(n, d), ", scratch memory for ",
                             shape_string(scratch.codes.cols(), scratch.codes.rows())));
  if (n < 2 || d == 0) return 0;
  transpose_points(codes, scratch.codes);
  transpose_points(prior, scratch.prior);
  const double within = 1 / (static_cast<double>(n) * static_cast<double>(n - 1));
  const double between = 2 / (static_cast<double>(n) * static_cast<double>(n));
  const Index leading = scratch.codes.cols();
  for_each_row(n, n * n * d, [&](Index i) {
    double* const sums = &scratch.sums(i, 0);
    sums[0] = sums[1] = 0;
    Scalar* const to = gradient == nullptr ? nullptr : gradient + i * d;
    const Scalar* const z = codes.data() + i * d;
    const Scalar* const p = prior.data() + i * d;
    // Each pair within the codes counts twice.
    simd::dispatch<Scalar>(MMDPoint<Scalar>{d, n, z, codes.data(), scratch.codes.data(), leading, i,
                                            static_cast<Scalar>(2 * within) * weight, to, sums});
    simd::dispatch<Scalar>(
        MMDPoint<Scalar>{d, n, p, prior.data(), scratch.prior.data(), leading, i, Scalar(0), nullptr, sums});
    simd::dispatch<Scalar>(MMDPoint<Scalar>{d, n, z, prior.data(), scratch.prior.data(), leading, -1,
                                            static_cast<Scalar>(-between) * weight, to, sums + 1});
  });
  double same = 0;
  double other = 0;
  for (Index i = 0; i < n; ++i) {
    same += scratch.sums(i, 0);
    other += scratch.sums(i, 1);
  }
  return within * same - between * other;
}

}  // namespace detail

/// MMD^2 of codes and draws of a prior, both (n, dimensions); 0 for fewer than 2 points, where it is not defined.
/// Throws ShapeError when shapes differ or do not fit the scratch memory.
template <class Scalar>
[[nodiscard]] Scalar mmd(const Matrix<Scalar>& codes, const Matrix<Scalar>& prior) {
  MMDScratch<Scalar> scratch(codes.rows(), codes.cols());
  return static_cast<Scalar>(detail::mmd_sum<Scalar>(codes, prior, static_cast<Scalar*>(nullptr), Scalar(0), scratch));
}

/// The same value; adds `weight` times its gradient with respect to the codes to `gradient` (n, dimensions).
template <class Scalar>
Scalar accumulate_mmd(const ConstMatrixView<Scalar>& codes, const ConstMatrixView<Scalar>& prior,
                      MatrixView<Scalar> gradient, MMDScratch<Scalar>& scratch, double weight = 1.0) {
  if (gradient.rows() != codes.rows() || gradient.cols() != codes.cols())
    throw ShapeError(detail::message("mmd: the codes have shape ", shape_string(codes.rows(), codes.cols()),
                                     ", their gradient ", shape_string(gradient.rows(), gradient.cols()),
                                     "; they must be the same"));
  return static_cast<Scalar>(
      detail::mmd_sum<Scalar>(codes, prior, gradient.data(), static_cast<Scalar>(weight), scratch));
}

}  // namespace hourglass
