// Losses of variational autoencoders and their relatives against PyTorch's, through whole models: the values, all terms
// and the gradients of all parameters, with the same noise. tests/golden/make_variational_golden.py says how those were
// made.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "golden.hpp"
#include "hourglass/loss/bce_with_logits.hpp"
#include "hourglass/loss/fixed_gaussian.hpp"
#include "hourglass/loss/learned_gaussian.hpp"
#include "hourglass/loss/optimal_gaussian.hpp"
#include "hourglass/models/importance_weighted_autoencoder.hpp"
#include "hourglass/models/importance_weighted_bound.hpp"
#include "hourglass/models/negative_elbo.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/models/vq_autoencoder.hpp"
#include "hourglass/models/vq_loss.hpp"
#include "hourglass/models/wasserstein_autoencoder.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "models/golden_model.hpp"

namespace hg = hourglass;

namespace {

constexpr hg::Index features = 6;
constexpr hg::Index latent = 3;

/// Both sides round once or twice an operation.
template <class Scalar>
constexpr Tolerance rounding = sizeof(Scalar) == 4 ? Tolerance{2e-5, 2e-6} : Tolerance{1e-12, 1e-13};

template <class Scalar, class... Last>
auto perceptron(hg::Index in, hg::Index out, Last... last) {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, Scalar>;
  return hg::Sequential{Linear{in, 5}, hg::Tanh{}, Linear{5, out}, last...};
}
template <class Scalar, class... Last>
auto vae(hg::Index out, Last... last) {
  return hg::VariationalAutoencoder{perceptron<Scalar>(features, 2 * latent), perceptron<Scalar>(latent, out, last...)};
}
template <class Scalar, class... Last>
auto iwae(hg::Index out, Last... last) {
  return hg::ImportanceWeightedAutoencoder{perceptron<Scalar>(features, 2 * latent),
                                           perceptron<Scalar>(latent, out, last...), 4};
}

template <class Scalar>
void use_draws(hg::Matrix<Scalar>& cached, const Golden& golden, const std::string& name) {
  cached = golden.matrix<Scalar>(name + golden_suffix<Scalar>).topRows(cached.rows());
}

/// Empty where loss, terms and gradients are those of the case, else what is not.
template <class Model, class Loss>
std::string compare(Model model, const Loss& loss, const std::string& name) {
  using Scalar = typename Model::Scalar;
  const Golden golden("variational");
  const std::string scenario = name + "_" + golden_suffix<Scalar>;
  load_golden(model, golden, scenario);
  const auto x = golden.matrix<Scalar>(std::string("x_") + golden_suffix<Scalar>);
  hg::Workspace workspace{model, x.rows()};
  auto& cache = workspace.cache();
  hg::Rng rng{1};
  (void)model.forward(x, workspace, hg::Training{rng});
  if constexpr (requires { cache.noise; }) use_draws(cache.noise, golden, "noise_");
  if constexpr (requires { cache.prior; }) use_draws(cache.prior, golden, "prior_");
  const auto output = model.forward(x, cache, hg::Training{rng}, hg::RowRange{0, x.rows()});  // with the draws given
  const auto terms = loss(output, x, workspace);
  model.backward(x, workspace);
  std::string result = golden_gradients(model, workspace, golden, scenario, rounding<Scalar>);
  const auto check = [&](std::string_view term, double value) {
    const std::string key = scenario + "." + std::string(term);
    const std::string text = difference(static_cast<Scalar>(value), golden.scalar<Scalar>(key), rounding<Scalar>);
    if (!text.empty()) result += key + ": " + text + "; ";
  };
  check("loss", terms.loss);
  for (std::size_t i = 0; i < terms.names.size(); ++i) check(terms.names[i], terms.parts()[i]);
  const auto value = loss.value(output, x, workspace);
  if (value.loss != terms.loss) result += "value() differs";
  return result;
}

}  // namespace

TEST_CASE("negative ELBO of Bernoulli decoders") {
  CHECK(compare(vae<float>(features, hg::Sigmoid{}), hg::NegativeELBO{}, "bernoulli") == "");
  CHECK(compare(vae<double>(features, hg::Sigmoid{}), hg::NegativeELBO{}, "bernoulli") == "");
  CHECK(compare(vae<double>(features), hg::NegativeELBO{hg::BCEWithLogitsLoss{}}, "logits") == "");
}

TEST_CASE("negative ELBO of Gaussian decoders") {
  CHECK(compare(vae<double>(features), hg::NegativeELBO{hg::FixedGaussianLoss{.sigma = 0.4}}, "fixed") == "");
  CHECK(compare(vae<double>(2 * features), hg::NegativeELBO{hg::LearnedGaussianLoss{}}, "learned") == "");
  CHECK(compare(vae<double>(features), hg::NegativeELBO{hg::OptimalGaussianLoss{}}, "optimal") == "");
}

TEST_CASE("log-variances out of range, beta, free bits, capacity from either side") {
  const auto model = vae<double>(features, hg::Sigmoid{});
  const auto with = [](const hg::ElboOptions& options) { return hg::NegativeELBO{hg::BCELoss{}, options}; };
  CHECK(compare(model, with({}), "clamped") == "");
  CHECK(compare(model, with({.beta = 2.5}), "beta") == "");
  CHECK(compare(model, with({.beta = 2.5000001}), "beta") != "");
  CHECK(compare(model, with({.beta = 2, .free_bits = 0.05}), "free_bits") == "");
  CHECK(compare(model, with({.beta = 2}), "free_bits") != "");  // the floor decides
  CHECK(compare(model, with({.beta = 9, .capacity = 3}), "capacity_far") == "");
  CHECK(compare(model, with({.beta = 9, .capacity = 0.05}), "capacity_near") == "");
}

TEST_CASE("importance-weighted bound") {
  CHECK(compare(iwae<double>(features, hg::Sigmoid{}), hg::ImportanceWeightedBound{}, "iwae_bernoulli") == "");
  CHECK(compare(iwae<double>(features), hg::ImportanceWeightedBound{hg::BCEWithLogitsLoss{}}, "iwae_logits") == "");
  CHECK(compare(iwae<double>(2 * features), hg::ImportanceWeightedBound{hg::LearnedGaussianLoss{}}, "iwae_learned") ==
        "");
}

TEST_CASE("vector quantisation") {
  const hg::VQAutoencoder model{perceptron<double>(features, 4), hg::VectorQuantizer<double>{5, 2},
                                perceptron<double>(4, features, hg::Sigmoid{})};
  CHECK(compare(model, hg::VQLoss{hg::MSELoss{}, {.commitment = 0.25, .codebook = 0.8}}, "vq") == "");
}

TEST_CASE("Wasserstein autoencoder") {
  const hg::WassersteinAutoencoder model{perceptron<double>(features, latent), perceptron<double>(latent, features)};
  CHECK(compare(model, hg::WassersteinLoss{}, "wasserstein") == "");
}
