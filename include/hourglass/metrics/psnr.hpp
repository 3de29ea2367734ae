// Peak signal-to-noise ratio: PSNR = 10 log10(peak^2 / MSE), in dB.
#pragma once

#include <cmath>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/metrics/sample_errors.hpp"

namespace hourglass {

/// PSNR of each image in dB: output and target (n, features), `peak` the largest value that a pixel can have. Equal
/// images give infinity. Throws ShapeError when the shapes differ, DataError when there are no images or peak <= 0.
template <SampleSource Output, SampleSource Target>
[[nodiscard]] std::vector<double> psnr_per_image(const Output& output, const Target& target, double peak = 1.0) {
  if (!(peak > 0)) throw DataError(detail::message("psnr: the peak must be above 0, it is ", peak));
  std::vector<double> values = detail::sample_errors("psnr", output, target);
  for (double& value : values) value = 10.0 * std::log10(peak * peak / value);
  return values;
}

/// Mean PSNR over the images in dB. The PSNR of the mean MSE is another number, and lower.
template <SampleSource Output, SampleSource Target>
[[nodiscard]] double psnr(const Output& output, const Target& target, double peak = 1.0) {
  return detail::mean(psnr_per_image(output, target, peak));
}

}  // namespace hourglass
