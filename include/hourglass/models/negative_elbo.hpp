// Negative evidence lower bound: -ELBO = reconstruction loss + beta KL(q(z|x) || N(0, I)).
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "hourglass/core/matrix.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/kl_divergence.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// The negative ELBO of a batch, per sample, and its terms: loss = reconstruction + beta kl.
template <class Scalar>
struct ElboTerms {
  Scalar loss = 0;
  Scalar reconstruction = 0;
  Scalar kl = 0;
  Index clamped_logvars = 0;  ///< log-variances outside [min_logvar, max_logvar]; above 0 the encoder runs away

  static constexpr std::array<std::string_view, 2> names{"reconstruction", "kl"};
  [[nodiscard]] std::array<double, 2> parts() const noexcept { return {double{reconstruction}, double{kl}}; }
};

/// A workspace whose model keeps a Gaussian posterior (batch, 2 latent) and a place for its gradient.
template <class Workspace>
concept HoldsPosterior = requires(Workspace& workspace, Index rows) {
  workspace.cache().posterior(rows);
  workspace.cache().posterior_gradient;
};

/// Loss of a variational autoencoder: the given loss summed over features, plus beta times the closed-form KL
/// divergence summed over latent dimensions, both averaged over the batch. Summing over features is what makes the two
/// terms comparable; a mean there weighs the KL term by the number of features too much, the most common mistake in
/// VAEs.
///
/// beta = 1 gives the ELBO (Kingma and Welling 2014), another beta the beta-VAE (Higgins et al. 2017).
template <class Reconstruction = BCELoss>
class NegativeELBO {
 public:
  static constexpr std::string_view name = "NegativeELBO";
  static constexpr Reduction reduction = Reduction::batchmean;

  /// The reduction of `reconstruction` is set to batchmean, whatever it was. Throws DataError unless beta >= 0.
  explicit NegativeELBO(Reconstruction reconstruction = {}, double beta = 1.0)
      : reconstruction_{std::move(reconstruction)}, beta_{beta} {
    if (!(beta >= 0)) throw DataError(detail::message("NegativeELBO: beta must be 0 or more, not ", beta));
    reconstruction_.reduction = Reduction::batchmean;
  }

  [[nodiscard]] double beta() const noexcept { return beta_; }
  [[nodiscard]] const Reconstruction& reconstruction() const noexcept { return reconstruction_; }

  /// Terms of the batch whose forward pass is in `workspace`; writes the gradients of output, mu and logvar there.
  template <Batch Output, BatchLike<Output> Target, HoldsPosterior Workspace>
  ElboTerms<typename Output::Scalar> operator()(const Output& output, const Target& target,
                                                Workspace& workspace) const {
    const auto value = reconstruction_(output, target, workspace);
    const Index rows = output.rows();
    const auto posterior = workspace.cache().posterior(rows);
    auto gradient = workspace.cache().posterior_gradient.topRows(rows);
    const Index latent = posterior.cols() / 2;
    const auto mu = posterior.leftCols(latent);
    const auto logvar = posterior.rightCols(latent);
    gradient.setZero();
    auto dmu = gradient.leftCols(latent);
    auto dlogvar = gradient.rightCols(latent);
    return terms(value, accumulate_kl_divergence(mu, logvar, dmu, dlogvar, beta_), logvar);
  }

  /// The same terms without gradients, for a workspace of any purpose.
  template <Batch Output, BatchLike<Output> Target, HoldsPosterior Workspace>
  ElboTerms<typename Output::Scalar> value(const Output& output, const Target& target, Workspace& workspace) const {
    const auto posterior = workspace.cache().posterior(output.rows());
    const Index latent = posterior.cols() / 2;
    const auto logvar = posterior.rightCols(latent);
    return terms(reconstruction_(output, target), kl_divergence(posterior.leftCols(latent), logvar), logvar);
  }

 private:
  template <class Scalar, class LogVar>
  ElboTerms<Scalar> terms(Scalar reconstruction, Scalar kl, const LogVar& logvar) const {
    return {reconstruction + static_cast<Scalar>(beta_) * kl, reconstruction, kl, count_clamped_logvar(logvar)};
  }

  Reconstruction reconstruction_;
  double beta_;
};

}  // namespace hourglass
