// Manifold grid: what a decoder makes of an n x n grid of codes that cuts N(0, I) in two dimensions into cells of equal
// probability, z = (Phi^-1((column + 1/2) / n), Phi^-1(1 - (row + 1/2) / n)).
//
// D. Kingma, M. Welling, "Auto-encoding variational Bayes", 2014, figure 4.
#pragma once

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/metrics/normal_quantile.hpp"
#include "hourglass/nn/apply.hpp"

namespace hourglass {

namespace detail {

/// decoder.decode(codes) of a model, decoder(codes) of a function, or the output of a layer.
template <class Decoder, class Scalar>
[[nodiscard]] Matrix<Scalar> decode_with(const Decoder& decoder, const Matrix<Scalar>& codes) {
  if constexpr (requires { decoder.decode(codes); })
    return decoder.decode(codes);
  else if constexpr (requires { decoder(codes); })
    return decoder(codes);
  else
    return detail::apply(decoder, ConstMatrixView<Scalar>(codes));
}

/// The scalar of a model, float for functions.
template <class Decoder>
struct DecoderScalar {
  using type = float;
};
template <class Decoder>
requires requires { typename Decoder::Scalar; }
struct DecoderScalar<Decoder> {
  using type = typename Decoder::Scalar;
};

}  // namespace detail

/// The codes (n n, 2) of the grid, row by row: z_0 grows to the right, z_1 upwards, as on a plot. Throws DataError
/// unless n >= 1.
template <class Scalar = float>
[[nodiscard]] Matrix<Scalar> manifold_codes(Index n) {
  if (n < 1)
    throw DataError(detail::message("manifold_codes: a grid of ", n, " x ", n, " codes; at least 1 is needed"));
  Matrix<Scalar> codes(n * n, 2);
  const auto place = [&](Index i) {
    return static_cast<Scalar>(normal_quantile((static_cast<double>(i) + 0.5) / static_cast<double>(n)));
  };
  for (Index row = 0; row < n; ++row)
    for (Index column = 0; column < n; ++column) {
      codes(row * n + column, 0) = place(column);
      codes(row * n + column, 1) = place(n - 1 - row);
    }
  return codes;
}

/// The decoded grid (n n, features), for `save_image_grid(path, {.columns = n}, manifold_grid(vae, n))`. `decoder` is a
/// model with decode(), a layer, or a function of codes (rows, 2). Throws DataError unless n >= 1, ShapeError when the
/// decoder expects other than 2 latent dimensions.
template <class Decoder>
[[nodiscard]] auto manifold_grid(const Decoder& decoder, Index n) {
  return detail::decode_with(decoder, manifold_codes<typename detail::DecoderScalar<Decoder>::type>(n));
}

}  // namespace hourglass
