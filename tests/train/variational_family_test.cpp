// fit() and the models of the variational family: each learns, and its report names the terms of its loss.
#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "hourglass/hourglass.hpp"

namespace hg = hourglass;

namespace {

/// Two patterns with noise; the class of a row is its pattern.
hg::Matrix<float> patterns(hg::Index rows) {
  hg::Matrix<float> x(rows, 6);
  hg::Rng rng{5};
  for (hg::Index i = 0; i < rows; ++i)
    for (hg::Index j = 0; j < 6; ++j) x(i, j) = (rng.uniform() < 0.05f) != ((i + j) % 2 == 0) ? 1.0f : 0.0f;
  return x;
}

auto encoder(hg::Index in, hg::Index out) {
  return hg::Sequential{hg::Linear{in, 16}, hg::Tanh{}, hg::Linear{16, out}};
}
auto decoder(hg::Index in) { return hg::Sequential{hg::Linear{in, 16}, hg::Tanh{}, hg::Linear{16, 6}, hg::Sigmoid{}}; }

/// The last report on the data, which must have the given terms and be better than the first one.
template <class Loss, class Optimizer = hg::Adam<>>
hg::LossReport learn(auto& model, const hg::Matrix<float>& data, Loss loss, const std::string& terms,
                     Optimizer&& optimizer = Optimizer{{.lr = 1e-2f}}) {
  hg::Rng rng{1};
  hg::initialize(model, rng);
  const auto history =
      hg::fit(model, data, loss, optimizer, {.epochs = 12, .batch_size = 60, .validation = data, .log = nullptr}, rng);
  const hg::LossReport& last = *history.back().test;
  std::string names;
  for (const auto& [name, value] : last.parts) names += name + ' ';
  CHECK(names == terms);
  CHECK(last.loss < 0.8 * history.front().test->loss);
  return last;
}

}  // namespace

TEST_CASE("fit trains them all") {
  const auto x = patterns(410);  // the last batch is smaller
  hg::ImportanceWeightedAutoencoder weighted{encoder(6, 4), decoder(2), 5};
  const auto bound = learn(weighted, x, hg::ImportanceWeightedBound{}, "reconstruction kl ");
  hg::Rng rng{2};
  const double likelihood = hg::log_likelihood(weighted, x, hg::BCELoss{}, rng, 200);
  CHECK(likelihood > -bound.loss);         // five draws give a lower bound
  CHECK(likelihood < -std::log(2) - 0.5);  // two patterns, and noise
  CHECK(likelihood > -bound.loss - 1);

  hg::ConditionalVariationalAutoencoder conditional{encoder(8, 4), decoder(4), 2};
  std::vector<std::uint8_t> labels(410);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 2);
  const auto rows = hg::condition(x, labels, 2);
  const auto elbo = learn(conditional, rows, hg::NegativeELBO{}, "reconstruction kl ");
  const double given_class = hg::log_likelihood(conditional, rows, hg::BCELoss{}, rng, 200);
  CHECK(given_class > -elbo.loss - 0.05);
  CHECK(given_class > likelihood + 0.4);  // the class is worth log 2

  hg::WassersteinAutoencoder wasserstein{encoder(6, 2), decoder(2)};
  learn(wasserstein, x, hg::WassersteinLoss{hg::BCELoss{}}, "reconstruction mmd ");

  hg::VQAutoencoder quantized{encoder(6, 2), hg::VectorQuantizer{4, 2}, decoder(2)};
  learn(quantized, x, hg::VQLoss{hg::BCELoss{}, {.codebook = 0}}, "reconstruction distance perplexity ",
        hg::CodebookEMA{hg::Adam{{.lr = 1e-2f}}});
}

TEST_CASE("fit tells the loss its steps: the KL term warms up in training and is whole in validation") {
  hg::VariationalAutoencoder model{encoder(6, 4), decoder(2)};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  const auto x = patterns(120);
  const auto history = hg::fit(model, x, hg::NegativeELBO{hg::BCELoss{}, {.warm_up_steps = 1000000}}, hg::Adam<>{},
                               {.epochs = 1, .batch_size = 60, .validation = x, .log = nullptr}, rng);
  const hg::LossReport& train = history[0].train;
  const hg::LossReport& test = *history[0].test;
  CHECK(train.parts[1].second > 0.01);
  CHECK(train.loss == doctest::Approx(train.parts[0].second).epsilon(1e-4));
  CHECK(test.loss == doctest::Approx(test.parts[0].second + test.parts[1].second));
}
