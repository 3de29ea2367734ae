#include "hourglass/models/variational_autoencoder.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/models/negative_elbo.hpp"
#include "hourglass/models/symmetric.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

using LinearD = hg::Linear<hg::Dynamic, hg::Dynamic, double>;

auto small_vae(std::uint64_t seed) {
  hg::VariationalAutoencoder model{hg::Sequential{LinearD{6, 5}, hg::Tanh{}, LinearD{5, 4}},
                                   hg::Sequential{LinearD{2, 5}, hg::Tanh{}, LinearD{5, 6}, hg::Sigmoid{}}};
  hg::Rng rng{seed};
  hg::initialize(model, rng);
  return model;
}

hg::Matrix<double> pixels(hg::Index rows, hg::Index cols) {
  hg::Matrix<double> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

}  // namespace

TEST_CASE("gradient check of the negative ELBO: losses, betas, the same draws at every call") {
  const auto x = pixels(7, 6);
  const auto check = [&](const auto& loss) {
    return model_gradcheck(small_vae(1), x, [&](const auto& model, auto& workspace) {
      hg::Rng draws{9};
      return loss(model.forward(x, workspace, hg::Training{draws}), x, workspace).loss;
    });
  };
  CHECK(check(hg::NegativeELBO{hg::BCELoss{}}) == "");
  CHECK(check(hg::NegativeELBO{hg::BCELoss{}, 4.0}) == "");
  CHECK(check(hg::NegativeELBO{hg::MSELoss{}, 0.0}) == "");
}

TEST_CASE("a reconstruction loss alone leaves no gradient of an earlier KL term behind") {
  const auto x = pixels(7, 6);
  CHECK(model_gradcheck(small_vae(1), x, [&](const auto& model, auto& workspace) {
          hg::Rng draws{9};
          (void)hg::NegativeELBO{hg::BCELoss{}}(model.forward(x, workspace, hg::Training{draws}), x, workspace);
          hg::Rng again{9};
          return hg::MSELoss{}(model.forward(x, workspace, hg::Training{again}), x, workspace);
        }) == "");
}

TEST_CASE("terms: sum over features, mean over the batch, beta, and the closed form of KL") {
  auto model = small_vae(2);
  const auto x = pixels(5, 6);
  hg::Workspace workspace{model, 5};
  const auto output = model.forward(x, workspace);
  const auto terms = hg::NegativeELBO{hg::BCELoss{}, 3.0}.value(output, x, workspace);
  CHECK(terms.reconstruction == doctest::Approx(6 * hg::BCELoss{}(output, x)));
  const auto posterior = model.encode(x);
  const double kl =
      (-0.5 * (1 + posterior.logvar.array() - posterior.mu.array().square() - posterior.logvar.array().exp())).sum() /
      5;
  CHECK(terms.kl == doctest::Approx(kl));
  CHECK(terms.loss == doctest::Approx(terms.reconstruction + 3 * kl));
  CHECK(terms.clamped_logvars == 0);
  const auto same = hg::NegativeELBO{hg::BCELoss{}, 3.0}(output, x, workspace);
  CHECK(same.loss == terms.loss);
  CHECK_THROWS_AS((hg::NegativeELBO{hg::BCELoss{}, -1.0}), hg::DataError);
  CHECK_THROWS_AS((hg::NegativeELBO{hg::BCELoss{}, std::nan("")}), hg::DataError);
}

TEST_CASE("modes: inference decodes the mean, sampling and training draw around it") {
  auto model = small_vae(3);
  const auto x = pixels(4, 6);
  hg::Workspace workspace{model, 4};
  CHECK(model.forward(x, workspace) == model.decode(model.encode(x).mu));
  CHECK(model.reconstruct(x) == model.decode(model.encode_to_latent(x)));
  hg::Rng a{1}, b{1};
  const hg::Matrix<double> sampled = model.forward(x, workspace, hg::Sampling{a});
  CHECK(sampled != model.reconstruct(x));
  CHECK(sampled == model.forward(x, workspace, hg::Training{b}));
}

TEST_CASE("reparameterize draws from the posterior") {
  const auto model = small_vae(4);
  hg::Posterior<double> posterior{hg::Matrix<double>(20000, 2), hg::Matrix<double>(20000, 2)};
  posterior.mu.col(0).setConstant(1.5);
  posterior.mu.col(1).setConstant(-2);
  posterior.logvar.col(0).setConstant(std::log(4.0));
  posterior.logvar.col(1).setConstant(std::log(0.25));
  hg::Rng rng{5};
  const auto z = model.reparameterize(posterior, rng);
  const double standard_error = 1 / std::sqrt(20000.0);
  CHECK(std::abs(z.col(0).mean() - 1.5) < 5 * 2 * standard_error);
  CHECK(std::abs(z.col(1).mean() + 2) < 5 * 0.5 * standard_error);
  CHECK((z.col(0).array() - 1.5).square().mean() == doctest::Approx(4).epsilon(0.05));
  CHECK((z.col(1).array() + 2).square().mean() == doctest::Approx(0.25).epsilon(0.05));
  const auto x = pixels(3, 6);
  CHECK(model.encode_to_latent(x, rng).cols() == 2);
  posterior.logvar = hg::Matrix<double>(3, 2);
  CHECK_THROWS_AS((void)model.reparameterize(posterior, rng), hg::ShapeError);
}

TEST_CASE("runaway log-variances are clamped, counted and get no gradient") {
  auto model = small_vae(5);
  model.encoder().layer<2>().bias() << 0, 0, 500, -500;  // two means, two log-variances
  const auto x = pixels(3, 6);
  hg::Workspace workspace{model, 3};
  hg::Rng rng{1};
  const auto output = model.forward(x, workspace, hg::Training{rng});
  const auto terms = hg::NegativeELBO{hg::BCELoss{}}(output, x, workspace);
  CHECK(terms.clamped_logvars == 6);
  CHECK(std::isfinite(terms.loss));
  model.backward(x, workspace);
  for (const double g : flat_gradients(model, workspace)) CHECK(std::isfinite(g));
  // Only the lower bound here: beside e^20 in the value, central differences would see nothing else.
  model.encoder().layer<2>().bias() << 0, 0, -500, -500;
  CHECK(model_gradcheck(model, x, [&](const auto& m, auto& w) {
          hg::Rng draws{1};
          return hg::NegativeELBO{hg::BCELoss{}}(m.forward(x, w, hg::Training{draws}), x, w).loss;
        }) == "");
}

TEST_CASE("samples from the prior are reproducible") {
  const auto model = small_vae(6);
  hg::Rng a{1}, b{1};
  const auto first = model.sample(9, a);
  CHECK(first.rows() == 9);
  CHECK(first.cols() == 6);
  CHECK(first == model.sample(9, b));
  CHECK(first != model.sample(9, b));
  CHECK(model.sample(0, a).rows() == 0);
}

TEST_CASE("widths that make no variational autoencoder are refused") {
  CHECK_THROWS_WITH_AS((hg::VariationalAutoencoder{hg::Linear{6, 5}, hg::Linear{2, 6}}),
                       doctest::Contains("gives 5 features"), hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::VariationalAutoencoder{hg::Linear{6, 4}, hg::Linear{4, 6}}),
                       doctest::Contains("a code of 2 features, the decoder expects 4"), hg::ShapeError);
}

TEST_CASE("a training pass has the same bits on any number of threads") {
  auto model = hg::symmetric_variational_autoencoder({200, 150, 10});
  hg::Rng rng{1};
  hg::initialize(model, rng);
  const hg::Matrix<float> x = hg::Matrix<float>::Constant(260, 200, 0.25f);
  std::vector<std::vector<float>> results;
  const int before = hg::num_threads();
  for (const int threads : {1, 2, 5}) {
    hg::set_num_threads(threads);
    hg::Workspace workspace{model, 260};
    hg::Rng draws{2};
    (void)hg::NegativeELBO{hg::BCELoss{}}(model.forward(x, workspace, hg::Training{draws}), x, workspace);
    model.backward(x, workspace);
    const auto values = workspace.gradients().values();
    results.emplace_back(values.begin(), values.end());
  }
  hg::set_num_threads(before);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("inference in a workspace gives what it gives without one") {
  auto model = hg::symmetric_variational_autoencoder({200, 150, 10});
  hg::Rng rng{1};
  hg::initialize(model, rng);
  hg::Matrix<float> x(70, 200);
  rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  hg::Workspace workspace{model, 70, hg::Purpose::inference};
  const auto posterior = model.encode(x);
  CHECK(model.encode(x, workspace).leftCols(10) == posterior.mu);
  CHECK(model.encode(x, workspace).rightCols(10) == posterior.logvar);
  CHECK(model.decode(posterior.mu, workspace) == model.decode(posterior.mu));
  CHECK(model.reconstruct(x, workspace) == model.reconstruct(x));
  hg::Rng a{4}, b{4};
  CHECK(model.sample(12, a, workspace) == model.sample(12, b));
  CHECK_THROWS_WITH_AS(model.sample(71, a, workspace), doctest::Contains("71 rows, room for 70"), hg::ShapeError);
}
