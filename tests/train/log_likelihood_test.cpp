#include "hourglass/train/log_likelihood.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <cmath>
#include <span>
#include <vector>

#include "hourglass/loss/bce_with_logits.hpp"
#include "hourglass/loss/fixed_gaussian.hpp"
#include "hourglass/loss/learned_gaussian.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"

namespace hg = hourglass;

namespace {

hg::Matrix<float> bits(hg::Index rows, hg::Index cols) {
  hg::Matrix<float> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  return x.array().round();
}

}  // namespace

TEST_CASE("a linear Gaussian model: the estimate meets log N(x; b, W W^T + sigma^2 I)") {
  constexpr hg::Index features = 5, latent = 2, rows = 40;
  constexpr double sigma = 0.5;
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::VariationalAutoencoder model{Linear{features, 2 * latent}, Linear{latent, features}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  const Eigen::MatrixXd w = model.decoder().weight();
  const Eigen::VectorXd b = model.decoder().bias().transpose();
  // The encoder has the mean of the posterior, but a diagonal covariance that is somewhat too wide.
  const Eigen::MatrixXd precision = Eigen::MatrixXd::Identity(latent, latent) + w.transpose() * w / (sigma * sigma);
  const Eigen::MatrixXd gain = precision.inverse() * w.transpose() / (sigma * sigma);
  model.encoder().weight().setZero();
  model.encoder().weight().topRows(latent) = gain;
  model.encoder().bias() << hg::Matrix<double>((-gain * b).transpose()), 0, 0;
  for (hg::Index j = 0; j < latent; ++j)
    model.encoder().bias()(0, latent + j) = std::log(1.3 * precision.inverse()(j, j));

  hg::Matrix<double> x(rows, features);
  rng.fill_normal(std::span<double>(x.data(), rows * features));
  const Eigen::MatrixXd covariance = w * w.transpose() + sigma * sigma * Eigen::MatrixXd::Identity(features, features);
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  const double log_determinant = 2 * Eigen::MatrixXd(factor.matrixL()).diagonal().array().log().sum();
  const hg::FixedGaussianLoss loss{.sigma = sigma};
  const auto estimates = hg::log_likelihoods(model, x, loss, rng, 20000);
  double mean = 0;
  for (hg::Index i = 0; i < rows; ++i) {
    const Eigen::VectorXd difference = x.row(i).transpose() - b;
    const double exact =
        -0.5 * (features * std::log(2 * M_PI) + log_determinant + difference.dot(factor.solve(difference)));
    // The weights vary by less than themselves: 5 standard errors of 20000 draws.
    CHECK(estimates[static_cast<std::size_t>(i)] ==
          doctest::Approx(exact).epsilon(5 / std::sqrt(20000.0) / std::abs(exact)));
    mean += exact / rows;
  }
  CHECK(std::abs(hg::log_likelihood(model, x, loss, rng, 5000) - mean) < 0.01);
  CHECK(hg::log_likelihood(model, x, loss, rng, 1) < mean);  // one draw: the ELBO
}

TEST_CASE("estimates have the same bits on any number of threads, and do not depend on each other") {
  hg::VariationalAutoencoder model{hg::Sequential{hg::Linear{30, 20}, hg::Tanh{}, hg::Linear{20, 10}},
                                   hg::Sequential{hg::Linear{5, 20}, hg::Tanh{}, hg::Linear{20, 30}, hg::Sigmoid{}}};
  hg::Rng init{1};
  hg::initialize(model, init);
  const auto x = bits(530, 30);  // more than are encoded at a time
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  hg::Rng rng{2};
  const auto expected = hg::log_likelihoods(model, x, hg::BCELoss{}, rng, 150);
  for (const int threads : {2, 5}) {
    hg::set_num_threads(threads);
    hg::Rng again{2};
    CHECK(hg::log_likelihoods(model, x, hg::BCELoss{}, again, 150) == expected);
  }
  hg::set_num_threads(before);
  hg::Rng again{2};
  const auto first = hg::log_likelihoods(model, hg::Samples(x).topRows(7), hg::BCELoss{}, again, 150);
  CHECK(first == std::vector<double>(expected.begin(), expected.begin() + 7));
  CHECK(again.state() == rng.state());
  CHECK(hg::log_likelihoods(model, x.topRows(7), hg::BCELoss{}, again, 150) != first);  // new draws

  hg::VariationalAutoencoder logits{hg::Sequential{hg::Linear{30, 20}, hg::Tanh{}, hg::Linear{20, 10}},
                                    hg::Sequential{hg::Linear{5, 20}, hg::Tanh{}, hg::Linear{20, 30}}};
  hg::Rng same{1};
  hg::initialize(logits, same);
  hg::Rng draws{2};
  const auto from_logits = hg::log_likelihoods(logits, x, hg::BCEWithLogitsLoss{}, draws, 150);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(from_logits[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

TEST_CASE("errors") {
  hg::VariationalAutoencoder model{hg::Linear{30, 10}, hg::Linear{5, 30}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  const auto x = bits(3, 30);
  CHECK_THROWS_WITH_AS((void)hg::log_likelihoods(model, x, hg::BCELoss{}, rng, 10),
                       doctest::Contains("sample 0 has log-likelihood"), hg::DataError);
  CHECK_THROWS_AS((void)hg::log_likelihood(model, x, hg::BCELoss{}, rng, 0), hg::DataError);
  CHECK_THROWS_AS((void)hg::log_likelihood(model, x.leftCols(29), hg::BCELoss{}, rng), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::log_likelihood(model, hg::Samples{}, hg::BCELoss{}, rng), hg::DataError);
  CHECK_THROWS_WITH_AS((void)hg::log_likelihood(model, x, hg::LearnedGaussianLoss{}, rng),
                       doctest::Contains("LearnedGaussianLoss needs 60"), hg::ShapeError);
}
