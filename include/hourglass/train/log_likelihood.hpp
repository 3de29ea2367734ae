// Log-likelihood of a model with latent variables, by importance sampling from its encoder:
//     log p(x) ~ log 1/S sum_i w_i,   w_i = p(x|z_i) p(z_i) / q(z_i|x),   z_1 ... z_S ~ q(z|x).
//
// The estimate is biased downwards, by about the variance of w / (2 S); with S = 5000 it is the number that papers on
// generative models report. D. Rezende, S. Mohamed, D. Wierstra, "Stochastic backpropagation", 2014, appendix E.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/rows.hpp"
#include "hourglass/models/importance_weighted_bound.hpp"
#include "hourglass/models/reparameterize.hpp"
#include "hourglass/nn/apply.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/train/evaluate.hpp"

namespace hourglass {

namespace detail {

/// Latent variables that are decoded at a time: their activations stay in a processor's own cache.
inline constexpr Index likelihood_rows = 128;
/// Samples of the data set that are encoded at a time.
inline constexpr Index likelihood_block = 512;

/// log sum_i e^x_i of numbers that come one after another.
class LogSumExp {
 public:
  void add(double x) noexcept {
    if (x > largest_) {
      sum_ *= std::exp(largest_ - x);
      largest_ = x;
    }
    sum_ += std::exp(x - largest_);
  }
  [[nodiscard]] double value() const noexcept { return largest_ + std::log(sum_); }

 private:
  double largest_ = -std::numeric_limits<double>::infinity();
  double sum_ = 0;
};

/// Estimates for single samples, with buffers of its own.
template <class Decoder, class Loss, class Scalar>
class LikelihoodEstimator {
 public:
  LikelihoodEstimator(const Decoder& decoder, const Loss& loss, Index latent, Index condition)
      : decoder_{decoder},
        loss_{loss},
        noise_(likelihood_rows, latent),
        latent_(likelihood_rows, latent + condition),
        cache_(plan<Scalar>(decoder, likelihood_rows, latent + condition, Purpose::inference)) {}

  /// log p(x) of one sample of `features`, behind which its condition stands, and whose posterior is (1, 2 latent).
  double operator()(const Scalar* x, Index features, const ConstMatrixView<Scalar>& posterior, Index samples, Rng rng) {
    const Index latent = noise_.cols();
    for (Index i = 0; i < latent_.rows(); ++i)
      std::copy_n(x + features, latent_.cols() - latent, latent_.data() + i * latent_.cols() + latent);
    LogSumExp total;
    for (Index first = 0; first < samples; first += likelihood_rows) {
      const Index rows = std::min(likelihood_rows, samples - first);
      MatrixView<Scalar> noise = first_rows(noise_, rows);
      const MatrixView<Scalar> z = first_rows(latent_, rows);
      rng.fill_normal(std::span<Scalar>(noise.data(), static_cast<std::size_t>(noise.size())));
      reparameterize<Scalar>(posterior, noise, z, rows);
      const auto output = propagate<Scalar>(decoder_, ConstMatrixView<Scalar>(z), cache_, Inference{}, {0, rows});
      for (Index i = 0; i < rows; ++i)
        total.add(
            latent_log_ratio(latent, posterior.data() + latent, noise.data() + i * latent, z.data() + i * z.cols()) -
            row_sum<Scalar>(loss_, output.data() + i * output.cols(), x, features));
    }
    return total.value() - std::log(static_cast<double>(samples));
  }

 private:
  const Decoder& decoder_;
  const Loss& loss_;
  Matrix<Scalar> noise_;   // (likelihood_rows, latent)
  Matrix<Scalar> latent_;  // (likelihood_rows, latent + condition)
  typename CacheOf<Scalar, Decoder>::type cache_;
};

}  // namespace detail

/// An estimate of log p(x) for every sample of `data`, from `samples` draws of z each, by a VariationalAutoencoder or
/// an ImportanceWeightedAutoencoder. The terms of `loss` are those of -log p(x|z): BCELoss, BCEWithLogitsLoss,
/// FixedGaussianLoss or LearnedGaussianLoss; its reduction does not matter. Binarise grey images before.
///
/// Draws for different samples come from streams of their own, so that an estimate depends neither on the number of
/// threads nor on how many other samples there are. Memory stays bounded. Throws DataError for an empty data set, fewer
/// than 1 draw, or values that the loss refuses, and ShapeError for the wrong number of features.
template <class Model, RowwiseLoss Loss>
[[nodiscard]] std::vector<double> log_likelihoods(const Model& model, const Samples& data, const Loss& loss, Rng& rng,
                                                  Index samples = 5000) {
  using Scalar = typename Model::Scalar;
  using Decoder = std::remove_cvref_t<decltype(model.decoder())>;
  detail::check_samples("log_likelihoods", model, data);
  if (samples < 1)
    throw DataError(detail::message("log_likelihoods: ", samples, " draws for each sample; at least 1 is needed"));
  if constexpr (requires { loss.check_options(); }) loss.check_options();
  const Index latent = model.latent_features();
  const Index condition = [&] {
    if constexpr (requires { model.classes(); })
      return model.classes();
    else
      return Index{0};
  }();
  const Index features = data.cols() - condition;
  const Index width = detail::out_features(model.decoder(), latent + condition);
  if (width != detail::row_width(loss, features))
    throw ShapeError(detail::message("log_likelihoods: the decoder gives ", width, " features, ", Loss::name, " needs ",
                                     detail::row_width(loss, features), " for ", features,
                                     " in the data; choose the loss that the model was trained on"));

  const Rng::State base = rng.split().state();
  const auto parts = static_cast<Index>(std::min<Index>(num_threads(), data.rows()));
  std::vector<detail::LikelihoodEstimator<Decoder, Loss, Scalar>> estimators;
  for (Index part = 0; part < parts; ++part) estimators.emplace_back(model.decoder(), loss, latent, condition);
  std::vector<double> result(static_cast<std::size_t>(data.rows()));
  for (Index first = 0; first < data.rows(); first += detail::likelihood_block) {
    const Index rows = std::min(detail::likelihood_block, data.rows() - first);
    Matrix<Scalar> x(rows, data.cols());
    data.copy_rows(first, MatrixView<Scalar>(x));
    const Matrix<Scalar> posterior = detail::apply(model.encoder(), ConstMatrixView<Scalar>(x));
    parallel_for(parts, static_cast<int>(parts), [&](Index part) {
      for (Index i = rows * part / parts; i < rows * (part + 1) / parts; ++i)
        result[static_cast<std::size_t>(first + i)] = estimators[static_cast<std::size_t>(part)](
            x.data() + i * x.cols(), features, {posterior.data() + i * 2 * latent, 1, 2 * latent}, samples,
            Rng{base.seed, base.stream + static_cast<std::uint64_t>(first + i)});
    });
    for (Index i = 0; i < rows; ++i)
      if (!std::isfinite(result[static_cast<std::size_t>(first + i)]))
        throw DataError(detail::message("log_likelihoods: sample ", first + i, " has log-likelihood ",
                                        result[static_cast<std::size_t>(first + i)], " under ", Loss::name,
                                        "; check the data, and that the decoder gives what this loss expects"));
  }
  return result;
}

/// The mean of log_likelihoods(): minus the NLL that papers report, in nats.
template <class Model, RowwiseLoss Loss>
[[nodiscard]] double log_likelihood(const Model& model, const Samples& data, const Loss& loss, Rng& rng,
                                    Index samples = 5000) {
  const std::vector<double> each = log_likelihoods(model, data, loss, rng, samples);
  return std::accumulate(each.begin(), each.end(), 0.0) / static_cast<double>(each.size());
}

}  // namespace hourglass
