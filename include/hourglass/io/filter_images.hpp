// Filters as images: the weights W_i of unit i of a first layer, on a scale that shows signs.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"

namespace hourglass {

/// How filter_images shows weights.
struct FilterImageOptions {
  bool diverging = false;  ///< blue below zero, white at zero, red above; otherwise black, mid-grey and white
  bool normalize = true;   ///< every filter is scaled by its own largest |weight|, otherwise all by that of all
};

/// Images of the rows of `weight` (units, in) for save_image_grid: with t = w / largest |w| a grey pixel is (1 + t) /
/// 2, (units, in); diverging ones have three channels, (units, 3 in). NaN stays NaN; where all weights are zero t is 0.
/// `save_image_grid("filters.png", filter_images(layer.weight()))`
template <class Derived>
[[nodiscard]] Matrix<float> filter_images(const Eigen::MatrixBase<Derived>& weight,
                                          const FilterImageOptions& options = {}) {
  // Ends of ColorBrewer's RdBu.
  constexpr std::array<double, 3> negative{0.129, 0.400, 0.675};
  constexpr std::array<double, 3> positive{0.698, 0.094, 0.169};
  const Matrix<double> w = weight.template cast<double>();
  const auto largest = [](const auto& weights) {
    double size = 0;
    for (Index i = 0; i < weights.rows(); ++i)
      for (Index j = 0; j < weights.cols(); ++j) size = std::max(size, std::abs(weights(i, j)));
    return size;
  };
  const double largest_of_all = options.normalize ? 0 : largest(w);
  Matrix<float> images(w.rows(), options.diverging ? 3 * w.cols() : w.cols());
  for (Index i = 0; i < w.rows(); ++i) {
    const double size = options.normalize ? largest(w.row(i)) : largest_of_all;
    for (Index j = 0; j < w.cols(); ++j) {
      const double t = size > 0 || std::isnan(w(i, j)) ? w(i, j) / size : 0;
      if (!options.diverging) {
        images(i, j) = static_cast<float>((1 + t) / 2);
        continue;
      }
      for (std::size_t c = 0; c < 3; ++c)
        images(i, static_cast<Index>(c) * w.cols() + j) =
            static_cast<float>(1 - std::abs(t) * (1 - (t < 0 ? negative : positive)[c]));
    }
  }
  return images;
}

}  // namespace hourglass
