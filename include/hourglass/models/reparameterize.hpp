// Reparameterisation: z = mu + e^(logvar/2) noise, so that gradients pass through the draw of z.
#pragma once

#include <algorithm>
#include <span>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/loss/kl_divergence.hpp"

namespace hourglass {

/// Diagonal Gaussian q(z|x): mean and log-variance, each (batch, latent).
template <class Scalar>
struct Posterior {
  Matrix<Scalar> mu;
  Matrix<Scalar> logvar;
};

namespace detail {

/// z = mu + e^(logvar/2) noise for one row, logvar clamped as in kl_divergence.
template <class Scalar>
struct Reparameterize {
  Index latent;
  const Scalar* mu;
  const Scalar* logvar;
  const Scalar* noise;
  Scalar* z;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < latent; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, latent - i);
      const V deviation = simd::exp(V(Scalar(0.5)) * clamp_logvar(V::load(logvar + i, n)));
      fma(deviation, V::load(noise + i, n), V::load(mu + i, n)).store(z + i, n);
    }
  })
};

/// dmu += dz, dlogvar += dz noise e^(logvar/2) / 2 for one row, the latter only where logvar is not clamped.
template <class Scalar>
struct ReparameterizeBackward {
  Index latent;
  const Scalar* logvar;
  const Scalar* noise;
  const Scalar* dz;
  Scalar* dmu;
  Scalar* dlogvar;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < latent; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, latent - i);
      const V half(Scalar(0.5));
      const V given = V::load(logvar + i, n);
      const V used = clamp_logvar(given);
      const V upstream = V::load(dz + i, n);
      const V slope = select(used == given, half * V::load(noise + i, n) * simd::exp(half * used), V(0));
      (V::load(dmu + i, n) + upstream).store(dmu + i, n);
      fma(upstream, slope, V::load(dlogvar + i, n)).store(dlogvar + i, n);
    }
  })
};

/// z (batch * samples, latent or more) from posterior (batch, 2 latent) = (mu, logvar) and noise (batch * samples,
/// latent). What else is in the rows of z stays as it is.
template <class Scalar>
void reparameterize(const ConstMatrixView<Scalar>& posterior, const ConstMatrixView<Scalar>& noise,
                    MatrixView<Scalar> z, Index samples = 1) {
  const Index latent = noise.cols();
  for (Index i = 0; i < z.rows(); ++i) {
    const Scalar* mu = posterior.data() + i / samples * 2 * latent;
    simd::dispatch<Scalar>(
        Reparameterize<Scalar>{latent, mu, mu + latent, noise.data() + i * latent, z.data() + i * z.cols()});
  }
}

/// Adds the paths through all z to dposterior (batch, 2 latent); shapes as above.
template <class Scalar>
void reparameterize_backward(const ConstMatrixView<Scalar>& posterior, const ConstMatrixView<Scalar>& noise,
                             const ConstMatrixView<Scalar>& dz, MatrixView<Scalar> dposterior, Index samples = 1) {
  const Index latent = noise.cols();
  for (Index i = 0; i < dz.rows(); ++i) {
    const Index row = i / samples * 2 * latent;
    Scalar* dmu = dposterior.data() + row;
    simd::dispatch<Scalar>(ReparameterizeBackward<Scalar>{latent, posterior.data() + row + latent,
                                                          noise.data() + i * latent, dz.data() + i * dz.cols(), dmu,
                                                          dmu + latent});
  }
}

}  // namespace detail

/// One draw z (batch, latent) from each row's posterior.
template <class Scalar>
[[nodiscard]] Matrix<Scalar> reparameterize(const Posterior<Scalar>& posterior, Rng& rng) {
  if (posterior.mu.rows() != posterior.logvar.rows() || posterior.mu.cols() != posterior.logvar.cols())
    throw ShapeError(detail::message("reparameterize: mu is ", shape_string(posterior.mu.rows(), posterior.mu.cols()),
                                     ", logvar is ", shape_string(posterior.logvar.rows(), posterior.logvar.cols())));
  Matrix<Scalar> z(posterior.mu.rows(), posterior.mu.cols());
  const auto size = static_cast<std::size_t>(z.size());
  rng.fill_normal(std::span<Scalar>(z.data(), size));
  simd::dispatch<Scalar>(
      detail::Reparameterize<Scalar>{z.size(), posterior.mu.data(), posterior.logvar.data(), z.data(), z.data()});
  return z;
}

}  // namespace hourglass
