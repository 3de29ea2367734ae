// Negative evidence lower bound: -ELBO = reconstruction loss + beta KL(q(z|x) || N(0, I)).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/free_bits.hpp"
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

namespace detail {

/// What the output is compared with: `target`, or what a model that reads more than it reconstructs makes of it.
template <class Target, class Workspace>
[[nodiscard]] ConstMatrixView<typename Target::Scalar> reconstruction_target(const Target& target,
                                                                             Workspace& workspace) {
  const ConstMatrixView<typename Target::Scalar> view(target);
  if constexpr (requires { workspace.cache().target_of(view); })
    return workspace.cache().target_of(view);
  else
    return view;
}

}  // namespace detail

/// What NegativeELBO minimises, with the step t that begin_step() was last called with:
///     reconstruction + beta min(1, t / warm_up_steps) |sum_j max(free_bits, KL_j) - capacity min(1, t /
///     capacity_steps)|
/// KL_j is the divergence of latent dimension j, averaged over the batch. The defaults make that the negative ELBO.
struct ElboOptions {
  double beta = 1;                 ///< above 1: beta-VAE (Higgins et al. 2017)
  std::int64_t warm_up_steps = 0;  ///< the weight grows from 0 to beta (Sonderby et al. 2016); 0: beta at once
  double free_bits = 0;            ///< nats that each dimension has for nothing (Kingma et al. 2016), see free_bits.hpp
  double capacity = 0;             ///< nats that KL is pulled to, beta being gamma (Burgess et al. 2018)
  std::int64_t capacity_steps = 0;  ///< the capacity grows from 0; 0: all at once
};

/// Loss of a variational autoencoder: the given loss summed over features, plus beta times the closed-form KL
/// divergence summed over latent dimensions, both averaged over the batch. Summing over features is what makes the two
/// terms comparable; a mean there weighs the KL term by the number of features too much, the most common mistake in
/// VAEs. beta = 1 gives the ELBO (Kingma and Welling 2014); ElboOptions lists the variants.
///
/// Reports show reconstruction and KL as they are, unweighted and without floor or target.
template <class Reconstruction = BCELoss>
class NegativeELBO {
 public:
  static constexpr std::string_view name = "NegativeELBO";
  static constexpr Reduction reduction = Reduction::batchmean;

  /// The reduction of `reconstruction` is set to batchmean, whatever it was. Throws DataError unless beta >= 0.
  explicit NegativeELBO(Reconstruction reconstruction = {}, double beta = 1.0)
      : NegativeELBO(std::move(reconstruction), ElboOptions{.beta = beta}) {}
  /// The same; throws DataError unless all options are finite and 0 or more.
  NegativeELBO(Reconstruction reconstruction, const ElboOptions& options)
      : reconstruction_{std::move(reconstruction)}, options_{options} {
    check("beta", options.beta);
    check("warm_up_steps", static_cast<double>(options.warm_up_steps));
    check("free_bits", options.free_bits);
    check("capacity", options.capacity);
    check("capacity_steps", static_cast<double>(options.capacity_steps));
    reconstruction_.reduction = Reduction::batchmean;
  }

  [[nodiscard]] double beta() const noexcept { return options_.beta; }
  [[nodiscard]] const ElboOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Reconstruction& reconstruction() const noexcept { return reconstruction_; }

  /// To be called before training step `step`, counted from 0, where weights or targets grow. Before the first call
  /// they are fully grown.
  void begin_step(std::int64_t step) noexcept {
    weight_ = ramp(step, options_.warm_up_steps);
    target_ = ramp(step, options_.capacity_steps);
  }

  /// Terms of the batch whose forward pass is in `workspace`; writes the gradients of output, mu and logvar there.
  template <Batch Output, BatchLike<Output> Target, HoldsPosterior Workspace>
  ElboTerms<typename Output::Scalar> operator()(const Output& output, const Target& target,
                                                Workspace& workspace) const {
    const Index rows = output.rows();
    const auto value = reconstruction_(output, detail::reconstruction_target(target, workspace), workspace);
    const auto posterior = workspace.cache().posterior(rows);
    auto gradient = workspace.cache().posterior_gradient.topRows(rows);
    const Index latent = posterior.cols() / 2;
    const auto mu = posterior.leftCols(latent);
    const auto logvar = posterior.rightCols(latent);
    gradient.setZero();
    auto dmu = gradient.leftCols(latent);
    auto dlogvar = gradient.rightCols(latent);
    const double capacity = options_.capacity * target_;
    double weight = options_.beta * weight_;
    if (capacity > 0 && static_cast<double>(divergence(mu, logvar).floored) < capacity) weight = -weight;
    const auto kl = [&]() -> FreeBitsKL<typename Output::Scalar> {
      if (options_.free_bits > 0) return accumulate_free_bits_kl(mu, logvar, dmu, dlogvar, options_.free_bits, weight);
      const auto plain = accumulate_kl_divergence(mu, logvar, dmu, dlogvar, weight);
      return {plain, plain};
    }();
    return terms(value, kl, weight, capacity, logvar);
  }

  /// The same terms without gradients, for a workspace of any purpose, and with weight and target fully grown, so that
  /// validation means the same at any time.
  template <Batch Output, BatchLike<Output> Target, HoldsPosterior Workspace>
  ElboTerms<typename Output::Scalar> value(const Output& output, const Target& target, Workspace& workspace) const {
    const auto posterior = workspace.cache().posterior(output.rows());
    const Index latent = posterior.cols() / 2;
    const auto logvar = posterior.rightCols(latent);
    const auto kl = divergence(posterior.leftCols(latent), logvar);
    const bool above = !(static_cast<double>(kl.floored) < options_.capacity);
    const auto reconstruction = reconstruction_(output, detail::reconstruction_target(target, workspace));
    return terms(reconstruction, kl, above ? options_.beta : -options_.beta, options_.capacity, logvar);
  }

 private:
  static void check(const char* option, double value) {
    if (!(value >= 0 && std::isfinite(value)))
      throw DataError(detail::message("NegativeELBO: ", option, " must be finite and 0 or more, not ", value));
  }
  static double ramp(std::int64_t step, std::int64_t steps) noexcept {
    return step >= steps ? 1.0 : static_cast<double>(step) / static_cast<double>(steps);
  }

  template <class Mu, class LogVar>
  [[nodiscard]] FreeBitsKL<typename Mu::Scalar> divergence(const Mu& mu, const LogVar& logvar) const {
    if (options_.free_bits > 0) return free_bits_kl(mu, logvar, options_.free_bits);
    const auto plain = kl_divergence(mu, logvar);
    return {plain, plain};
  }

  /// `weight` carries the sign of floored - capacity.
  template <class Scalar, class LogVar>
  ElboTerms<Scalar> terms(Scalar reconstruction, const FreeBitsKL<Scalar>& kl, double weight, double capacity,
                          const LogVar& logvar) const {
    const Scalar excess = kl.floored - static_cast<Scalar>(capacity);
    return {reconstruction + static_cast<Scalar>(weight) * excess, reconstruction, kl.kl, count_clamped_logvar(logvar)};
  }

  Reconstruction reconstruction_;
  ElboOptions options_;
  double weight_ = 1;  // share of beta that this step has
  double target_ = 1;  // share of the capacity
};

}  // namespace hourglass
