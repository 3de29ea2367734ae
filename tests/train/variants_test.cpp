// fit() with the variants of the autoencoder: they learn the committed digits, their reports name the terms, and the
// weights have the same bits at any number of threads.
#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/mnist.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/contractive_loss.hpp"
#include "hourglass/models/sparse_loss.hpp"
#include "hourglass/models/tied_autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/mlp.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/topk.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/train/fit.hpp"

namespace hg = hourglass;

namespace {

auto sigmoids(hg::Index features, hg::Index code) {
  return hg::Autoencoder{hg::Sequential{hg::Linear{features, code}, hg::Sigmoid{}},
                         hg::Sequential{hg::Linear{code, features}, hg::Sigmoid{}}};
}
auto k_sparse(hg::Index features, hg::Index code, hg::Index k) {
  return hg::Autoencoder{hg::Sequential{hg::Linear{features, code}, hg::TopK{k}},
                         hg::Sequential{hg::Linear{code, features}, hg::Sigmoid{}}};
}
auto tied(hg::Index features, hg::Index code) {
  return hg::TiedAutoencoder{hg::Mlp<hg::Sigmoid, hg::Sigmoid>{{features, code}}, hg::Sigmoid{}};
}

template <class Model, class Loss>
std::vector<float> trained(Model model, const Loss& loss) {
  hg::Rng rng{11};
  hg::initialize(model, rng);
  hg::Matrix<float> data(128 * 3 + 50, model.in_features());
  rng.fill_uniform(std::span<float>(data.data(), static_cast<std::size_t>(data.size())));
  hg::fit(model, data, loss, hg::Adam<>{{.lr = 1e-3}}, {.epochs = 3, .batch_size = 128, .log = nullptr}, rng);
  std::vector<float> flat;
  hg::for_each_parameter(
      model, [&](const auto&, const auto& p) { flat.insert(flat.end(), p.values().begin(), p.values().end()); });
  return flat;
}

template <class Model, class Loss>
void check_bits(const Model& model, const Loss& loss) {
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const auto expected = trained(model, loss);
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    hg::set_num_threads(threads);
    CHECK(trained(model, loss) == expected);
  }
  for_each_fusing_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    CHECK(trained(model, loss) == expected);
  });
  hg::set_num_threads(before);
}

}  // namespace

TEST_CASE("the same bits at any number of threads and on every instruction set that fuses") {
  check_bits(sigmoids(301, 133), hg::SparseLoss{hg::BCELoss{}, hg::L1Activity{1e-3}});
  check_bits(sigmoids(301, 133), hg::SparseLoss{hg::BCELoss{}, hg::KLSparsity{0.1, 0.01}});
  check_bits(sigmoids(301, 133), hg::ContractiveLoss{hg::BCELoss{}, 0.01});
  check_bits(k_sparse(301, 133, 20), hg::BCELoss{});
  check_bits(tied(301, 133), hg::ContractiveLoss{hg::BCELoss{}, 0.01});
}

#ifdef HOURGLASS_WITH_ZLIB
TEST_CASE("they learn the committed digits, and reports name the terms") {
  const auto digits = hg::load_mnist(HOURGLASS_SOURCE_DIR "/data/digits");
  const auto fit = [&](auto model, const auto& loss) {
    hg::Rng rng{1};
    hg::initialize(model, rng);
    return hg::fit(model, digits.train.images, loss, hg::Adam{{.lr = 1e-2}},
                   {.epochs = 4, .batch_size = 64, .validation = digits.test.images, .log = nullptr}, rng);
  };
  const auto improves = [](const std::vector<hg::EpochReport>& history, double part = 0.98) {
    CHECK(history.back().test->loss < part * history.front().test->loss);
    CHECK(history.back().train.loss < history.front().train.loss);
    return history.back().test->parts;
  };
  const auto sparse = improves(fit(sigmoids(784, 32), hg::SparseLoss{hg::BCELoss{}, hg::KLSparsity{0.1, 1e-3}}));
  REQUIRE(sparse.size() == 2);
  CHECK(sparse[0].first == "reconstruction");
  CHECK(sparse[1].first == "penalty");
  CHECK(sparse[1].second > 0);
  const auto contractive = improves(fit(sigmoids(784, 32), hg::ContractiveLoss{hg::BCELoss{}, 1e-2}));
  REQUIRE(contractive.size() == 2);
  CHECK(contractive[1].second > 0);
  // A larger weight makes a flatter code.
  const auto flat = improves(fit(sigmoids(784, 32), hg::ContractiveLoss{hg::BCELoss{}, 5.0}), 1.0);
  CHECK(flat[1].second / 5 < 0.7 * contractive[1].second / 1e-2);
  CHECK(improves(fit(k_sparse(784, 64, 10), hg::BCELoss{})).empty());
  improves(fit(tied(784, 32), hg::BCELoss{}));
}
#endif
