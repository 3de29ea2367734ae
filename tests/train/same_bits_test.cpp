// The promise of fit(): the same weights, bit for bit, at any number of threads and on every instruction set with fused
// multiply-add.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <sstream>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/negative_elbo.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/batch_norm.hpp"
#include "hourglass/nn/gelu.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/layer_norm.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/train/fit.hpp"

namespace hg = hourglass;

namespace {

/// FNV-1a of the bits of all weights and buffers.
template <class Model>
std::uint64_t hash_of_weights(const Model& model) {
  std::uint64_t hash = 14695981039346656037u;
  hg::for_each_tensor(model, [&](const auto&, const auto& tensor) {
    for (const auto value : tensor.values()) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, &value, sizeof value);
      hash = (hash ^ bits) * 1099511628211u;
    }
  });
  return hash;
}

/// Five epochs of ten steps, the last of each with fewer rows.
template <class Model, class Loss>
std::uint64_t trained(Model model, const Loss& loss, double clip = 0) {
  hg::Rng rng{11};
  hg::initialize(model, rng);
  hg::Matrix<float> data(128 * 9 + 50, model.in_features());
  rng.fill_uniform(std::span<float>(data.data(), static_cast<std::size_t>(data.size())));
  hg::fit(model, data, loss, hg::Adam<>{{.lr = 1e-3}},
          {.epochs = 5, .batch_size = 128, .clip_grad_norm = clip, .log = nullptr}, rng);
  return hash_of_weights(model);
}

template <class Model, class Loss>
void check(const Model& model, const Loss& loss) {
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const std::uint64_t expected = trained(model, loss);
  for (const int threads : {2, 3, 4, 8}) {
    CAPTURE(threads);
    hg::set_num_threads(threads);
    CHECK(trained(model, loss) == expected);
  }
  // So large a norm clips nothing, but gradients then go to memory and the optimiser runs by itself.
  hg::set_num_threads(2);
  CHECK(trained(model, loss, 1e30) == expected);
  for_each_fusing_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    CHECK(trained(model, loss) == expected);
  });
  hg::set_num_threads(before);
}

}  // namespace

TEST_CASE("an autoencoder after 50 steps") {
  check(hg::Autoencoder{hg::Sequential{hg::Linear<131, 90>{}, hg::ReLU{}, hg::Linear<90, 33>{}, hg::GELU{}},
                        hg::Sequential{hg::Linear<33, 90>{}, hg::Tanh{}, hg::Linear<90, 131>{}, hg::Sigmoid{}}},
        hg::BCELoss{});
}

TEST_CASE("an autoencoder that normalises after 50 steps") {
  check(hg::Autoencoder{hg::Sequential{hg::Linear<131, 96>{}, hg::BatchNorm1d<96>{}, hg::ReLU{}, hg::Linear<96, 33>{}},
                        hg::Sequential{hg::LayerNorm<33>{}, hg::Linear<33, 132>{}, hg::BatchNorm2d<4>{},
                                       hg::Linear<132, 131>{}, hg::Sigmoid{}}},
        hg::BCELoss{});
}

TEST_CASE("a variational autoencoder after 50 steps") {
  check(
      hg::VariationalAutoencoder{hg::Sequential{hg::Linear<131, 90>{}, hg::ReLU{}, hg::Linear<90, 14>{}},
                                 hg::Sequential{hg::Linear<7, 90>{}, hg::ReLU{}, hg::Linear<90, 131>{}, hg::Sigmoid{}}},
      hg::NegativeELBO<>{});
}
