// Structural similarity: the mean over all windows of
//     (2 mx my + C1)(2 cxy + C2) / ((mx^2 + my^2 + C1)(vx + vy + C2)),  C1 = (k1 range)^2,  C2 = (k2 range)^2,
// with means m, variances v and covariance c under a Gaussian of 11 x 11 pixels and deviation 1.5.
//
// Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli, "Image quality assessment: from error visibility to structural
// similarity", 2004. The number is that of scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5,
// use_sample_covariance=False): only windows that lie inside the image count.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/metrics/sample_errors.hpp"

namespace hourglass {

/// The size of the images and the constants of SSIM.
struct SsimOptions {
  Index height = 0;  ///< in pixels; height and width 0: the images are square
  Index width = 0;
  Index channels = 1;     ///< planes of an image, (channel, row, column); its SSIM is their mean
  double data_range = 1;  ///< largest possible value less the smallest
  double k1 = 0.01;
  double k2 = 0.03;
};

namespace detail {

inline constexpr Index ssim_window = 11;

/// out[i] = sum_k weights[k] in[i + k stride].
struct WindowSum {
  Index count;
  const double* in;
  Index stride;
  const double* weights;
  double* out;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      V sum(0.0);
      for (Index k = 0; k < ssim_window; ++k) sum = fma(V(weights[k]), V::load(in + i + k * stride, n), sum);
      sum.store(out + i, n);
    }
  })
};

/// SSIM of windows with means x, y and mean products xx, yy, xy.
struct SsimOfWindows {
  Index count;
  const double* x;
  const double* y;
  const double* xx;
  const double* yy;
  const double* xy;
  double c1;
  double c2;
  double* out;
  HOURGLASS_SIMD(void operator()() const, {
    const V two(2.0);
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      const V mx = V::load(x + i, n);
      const V my = V::load(y + i, n);
      const V covariance = fma(V(-1.0) * mx, my, V::load(xy + i, n));
      const V variances = fma(V(-1.0) * mx, mx, V::load(xx + i, n)) + fma(V(-1.0) * my, my, V::load(yy + i, n));
      const V above = fma(two * mx, my, V(c1)) * fma(two, covariance, V(c2));
      const V below = fma(mx, mx, fma(my, my, V(c1))) * (variances + V(c2));
      (above / below).store(out + i, n);
    }
  })
};

[[nodiscard]] inline std::array<double, static_cast<std::size_t>(ssim_window)> gaussian_window() {
  std::array<double, static_cast<std::size_t>(ssim_window)> weights{};
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double distance = (static_cast<double>(k) - 5.0) / 1.5;
    sum += weights[k] = std::exp(-0.5 * distance * distance);
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Completes and checks the options for images of `features` values.
inline void complete(SsimOptions& options, Index features) {
  const auto has_size = [&] {
    return options.height > 0 && options.width > 0 && features / options.channels == options.height * options.width;
  };
  if (options.channels >= 1 && options.height == 0 && options.width == 0)
    options.height = options.width =
        static_cast<Index>(std::lround(std::sqrt(static_cast<double>(features / options.channels))));
  if (options.channels < 1 || features % options.channels != 0 || !has_size())
    throw ShapeError(message("ssim: ", features, " features are no image of ", options.channels, " x ", options.height,
                             " x ", options.width, " (channels x height x width); give .height, .width, .channels"));
  if (options.height < ssim_window || options.width < ssim_window)
    throw ShapeError(message("ssim: images of ", options.height, " x ", options.width,
                             " pixels are smaller than the window, 11 x 11; use psnr"));
  if (!(options.data_range > 0 && options.k1 > 0 && options.k2 > 0))
    throw DataError(message("ssim: data_range, k1 and k2 must be above 0, they are ", options.data_range, ", ",
                            options.k1, ", ", options.k2));
}

/// SSIM of one plane of height x width pixels; `scratch` has room for 8 planes.
[[nodiscard]] inline double ssim_of_plane(const double* a, const double* b, const double* weights,
                                          const SsimOptions& options, double* scratch) {
  const Index width = options.width;
  const Index area = options.height * width;
  const Index rows = options.height - ssim_window + 1;
  const Index cols = width - ssim_window + 1;
  // Rows follow each other without a gap, so the last 10 columns of a result mix two rows: they are left out.
  const Index windows = (rows - 1) * width + cols;
  double* const product = scratch;
  double* const half = scratch + area;
  const auto mean_of = [&](const double* plane, Index slot) {
    double* const out = scratch + (2 + slot) * area;
    simd::dispatch<double>(WindowSum{area - ssim_window + 1, plane, 1, weights, half});
    simd::dispatch<double>(WindowSum{windows, half, width, weights, out});
    return out;
  };
  const auto mean_of_product = [&](const double* p, const double* q, Index slot) {
    for (Index i = 0; i < area; ++i) product[i] = p[i] * q[i];
    return mean_of(product, slot);
  };
  const double c1 = options.k1 * options.data_range;
  const double c2 = options.k2 * options.data_range;
  const double* const x = mean_of(a, 0);
  const double* const y = mean_of(b, 1);
  const double* const xx = mean_of_product(a, a, 2);
  const double* const yy = mean_of_product(b, b, 3);
  const double* const xy = mean_of_product(a, b, 4);
  double* const map = scratch + 7 * area;
  simd::dispatch<double>(SsimOfWindows{windows, x, y, xx, yy, xy, c1 * c1, c2 * c2, map});
  double sum = 0;
  for (Index row = 0; row < rows; ++row)
    sum += block_sum<double>(0, cols, [&](Index first, auto count, double* out) {
      for (Index i = 0; i < count; ++i) out[i] = map[row * width + first + i];
    });
  return sum / static_cast<double>(rows * cols);
}

}  // namespace detail

/// SSIM of each image, in [-1, 1]; 1 for equal images. output and target are (n, features) with features in the order
/// (channel, row, column). Throws ShapeError when the shapes differ, features are no image of that size, or images are
/// smaller than the window; DataError when there are no images or a constant is not above 0.
template <SampleSource Output, SampleSource Target>
[[nodiscard]] std::vector<double> ssim_per_image(const Output& output, const Target& target, SsimOptions options = {}) {
  const Samples outputs(output);
  detail::complete(options, outputs.cols());
  const auto weights = detail::gaussian_window();
  const Index area = options.height * options.width;
  std::vector<double> values(static_cast<std::size_t>(outputs.rows()));
  detail::for_each_pair("ssim", outputs, target, 8 * area,
                        [&](Index i, const double* a, const double* b, double* scratch) {
                          double sum = 0;
                          for (Index c = 0; c < options.channels; ++c)
                            sum += detail::ssim_of_plane(a + c * area, b + c * area, weights.data(), options, scratch);
                          values[static_cast<std::size_t>(i)] = sum / static_cast<double>(options.channels);
                        });
  return values;
}

/// Mean SSIM over the images: `ssim(model.reconstruct(images), images, {.height = 28, .width = 28})`.
template <SampleSource Output, SampleSource Target>
[[nodiscard]] double ssim(const Output& output, const Target& target, const SsimOptions& options = {}) {
  return detail::mean(ssim_per_image(output, target, options));
}

}  // namespace hourglass
