// Symmetric networks: widths that halve from the input to the code, and their mirror.
#pragma once

#include <algorithm>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/identity.hpp"
#include "hourglass/nn/mlp.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sigmoid.hpp"

namespace hourglass {

/// features, features / 2, features / 4, ... as long as they stay above `code`, then `code`: halving_widths(784, 32) is
/// {784, 392, 196, 98, 49, 32}. Throws ShapeError unless 1 <= code < features.
[[nodiscard]] inline std::vector<Index> halving_widths(Index features, Index code) {
  if (code < 1 || code >= features)
    throw ShapeError(detail::message("halving_widths: the code has ", code, " features, the input ", features,
                                     "; the code must be narrower, and at least 1"));
  std::vector<Index> widths;
  for (Index width = features; width > code; width /= 2) widths.push_back(width);
  widths.push_back(code);
  return widths;
}

/// Autoencoder over the given widths, input first, code last, and their mirror: ReLU after every hidden layer, a linear
/// code, a sigmoid at the output.
template <class Scalar = float>
[[nodiscard]] auto symmetric_autoencoder(std::vector<Index> widths) {
  const Mlp<ReLU, Identity, Scalar> encoder(widths);
  std::ranges::reverse(widths);
  return Autoencoder(encoder, Mlp<ReLU, Sigmoid, Scalar>(widths));
}

/// The same with halving_widths(features, code).
template <class Scalar = float>
[[nodiscard]] auto symmetric_autoencoder(Index features, Index code) {
  return symmetric_autoencoder<Scalar>(halving_widths(features, code));
}

/// Variational autoencoder over the given widths, input first, latent last: the encoder ends in 2 x latent features.
template <class Scalar = float>
[[nodiscard]] auto symmetric_variational_autoencoder(std::vector<Index> widths) {
  if (widths.empty()) throw ShapeError("symmetric_variational_autoencoder: no widths; give at least input and latent");
  std::vector<Index> mirrored(widths.rbegin(), widths.rend());
  widths.back() *= 2;
  return VariationalAutoencoder(Mlp<ReLU, Identity, Scalar>(widths), Mlp<ReLU, Sigmoid, Scalar>(mirrored));
}

/// The same with halving_widths(features, latent).
template <class Scalar = float>
[[nodiscard]] auto symmetric_variational_autoencoder(Index features, Index latent) {
  return symmetric_variational_autoencoder<Scalar>(halving_widths(features, latent));
}

}  // namespace hourglass
