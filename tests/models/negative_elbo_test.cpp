#include "hourglass/models/negative_elbo.hpp"

#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <span>

#include "hourglass/core/threads.hpp"
#include "hourglass/loss/fixed_gaussian.hpp"
#include "hourglass/loss/learned_gaussian.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/loss/optimal_gaussian.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/learned_variance.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/adam.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

using LinearD = hg::Linear<hg::Dynamic, hg::Dynamic, double>;

/// 6 features, 3 latent dimensions, `out` numbers from the decoder.
auto small_vae(hg::Index out = 6) {
  hg::VariationalAutoencoder model{hg::Sequential{LinearD{6, 5}, hg::Tanh{}, LinearD{5, 6}},
                                   hg::Sequential{LinearD{3, 5}, hg::Tanh{}, LinearD{5, out}}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  return model;
}

hg::Matrix<double> inputs(hg::Index rows) {
  hg::Matrix<double> x(rows, 6);
  hg::Rng{8}.fill_uniform(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

template <class Model, class Loss>
std::string check(const Model& model, const Loss& loss) {
  const auto x = inputs(7);
  return model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
    hg::Rng draws{9};
    return loss(m.forward(x, workspace, hg::Training{draws}), x, workspace).loss;
  });
}

template <class Loss>
auto terms_of(const Loss& loss) {
  const auto model = small_vae();
  const auto x = inputs(7);
  hg::Workspace workspace{model, 7};
  hg::Rng draws{9};
  return loss(model.forward(x, workspace, hg::Training{draws}), x, workspace);
}

}  // namespace

TEST_CASE("gradient checks: warm-up, free bits, capacity from either side, all at once") {
  hg::NegativeELBO warm{hg::MSELoss{}, {.beta = 4, .warm_up_steps = 10}};
  warm.begin_step(3);
  CHECK(check(small_vae(), warm) == "");
  const double kl = terms_of(warm).kl;
  CHECK(kl > 0.1);
  CHECK(check(small_vae(), hg::NegativeELBO{hg::MSELoss{}, {.free_bits = kl / 3}}) == "");
  CHECK(check(small_vae(), hg::NegativeELBO{hg::MSELoss{}, {.beta = 9, .capacity = 0.5 * kl}}) == "");
  CHECK(check(small_vae(), hg::NegativeELBO{hg::MSELoss{}, {.beta = 9, .capacity = 2 * kl}}) == "");
  hg::NegativeELBO all{hg::MSELoss{},
                       {.beta = 9, .warm_up_steps = 10, .free_bits = kl / 3, .capacity = 4 * kl, .capacity_steps = 8}};
  all.begin_step(2);
  CHECK(check(small_vae(), all) == "");
}

TEST_CASE("gradient checks of Gaussian decoders") {
  CHECK(check(small_vae(), hg::NegativeELBO{hg::FixedGaussianLoss{.sigma = 0.4}}) == "");
  CHECK(check(small_vae(), hg::NegativeELBO{hg::OptimalGaussianLoss{}}) == "");
  CHECK(check(small_vae(12), hg::NegativeELBO{hg::LearnedGaussianLoss{}}) == "");
  hg::VariationalAutoencoder model{LinearD{6, 4},
                                   hg::Sequential{LinearD{2, 6}, hg::LearnedVariance<double>{6, {.shared = true}}}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  CHECK(check(model, hg::NegativeELBO{hg::LearnedGaussianLoss{}}) == "");
}

TEST_CASE("what the options do to the loss; its parts stay as they are") {
  const auto plain = terms_of(hg::NegativeELBO{hg::MSELoss{}});
  const double rec = plain.reconstruction;
  hg::NegativeELBO warm{hg::MSELoss{}, {.beta = 4, .warm_up_steps = 10}};
  CHECK(terms_of(warm).loss == doctest::Approx(rec + 4 * plain.kl));  // before the first step: fully grown
  for (const auto& [step, weight] : {std::pair{0, 0.0}, {1, 0.4}, {5, 2.0}, {10, 4.0}, {1000, 4.0}}) {
    warm.begin_step(step);
    CHECK(terms_of(warm).loss == doctest::Approx(rec + weight * plain.kl));
    CHECK(terms_of(warm).kl == plain.kl);
  }
  hg::NegativeELBO capacity{hg::MSELoss{}, {.beta = 7, .capacity = 5, .capacity_steps = 10}};
  for (const auto& [step, target] : {std::pair{0, 0.0}, {4, 2.0}, {11, 5.0}}) {
    capacity.begin_step(step);
    CHECK(terms_of(capacity).loss == doctest::Approx(rec + 7 * std::abs(plain.kl - target)));
  }
  const auto floored = terms_of(hg::NegativeELBO{hg::MSELoss{}, {.beta = 2, .free_bits = 10}});
  CHECK(floored.loss == doctest::Approx(rec + 2 * 30));
  CHECK(floored.kl == doctest::Approx(plain.kl));
}

TEST_CASE("validation does not depend on the step") {
  const auto model = small_vae();
  const auto x = inputs(7);
  hg::Workspace workspace{model, 7};
  const auto output = model.forward(x, workspace);
  hg::NegativeELBO loss{hg::MSELoss{}, {.beta = 3, .warm_up_steps = 10, .capacity = 100, .capacity_steps = 10}};
  const auto before = loss.value(output, x, workspace);
  loss.begin_step(1);
  CHECK(loss.value(output, x, workspace).loss == before.loss);
  CHECK(loss(output, x, workspace).loss != before.loss);
  loss.begin_step(10);
  CHECK(loss(output, x, workspace).loss == doctest::Approx(before.loss));
  CHECK(before.loss == doctest::Approx(before.reconstruction + 3 * (100 - before.kl)));
}

TEST_CASE("options out of range are refused") {
  CHECK_THROWS_WITH_AS((hg::NegativeELBO{hg::MSELoss{}, {.free_bits = -1}}), doctest::Contains("free_bits"),
                       hg::DataError);
  CHECK_THROWS_AS((hg::NegativeELBO{hg::MSELoss{}, {.warm_up_steps = -1}}), hg::DataError);
  CHECK_THROWS_AS((hg::NegativeELBO{hg::MSELoss{}, {.capacity = std::nan("")}}), hg::DataError);
  CHECK_THROWS_AS((hg::NegativeELBO{hg::MSELoss{}, {.capacity_steps = -3}}), hg::DataError);
}

TEST_CASE("a decoder that gives variances: reconstruct, decode and sample give means") {
  const auto model = small_vae(12);
  CHECK(model.gives_variance());
  CHECK(!small_vae().gives_variance());
  const auto x = inputs(5);
  hg::Workspace workspace{model, 5};
  const hg::Matrix<double> both = model.forward(x, workspace);
  CHECK(both.cols() == 12);
  CHECK(model.reconstruct(x) == both.leftCols(6));
  CHECK(model.decode(model.encode(x).mu) == both.leftCols(6));
  hg::Rng rng{1};
  CHECK(model.sample(3, rng).cols() == 6);
}

// The ELBO of a linear VAE has no optimum but that of the likelihood, which is probabilistic PCA's: J. Lucas, G.
// Tucker, R. Grosse, M. Norouzi, "Don't blame the ELBO", 2019; M. Tipping, C. Bishop, "Probabilistic PCA", 1999.
TEST_CASE("a linear VAE reaches the likelihood of probabilistic PCA") {
  constexpr hg::Index rows = 400, features = 6, latent = 2;
  hg::Rng rng{2};
  hg::Matrix<double> factors(rows, latent);
  hg::Matrix<double> x(rows, features);
  rng.fill_normal(std::span<double>(factors.data(), rows * latent));
  rng.fill_normal(std::span<double>(x.data(), rows * features), 0.0, 0.3);
  const hg::Matrix<double> loadings{{2, 1, 0, -1, 0, 1}, {0, 0.5, 1, 0.5, -0.5, 0}};
  x += (factors * loadings).eval();
  x.rowwise() -= x.colwise().mean().eval();
  const Eigen::MatrixXd covariance = x.transpose() * x / double(rows);
  const Eigen::VectorXd eigenvalues = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(covariance).eigenvalues();
  const double noise = eigenvalues.head(features - latent).mean();
  const double likelihood = -0.5 * (features * std::log(2 * M_PI) + eigenvalues.tail(latent).array().log().sum() +
                                    double(features - latent) * std::log(noise) + double(features));

  hg::VariationalAutoencoder model{
      LinearD{features, 2 * latent},
      hg::Sequential{LinearD{latent, features}, hg::LearnedVariance<double>{features, {.shared = true}}}};
  hg::initialize(model, rng);
  hg::Workspace workspace{model, rows};
  const hg::NegativeELBO loss{hg::LearnedGaussianLoss{}};
  for (const double lr : {1e-2, 1e-3}) {
    hg::Adam<double> optimizer{{.lr = lr}};
    for (int step = 0; step < 1500; ++step) {
      (void)loss(model.forward(x, workspace, hg::Training{rng}), x, workspace);
      model.backward(x, workspace, optimizer);
    }
  }
  double elbo = 0;
  for (int draw = 0; draw < 300; ++draw)
    elbo -= loss.value(model.forward(x, workspace, hg::Sampling{rng}), x, workspace).loss / 300;
  CHECK(elbo == doctest::Approx(likelihood).epsilon(0.002));  // within 0.01 nats; without the factors it is 3 below
  CHECK(std::exp(model.decoder().layer<1>().logvar()[0]) == doctest::Approx(noise).epsilon(0.05));
}
