// Paths between codes: lerp along the straight line, slerp along the arc of a great circle,
//     lerp(a, b, t) = (1 - t) a + t b,   slerp(a, b, t) = (sin((1 - t) w) a + sin(t w) b) / sin w,   w the angle.
//
// Samples of N(0, I) in many dimensions lie near a sphere that straight lines leave and slerp follows: T. White,
// "Sampling generative networks", 2016.
#pragma once

#include <algorithm>
#include <cmath>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/loss/elementwise.hpp"

namespace hourglass {

namespace detail {

/// Rows i * steps + s = weight_a a_i + weight_b b_i with weights(i, t), t = s / (steps - 1), in double.
template <class Scalar, class Weights>
[[nodiscard]] Matrix<Scalar> paths(const char* name, const ConstMatrixView<Scalar>& a, const ConstMatrixView<Scalar>& b,
                                   Index steps, const Weights& weights) {
  if (a.rows() != b.rows() || a.cols() != b.cols())
    throw ShapeError(message(name, ": from ", shape_string(a.rows(), a.cols()), " to ",
                             shape_string(b.rows(), b.cols()), "; both ends have the same shape"));
  if (steps < 2) throw DataError(message(name, ": ", steps, " steps; a path has at least its 2 ends"));
  Matrix<Scalar> path(a.rows() * steps, a.cols());
  for (Index i = 0; i < a.rows(); ++i)
    for (Index s = 0; s < steps; ++s) {
      const auto [from, to] = weights(i, static_cast<double>(s) / static_cast<double>(steps - 1));
      for (Index j = 0; j < a.cols(); ++j)
        path(i * steps + s, j) =
            static_cast<Scalar>(std::fma(to, static_cast<double>(b(i, j)), from * static_cast<double>(a(i, j))));
    }
  return path;
}

struct PathWeights {
  double from;
  double to;
};

}  // namespace detail

/// `steps` codes from each row of a (n, code) to that row of b, both ends among them: (n steps, code), path after path.
/// Throws ShapeError when the shapes differ, DataError for fewer than 2 steps.
template <Batch From, BatchLike<From> To>
[[nodiscard]] Matrix<typename From::Scalar> lerp(const From& a, const To& b, Index steps) {
  return detail::paths<typename From::Scalar>("lerp", a, b, steps, [](Index, double t) {
    return detail::PathWeights{1 - t, t};
  });
}

/// The same along great circles. Where a and b are nearly parallel or opposite, or one of them is zero, no arc is
/// defined, and the path is that of lerp.
template <Batch From, BatchLike<From> To>
[[nodiscard]] Matrix<typename From::Scalar> slerp(const From& a, const To& b, Index steps) {
  using Scalar = typename From::Scalar;
  const ConstMatrixView<Scalar> from = a;
  const ConstMatrixView<Scalar> to = b;
  return detail::paths<Scalar>("slerp", from, to, steps, [&](Index i, double t) {
    const auto u = from.row(i).template cast<double>();
    const auto v = to.row(i).template cast<double>();
    const double cosine = std::clamp(u.dot(v) / (u.norm() * v.norm()), -1.0, 1.0);
    const double angle = std::acos(cosine);
    const double sine = std::sin(angle);
    if (!(sine > 1e-4)) return detail::PathWeights{1 - t, t};
    return detail::PathWeights{std::sin((1 - t) * angle) / sine, std::sin(t * angle) / sine};
  });
}

}  // namespace hourglass
