// Binarisation: grey values in [0, 1] become 0 or 1, in place.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <span>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"

namespace hourglass {

namespace detail {

/// Throws DataError naming the first element of x (batch, features) for which `valid` is false.
template <class Scalar, class Valid>
void require_elements(MatrixView<Scalar> x, const char* range, const Valid& valid) {
  const Scalar* values = x.data();
  unsigned bad = 0;
  for (Index i = 0; i < x.size(); ++i) bad |= static_cast<unsigned>(!valid(values[i]));
  for (Index i = 0; bad != 0 && i < x.size(); ++i)
    if (!valid(values[i]))
      throw DataError(message("binarize: row ", i / x.cols(), ", column ", i % x.cols(), " is ", values[i], ", not ",
                              range, "; scale the data first"));
}

}  // namespace detail

/// x = 1 where x > threshold, 0 elsewhere. Throws DataError for NaN.
template <std::floating_point Scalar>
void binarize(MatrixView<Scalar> x, double threshold = 0.5) {
  detail::require_elements(x, "a number", [](Scalar value) { return value == value; });
  Scalar* values = x.data();
  const auto limit = static_cast<Scalar>(threshold);
  for (Index i = 0; i < x.size(); ++i) values[i] = values[i] > limit ? Scalar(1) : Scalar(0);
}

/// Each element becomes 1 with a probability equal to its value (Salakhutdinov & Murray 2008); drawn anew for every
/// batch, this is the stochastic binarisation of the VAE literature. Throws DataError for a value outside [0, 1] or
/// NaN; then nothing was changed or drawn.
template <std::floating_point Scalar>
void binarize(MatrixView<Scalar> x, Rng& rng) {
  detail::require_elements(x, "in [0, 1]", [](Scalar value) { return value >= Scalar(0) && value <= Scalar(1); });
  std::array<Scalar, 256> draws{};  // a multiple of the generator's block: no number is left over in between
  Scalar* values = x.data();
  for (Index begin = 0; begin < x.size(); begin += static_cast<Index>(draws.size())) {
    const auto piece = std::span<Scalar>(
        values + begin, static_cast<std::size_t>(std::min<Index>(static_cast<Index>(draws.size()), x.size() - begin)));
    const auto uniform = std::span<Scalar>(draws).first(piece.size());
    rng.fill_uniform(uniform);
    for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = uniform[i] < piece[i] ? Scalar(1) : Scalar(0);
  }
}

}  // namespace hourglass
