// Latent traversal: what changes in the output when one latent dimension moves and the others stay.
#pragma once

#include <cmath>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/metrics/manifold_grid.hpp"

namespace hourglass {

/// The codes (latent steps, latent) of a traversal from `code` (1, latent): row j steps + s is `code` with
/// z_j = low + (high - low) s / (steps - 1). Throws ShapeError unless there is one code, DataError for fewer than 2
/// steps.
template <Batch Code>
[[nodiscard]] Matrix<typename Code::Scalar> traversal_codes(const Code& code, Index steps, double low = -3,
                                                            double high = 3) {
  using Scalar = typename Code::Scalar;
  if (code.rows() != 1)
    throw ShapeError(detail::message("latent_traversal: codes of shape ", shape_string(code.rows(), code.cols()),
                                     "; pass one code, such as codes.topRows(1)"));
  if (steps < 2) throw DataError(detail::message("latent_traversal: ", steps, " steps; at least 2 are needed"));
  Matrix<Scalar> codes = code.replicate(code.cols() * steps, 1);
  for (Index j = 0; j < code.cols(); ++j)
    for (Index s = 0; s < steps; ++s) {
      const double t = static_cast<double>(s) / static_cast<double>(steps - 1);
      codes(j * steps + s, j) = static_cast<Scalar>(std::fma(t, high, (1 - t) * low));
    }
  return codes;
}

/// The decoded traversal (latent steps, features): with `.columns = steps` each row of a picture moves one dimension.
/// `decoder` is a model with decode(), a layer, or a function of codes. Errors as above.
template <class Decoder, Batch Code>
[[nodiscard]] auto latent_traversal(const Decoder& decoder, const Code& code, Index steps, double low = -3,
                                    double high = 3) {
  return detail::decode_with(decoder, traversal_codes(code, steps, low, high));
}

}  // namespace hourglass
