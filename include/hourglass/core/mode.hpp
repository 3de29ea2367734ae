// Modes: what a forward pass is for. Randomness comes with the mode that needs it, never from hidden state.
#pragma once

#include "hourglass/core/rng.hpp"

namespace hourglass {

/// Deterministic evaluation: no dropout, latent variables at their mean.
struct Inference {};

/// Evaluation of a probabilistic model: no dropout, latent variables drawn with `rng`.
struct Sampling {
  explicit Sampling(Rng& generator) noexcept : rng{generator} {}
  Rng& rng;
};

/// Training: dropout masks and latent variables drawn with `rng`.
struct Training {
  explicit Training(Rng& generator) noexcept : rng{generator} {}
  Rng& rng;
};

template <class T>
inline constexpr bool is_mode = false;
template <>
inline constexpr bool is_mode<Inference> = true;
template <>
inline constexpr bool is_mode<Sampling> = true;
template <>
inline constexpr bool is_mode<Training> = true;

/// One of Inference, Sampling, Training.
template <class T>
concept Mode = is_mode<T>;

/// True for the modes that carry a generator for latent variables.
template <Mode M>
inline constexpr bool draws_latents = !std::is_same_v<M, Inference>;

}  // namespace hourglass
