#include "hourglass/models/importance_weighted_bound.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/loss/bce_with_logits.hpp"
#include "hourglass/loss/fixed_gaussian.hpp"
#include "hourglass/loss/learned_gaussian.hpp"
#include "hourglass/models/importance_weighted_autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/adam.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

using LinearD = hg::Linear<hg::Dynamic, hg::Dynamic, double>;

/// 6 features, 3 latent dimensions.
template <class... Last>
auto small_model(hg::Index samples, hg::Index out, Last... last) {
  hg::ImportanceWeightedAutoencoder model{hg::Sequential{LinearD{6, 5}, hg::Tanh{}, LinearD{5, 6}},
                                          hg::Sequential{LinearD{3, 5}, hg::Tanh{}, LinearD{5, out}, last...}, samples};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  return model;
}

template <class Scalar = double>
hg::Matrix<Scalar> bits(hg::Index rows, hg::Index cols = 6) {
  hg::Matrix<Scalar> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())));
  return x.array().round();
}

template <class Model, class Loss>
std::string check(const Model& model, const Loss& loss) {
  const auto x = bits(7);
  hg::Workspace workspace{model, 7};
  const auto shares = [&](const auto& m, auto& w) {
    hg::Rng draws{9};
    return loss(m.forward(x, w, hg::Training{draws}), x, w).loss;
  };
  return model_gradcheck(model, x, shares);
}

}  // namespace

TEST_CASE("gradient checks through all k draws: Bernoulli and Gaussian decoders") {
  for (const hg::Index samples : {1, 4}) {
    CHECK(check(small_model(samples, 6, hg::Sigmoid{}), hg::ImportanceWeightedBound{}) == "");
    CHECK(check(small_model(samples, 6), hg::ImportanceWeightedBound{hg::BCEWithLogitsLoss{}}) == "");
    CHECK(check(small_model(samples, 12), hg::ImportanceWeightedBound{hg::LearnedGaussianLoss{}}) == "");
  }
  CHECK(check(small_model(3, 6), hg::ImportanceWeightedBound{hg::FixedGaussianLoss{.sigma = 0.5}}) == "");
  auto runaway = small_model(3, 6, hg::Sigmoid{});
  runaway.encoder().layer<2>().bias() << 0, 0, 0, -500, 1, -500;
  CHECK(check(runaway, hg::ImportanceWeightedBound{}) == "");
}

TEST_CASE("probabilities and logits are the same model, fused or not") {
  const auto probabilities = small_model(4, 6, hg::Sigmoid{});
  const auto logits = small_model(4, 6);
  const auto x = bits(7);
  hg::Workspace a{probabilities, 7};
  hg::Workspace b{logits, 7};
  hg::Rng draws{3}, again{3};
  const auto first = hg::ImportanceWeightedBound{}(probabilities.forward(x, a, hg::Training{draws}), x, a);
  const auto second =
      hg::ImportanceWeightedBound{hg::BCEWithLogitsLoss{}}(logits.forward(x, b, hg::Training{again}), x, b);
  CHECK(first.loss == doctest::Approx(second.loss));
  probabilities.backward(x, a);
  logits.backward(x, b);
  const auto g = flat_gradients(probabilities, a);
  const auto h = flat_gradients(logits, b);
  for (std::size_t i = 0; i < g.size(); ++i) CHECK(g[i] == doctest::Approx(h[i]));
}

TEST_CASE("k = 1 is the ELBO with a sampled KL, k draws the log of a mean") {
  const auto model = small_model(3, 6, hg::Sigmoid{});
  const auto x = bits(5);
  hg::Workspace workspace{model, 5};
  hg::Rng draws{3}, again{3};
  const hg::Matrix<double> output = model.forward(x, workspace, hg::Training{draws});
  CHECK(output.cols() == 18);
  const auto terms = hg::ImportanceWeightedBound{}.value(output, x, workspace);
  hg::Matrix<double> noise(15, 3);
  again.fill_normal(std::span<double>(noise.data(), 45));
  const auto posterior = model.encode(x);
  double loss = 0, reconstruction = 0, kl = 0;
  for (hg::Index row = 0; row < 5; ++row) {
    double sum = 0;
    for (hg::Index i = 0; i < 3; ++i) {
      const hg::Matrix<double> e = noise.row(3 * row + i);
      const hg::Matrix<double> deviation = (0.5 * posterior.logvar.row(row).array()).exp();
      const hg::Matrix<double> z = posterior.mu.row(row).array() + deviation.array() * e.array();
      const hg::Matrix<double> y = model.decode(z);
      const double log_p =
          (x.row(row).array() * y.array().log() + (1 - x.row(row).array()) * (1 - y.array()).log()).sum();
      const double log_q = (-0.5 * e.array().square() - deviation.array().log()).sum();  // less (log 2 pi) / 2 each
      const double log_prior = (-0.5 * z.array().square()).sum();
      sum += std::exp(log_p + log_prior - log_q) / 3;
      reconstruction -= log_p / 15;
      kl += (log_q - log_prior) / 15;
    }
    loss -= std::log(sum) / 5;
  }
  CHECK(terms.loss == doctest::Approx(loss));
  CHECK(terms.reconstruction == doctest::Approx(reconstruction));
  CHECK(terms.kl == doctest::Approx(kl));
  CHECK(terms.loss < terms.reconstruction + terms.kl);

  const auto one = small_model(1, 6, hg::Sigmoid{});
  hg::Workspace single{one, 5};
  const auto elbo = hg::ImportanceWeightedBound{}.value(one.forward(x, single, hg::Training{draws}), x, single);
  CHECK(elbo.loss == doctest::Approx(elbo.reconstruction + elbo.kl));
  CHECK(single.cache().weights(0, 0) == 1);
}

TEST_CASE("the bound rises with k, and with k = 1 the sampled KL averages to the closed form") {
  const auto x = bits(400);
  std::vector<double> losses;
  for (const hg::Index samples : {1, 2, 8, 64}) {
    const auto model = small_model(samples, 6, hg::Sigmoid{});
    hg::Workspace workspace{model, 400, hg::Purpose::inference};
    hg::Rng draws{4};
    const auto terms =
        hg::ImportanceWeightedBound{}.value(model.forward(x, workspace, hg::Sampling{draws}), x, workspace);
    losses.push_back(terms.loss);
    CHECK(terms.kl == doctest::Approx(hg::NegativeELBO{}.value(model.reconstruct(x), x, workspace).kl).epsilon(0.1));
  }
  CHECK(losses[1] < losses[0]);
  CHECK(losses[2] < losses[1]);
  CHECK(losses[3] < losses[2]);
}

TEST_CASE("far likelihoods neither overflow nor vanish") {
  const auto model = small_model(3, 6);
  const hg::Matrix<double> x = 100 * bits(4);
  hg::Workspace workspace{model, 4};
  hg::Rng draws{4};
  const auto terms = hg::ImportanceWeightedBound{hg::FixedGaussianLoss{.sigma = 1e-2}}(
      model.forward(x, workspace, hg::Training{draws}), x, workspace);
  CHECK(std::isfinite(terms.loss));
  CHECK(terms.loss > 1e6);
  model.backward(x, workspace);
  for (const double g : flat_gradients(model, workspace)) CHECK(std::isfinite(g));
}

TEST_CASE("a step has the same bits on any number of threads, fused or not") {
  const auto x = bits<float>(60, 90);
  const auto train = [&](int threads, bool fused) {
    const int before = hg::num_threads();
    hg::set_num_threads(threads);
    hg::ImportanceWeightedAutoencoder model{
        hg::Sequential{hg::Linear{90, 80}, hg::Tanh{}, hg::Linear{80, 20}},
        hg::Sequential{hg::Linear{10, 80}, hg::Tanh{}, hg::Linear{80, 90}, hg::Sigmoid{}}, 12};
    hg::Rng rng{1};
    hg::initialize(model, rng);
    hg::Workspace workspace{model, 60};
    hg::Adam<> optimizer{};
    for (int step = 0; step < 2; ++step) {
      (void)hg::ImportanceWeightedBound{}(model.forward(x, workspace, hg::Training{rng}), x, workspace);
      if (fused) {
        model.backward(x, workspace, optimizer);
      } else {
        model.backward(x, workspace);
        optimizer.step(model, workspace);
      }
    }
    hg::set_num_threads(before);
    std::vector<float> weights;
    hg::for_each_parameter(
        model, [&](const auto&, auto& p) { weights.insert(weights.end(), p.values().begin(), p.values().end()); });
    return weights;
  };
  const auto expected = train(1, true);
  CHECK(train(2, true) == expected);
  CHECK(train(5, false) == expected);
}

TEST_CASE("errors") {
  const auto model = small_model(2, 6);
  const auto x = bits(3);
  hg::Workspace workspace{model, 3};
  const auto output = model.forward(x, workspace);
  CHECK_THROWS_WITH_AS(hg::ImportanceWeightedBound{}(output, x, workspace), doctest::Contains("outside [0, 1]"),
                       hg::DataError);
  CHECK_THROWS_WITH_AS(hg::ImportanceWeightedBound{hg::LearnedGaussianLoss{}}(output, x, workspace),
                       doctest::Contains("2 samples"), hg::ShapeError);
  CHECK_THROWS_AS((hg::ImportanceWeightedBound{hg::FixedGaussianLoss{.sigma = -1}}), hg::DataError);
  CHECK_THROWS_AS((hg::ImportanceWeightedAutoencoder{LinearD{6, 4}, LinearD{2, 6}, 0}), hg::ShapeError);
}
