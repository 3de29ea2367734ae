// Corruption: noise on a copy of a batch, which a denoising autoencoder learns to take away.
//
// Source: Vincent et al., "Extracting and composing robust features with denoising autoencoders", 2008, and "Stacked
// denoising autoencoders", 2010. Every kind is a functor that changes a batch (batch, features) in place:
//
//     hg::fit(model, images, hg::BCELoss{}, optimizer, {.corruption = hg::MaskingNoise{0.3}}, rng);
//
// Element i of the batch depends on the state of the generator and on i alone, so that any number of threads gives the
// same bits. The generator ends up where drawing the numbers one after another would leave it.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <span>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"

namespace hourglass {

namespace detail {

/// Numbers drawn at a time: they stay in the fastest cache, and are a multiple of the generator's blocks.
inline constexpr Index noise_chunk = 512;

/// x[i] = change(x[i], draws[i]).
template <class Scalar, class Change>
struct ApplyNoise {
  Index count;
  const Scalar* draws;
  Scalar* x;
  const Change& change;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      change(V::load(x + i, n), V::load(draws + i, n)).store(x + i, n);
    }
  })
};

/// x[i] = change(x[i], d[i]), where `draw(rng, numbers)` fills d from a fresh block of the generator.
template <class Scalar, class Draw, class Change>
void apply_noise(MatrixView<Scalar> x, Rng& rng, const Draw& draw, const Change& change) {
  constexpr Index per_block = 16 / sizeof(Scalar);
  const Rng::State start = rng.state();
  const auto at_element = [&](Index i) {
    return Rng{Rng::State{start.seed, start.stream, start.block + static_cast<std::uint64_t>(i / per_block), 4}};
  };
  parallel_ranges(x.size(), [&](Index begin, Index end) {
    Rng own = at_element(begin);
    alignas(64) std::array<Scalar, static_cast<std::size_t>(noise_chunk)> draws;
    for (Index i = begin; i < end; i += noise_chunk) {
      const Index count = std::min(noise_chunk, end - i);
      draw(own, std::span<Scalar>(draws).first(static_cast<std::size_t>(count)));
      simd::dispatch<Scalar>(ApplyNoise<Scalar, Change>{count, draws.data(), x.data() + i, change});
    }
  });
  rng = at_element((x.size() + per_block - 1) / per_block * per_block);
}

/// Draws from U[0, 1).
struct DrawUniform {
  template <class Scalar>
  void operator()(Rng& rng, std::span<Scalar> draws) const noexcept {
    rng.fill_uniform(draws);
  }
};
/// Draws from N(0, sigma^2).
struct DrawNormal {
  double sigma;
  template <class Scalar>
  void operator()(Rng& rng, std::span<Scalar> draws) const noexcept {
    rng.fill_normal(draws, Scalar(0), static_cast<Scalar>(sigma));
  }
};

inline void check_probability(const char* noise, double p) {
  if (!(p >= 0 && p <= 1)) throw DataError(message(noise, ": the probability must be in [0, 1], not ", p));
}

}  // namespace detail

/// Each element becomes 0 with probability p, on its own, and stays as it is otherwise.
class MaskingNoise {
 public:
  /// Throws DataError unless 0 <= p <= 1.
  explicit MaskingNoise(double p = 0.3) : p_{p} { detail::check_probability("MaskingNoise", p); }
  [[nodiscard]] double p() const noexcept { return p_; }

  template <std::floating_point Scalar>
  void operator()(MatrixView<Scalar> x, Rng& rng) const {
    detail::apply_noise<Scalar>(x, rng, detail::DrawUniform{}, Mask<Scalar>{static_cast<Scalar>(p_)});
  }

 private:
  template <class Scalar>
  struct Mask {
    Scalar p;
    HOURGLASS_SIMD(V operator()(V x, V uniform) const, { return select(uniform < V(p), V(0), x); })
  };

  double p_;
};

/// x + sigma e with e ~ N(0, 1) for each element, cut to [0, 1] afterwards unless `clamp` is false.
class GaussianNoise {
 public:
  /// Throws DataError unless sigma >= 0.
  explicit GaussianNoise(double sigma = 0.1, bool clamp = true) : sigma_{sigma}, clamp_{clamp} {
    if (!(sigma >= 0))
      throw DataError(detail::message("GaussianNoise: the standard deviation must be 0 or more, not ", sigma));
  }
  [[nodiscard]] double sigma() const noexcept { return sigma_; }
  [[nodiscard]] bool clamp() const noexcept { return clamp_; }

  template <std::floating_point Scalar>
  void operator()(MatrixView<Scalar> x, Rng& rng) const {
    detail::apply_noise<Scalar>(x, rng, detail::DrawNormal{sigma_}, Add<Scalar>{clamp_});
  }

 private:
  template <class Scalar>
  struct Add {
    bool clamp;
    HOURGLASS_SIMD(V operator()(V x, V noise) const, {
      const V sum = x + noise;
      return clamp ? min(max(sum, V(0)), V(1)) : sum;
    })
  };

  double sigma_;
  bool clamp_;
};

/// Each element becomes 0 with probability p / 2, 1 with probability p / 2, and stays as it is otherwise.
class SaltAndPepper {
 public:
  /// Throws DataError unless 0 <= p <= 1.
  explicit SaltAndPepper(double p = 0.1) : p_{p} { detail::check_probability("SaltAndPepper", p); }
  [[nodiscard]] double p() const noexcept { return p_; }

  template <std::floating_point Scalar>
  void operator()(MatrixView<Scalar> x, Rng& rng) const {
    detail::apply_noise<Scalar>(x, rng, detail::DrawUniform{},
                                Speckle<Scalar>{static_cast<Scalar>(p_ / 2), static_cast<Scalar>(p_)});
  }

 private:
  template <class Scalar>
  struct Speckle {
    Scalar pepper;
    Scalar either;
    HOURGLASS_SIMD(V operator()(V x, V uniform) const,
                   { return select(uniform < V(pepper), V(0), select(uniform < V(either), V(1), x)); })
  };

  double p_;
};

}  // namespace hourglass
