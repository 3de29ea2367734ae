// Bilinear: linear interpolation along both axes of an image, and its adjoint.
#pragma once

#include <algorithm>
#include <vector>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/simd.hpp"

namespace hourglass::detail {

/// Interpolation from `in` places to in * factor of them: y(i) = x(low_i) + weight_i (x(low_i + 1) - x(low_i)). Place i
/// of y lies at i (in - 1) / (out - 1) if corners are aligned, else at (i + 1/2) / factor - 1/2 and not before x
/// begins.
struct LinearTaps {
  std::vector<Index> low;      // (out)
  std::vector<Index> high;     // (out): low + 1, or low at the end of x
  std::vector<double> weight;  // (out)

  // The adjoint, dx(p) = sum over t of share(p, t) dy(from(p, t)): as many terms for each p, some with a share of 0.
  Index reach = 0;
  std::vector<Index> from;    // (in, reach)
  std::vector<double> share;  // (in, reach)

  LinearTaps() = default;
  LinearTaps(Index in, Index factor, bool align_corners) {
    const Index out = in * factor;
    // Places in units of 1 / denominator.
    const Index denominator = align_corners ? std::max<Index>(out - 1, 1) : 2 * factor;
    std::vector<Index> terms(static_cast<std::size_t>(in));
    for (Index i = 0; i < out; ++i) {
      const Index place = align_corners ? i * (in - 1) : std::max<Index>(2 * i + 1 - factor, 0);
      const Index before = place / denominator;
      const bool last = before == in - 1;
      low.push_back(before);
      high.push_back(last ? before : before + 1);
      weight.push_back(last ? 0.0 : static_cast<double>(place % denominator) / static_cast<double>(denominator));
      for_each_share(i, [&](Index p, double) { reach = std::max(reach, ++terms[static_cast<std::size_t>(p)]); });
    }
    from.resize(static_cast<std::size_t>(in * reach));
    share.resize(from.size());
    std::ranges::fill(terms, 0);
    for (Index i = 0; i < out; ++i)
      for_each_share(i, [&](Index p, double part) {
        // The terms that are left over name a place that has a share.
        for (Index t = terms[static_cast<std::size_t>(p)]; t < reach; ++t) from[at(p, t)] = i;
        share[at(p, terms[static_cast<std::size_t>(p)]++)] = part;
      });
  }

  [[nodiscard]] std::size_t at(Index p, Index t) const noexcept { return static_cast<std::size_t>(p * reach + t); }

 private:
  /// body(p, share) for the places of x that place i of y comes from.
  template <class Body>
  void for_each_share(Index i, const Body& body) const {
    const auto place = static_cast<std::size_t>(i);
    if (weight[place] < 1) body(low[place], 1 - weight[place]);
    if (weight[place] > 0) body(high[place], weight[place]);
  }
};

/// y (channels, out height, out width) from x (channels, in height, in width): first right, then down.
template <class Scalar>
struct BilinearForward {
  const LinearTaps& down;
  const LinearTaps& right;
  const ImageShape& in;
  const ImageShape& out;
  const Scalar* x;
  Scalar* y;
  HOURGLASS_SIMD(void operator()() const, {
    Scalar* to = y;
    for (Index row = 0; row < out.channels * out.height; ++row, to += out.width) {
      const auto i = static_cast<std::size_t>(row % out.height);
      const Scalar* const channel = x + row / out.height * in.plane();
      const Scalar* const top = channel + down.low[i] * in.width;
      const Scalar* const bottom = channel + down.high[i] * in.width;
      const V below(static_cast<Scalar>(down.weight[i]));
      for (Index first = 0; first < out.width; first += V::lanes) {
        const Index n = std::min<Index>(V::lanes, out.width - first);
        Scalar corners[4][V::lanes];
        Scalar weights[V::lanes];
        for (Index k = 0; k < n; ++k) {
          const auto j = static_cast<std::size_t>(first + k);
          corners[0][k] = top[right.low[j]];
          corners[1][k] = top[right.high[j]];
          corners[2][k] = bottom[right.low[j]];
          corners[3][k] = bottom[right.high[j]];
          weights[k] = static_cast<Scalar>(right.weight[j]);
        }
        const V beside = V::load(weights, n);
        const V a = V::load(corners[0], n);
        const V c = V::load(corners[2], n);
        const V upper = fma(beside, V::load(corners[1], n) - a, a);
        const V lower = fma(beside, V::load(corners[3], n) - c, c);
        fma(below, lower - upper, upper).store(to + first, n);
      }
    }
  })
};

/// dx from dy: sums along rows, added row by row, each from left to right.
template <class Scalar>
struct BilinearBackward {
  const LinearTaps& down;
  const LinearTaps& right;
  const ImageShape& in;
  const ImageShape& out;
  const Scalar* dy;
  Scalar* dx;
  HOURGLASS_SIMD(void operator()() const, {
    Scalar* to = dx;
    for (Index row = 0; row < in.channels * in.height; ++row, to += in.width) {
      const Scalar* const channel = dy + row / in.height * out.plane();
      for (Index first = 0; first < in.width; first += V::lanes) {
        const Index n = std::min<Index>(V::lanes, in.width - first);
        V sum(Scalar(0));
        for (Index s = 0; s < down.reach; ++s) {
          const std::size_t term = down.at(row % in.height, s);
          if (down.share[term] == 0) continue;
          const Scalar* const source = channel + down.from[term] * out.width;
          V part(Scalar(0));
          for (Index t = 0; t < right.reach; ++t) {
            Scalar values[V::lanes];
            Scalar shares[V::lanes];
            for (Index k = 0; k < n; ++k) {
              values[k] = source[right.from[right.at(first + k, t)]];
              shares[k] = static_cast<Scalar>(right.share[right.at(first + k, t)]);
            }
            part = fma(V::load(shares, n), V::load(values, n), part);
          }
          sum = fma(V(static_cast<Scalar>(down.share[term])), part, sum);
        }
        sum.store(to + first, n);
      }
    }
  })
};

}  // namespace hourglass::detail
