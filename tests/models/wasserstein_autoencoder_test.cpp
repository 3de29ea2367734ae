#include "hourglass/models/wasserstein_autoencoder.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/adam.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

hg::Matrix<double> pixels(hg::Index rows, hg::Index cols) {
  hg::Matrix<double> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

template <class... Last>
auto small_model(Last... last) {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::WassersteinAutoencoder model{hg::Sequential{Linear{6, 5}, hg::Tanh{}, Linear{5, 2}, last...},
                                   hg::Sequential{Linear{2, 5}, hg::Tanh{}, Linear{5, 6}, hg::Sigmoid{}}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  return model;
}

}  // namespace

TEST_CASE("gradient checks: losses, weights, a code that ends in an activation") {
  const auto x = pixels(7, 6);
  const auto check = [&](const auto& model, const auto& loss) {
    return model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
      hg::Rng draws{9};
      return loss(m.forward(x, workspace, hg::Training{draws}), x, workspace).loss;
    });
  };
  CHECK(check(small_model(), hg::WassersteinLoss{}) == "");
  CHECK(check(small_model(), hg::WassersteinLoss{hg::BCELoss{}, 1000.0}) == "");
  CHECK(check(small_model(hg::Tanh{}), hg::WassersteinLoss{hg::MSELoss{}, 100.0}) == "");
}

TEST_CASE("terms, and a plain loss that finds no gradient left behind") {
  const auto model = small_model();
  const auto x = pixels(7, 6);
  hg::Workspace workspace{model, 7};
  hg::Rng draws{9};
  const auto output = model.forward(x, workspace, hg::Training{draws});
  const hg::WassersteinLoss loss{hg::MSELoss{}, 3.0};
  const auto terms = loss(output, x, workspace);
  CHECK(terms.reconstruction == doctest::Approx(6 * hg::MSELoss{}(output, x)));
  CHECK(terms.mmd == doctest::Approx(hg::mmd<double>(model.encode(x), workspace.cache().prior)));
  CHECK(terms.loss == doctest::Approx(terms.reconstruction + 3 * terms.mmd));
  CHECK(loss.value(output, x, workspace).loss == terms.loss);
  CHECK(model_gradcheck(model, x, [&](const auto& m, auto& w) {
          hg::Rng again{9};
          (void)loss(m.forward(x, w, hg::Training{again}), x, w);
          return hg::MSELoss{}(m.forward(x, w, hg::Training{again}), x, w);
        }) == "");
  CHECK_THROWS_AS((hg::WassersteinLoss{hg::MSELoss{}, -1.0}), hg::DataError);
  hg::Rng a{1};
  CHECK(model.sample(4, a).cols() == 6);
}

TEST_CASE("training brings the codes to the prior, with the same bits on any number of threads") {
  const hg::Matrix<float> x = pixels(200, 6).cast<float>();
  std::vector<float> losses;
  const int before = hg::num_threads();
  for (const int threads : {1, 2}) {
    hg::set_num_threads(threads);
    hg::WassersteinAutoencoder model{hg::Sequential{hg::Linear{6, 16}, hg::Tanh{}, hg::Linear{16, 2}},
                                     hg::Sequential{hg::Linear{2, 16}, hg::Tanh{}, hg::Linear{16, 6}}};
    hg::Rng rng{1};
    hg::initialize(model, rng);
    hg::Workspace workspace{model, 200};
    hg::Adam optimizer{{.lr = 1e-2f}};
    const hg::WassersteinLoss loss{};
    float first = 0;
    for (int step = 0; step < 200; ++step) {
      const auto terms = loss(model.forward(x, workspace, hg::Training{rng}), x, workspace);
      if (step == 0) first = terms.mmd;
      model.backward(x, workspace, optimizer);
    }
    const auto last = loss.value(model.forward(x, workspace, hg::Sampling{rng}), x, workspace);
    CHECK(first > 0.3f);
    CHECK(std::abs(last.mmd) < 0.05f);
    const hg::Matrix<float> code = model.encode(x);
    CHECK(code.array().square().mean() == doctest::Approx(1).epsilon(0.25));
    losses.push_back(last.loss);
  }
  hg::set_num_threads(before);
  CHECK(losses[0] == losses[1]);
}
