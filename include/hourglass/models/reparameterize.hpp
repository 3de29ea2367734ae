// Reparameterisation: z = mu + e^(logvar/2) noise, so that gradients pass through the draw of z.
#pragma once

#include <algorithm>
#include <span>

#include "hourglass/core/error.hpp"
#include "hourglass/core/math.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/loss/kl_divergence.hpp"

namespace hourglass {

/// Diagonal Gaussian q(z|x): mean and log-variance, each (batch, latent).
template <class Scalar>
struct Posterior {
  Matrix<Scalar> mu;
  Matrix<Scalar> logvar;
};

namespace detail {

/// z (batch, latent) from posterior (batch, 2 latent) = (mu, logvar) and noise (batch, latent). logvar is clamped as in
/// kl_divergence.
template <class Scalar>
void reparameterize(const ConstMatrixView<Scalar>& posterior, const ConstMatrixView<Scalar>& noise,
                    MatrixView<Scalar> z) {
  const Index latent = z.cols();
  for (Index i = 0; i < z.rows(); ++i) {
    const Scalar* mu = posterior.data() + i * 2 * latent;
    const Scalar* logvar = mu + latent;
    for (Index j = 0; j < latent; ++j)
      z.data()[i * latent + j] =
          mu[j] + math::exp(Scalar(0.5) * clamp_logvar(logvar[j])) * noise.data()[i * latent + j];
  }
}

/// Adds the path through z to dposterior (batch, 2 latent): dmu += dz, dlogvar += dz noise e^(logvar/2) / 2, the latter
/// only where logvar is not clamped.
template <class Scalar>
void reparameterize_backward(const ConstMatrixView<Scalar>& posterior, const ConstMatrixView<Scalar>& noise,
                             const ConstMatrixView<Scalar>& dz, MatrixView<Scalar> dposterior) {
  const Index latent = dz.cols();
  for (Index i = 0; i < dz.rows(); ++i) {
    const Scalar* logvar = posterior.data() + i * 2 * latent + latent;
    Scalar* dmu = dposterior.data() + i * 2 * latent;
    Scalar* dlogvar = dmu + latent;
    for (Index j = 0; j < latent; ++j) {
      const Scalar clamped = clamp_logvar(logvar[j]);
      const Scalar upstream = dz.data()[i * latent + j];
      const Scalar deviation = math::exp(Scalar(0.5) * clamped);
      dmu[j] += upstream;
      dlogvar[j] +=
          clamped == logvar[j] ? Scalar(0.5) * upstream * noise.data()[i * latent + j] * deviation : Scalar(0);
    }
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
  for (std::size_t i = 0; i < size; ++i)
    z.data()[i] =
        posterior.mu.data()[i] + math::exp(Scalar(0.5) * clamp_logvar(posterior.logvar.data()[i])) * z.data()[i];
  return z;
}

}  // namespace hourglass
