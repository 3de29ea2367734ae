// Networks of images: fused as by themselves, with the same bits at any number of threads and on every instruction set.
#include "hourglass/nn/convolution.hpp"

#include <doctest/doctest.h>

#include <span>
#include <utility>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/avg_pool2d.hpp"
#include "hourglass/nn/conv2d.hpp"
#include "hourglass/nn/conv_transpose2d.hpp"
#include "hourglass/nn/elu.hpp"
#include "hourglass/nn/flatten.hpp"
#include "hourglass/nn/gelu.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/max_pool2d.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/nn/unfused.hpp"
#include "hourglass/nn/upsample.hpp"
#include "hourglass/optim/adam.hpp"

namespace hg = hourglass;
using hg::ImageShape;
using hg::Index;

namespace {

constexpr Index batch = 150;  // the last group of images is not whole

hg::Matrix<float> random_batch(Index rows, Index cols, unsigned seed) {
  hg::Rng rng{seed};
  hg::Matrix<float> x(rows, cols);
  rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

template <class T>
hg::Unfused<T> alone(T layer) {
  return hg::Unfused<T>(std::move(layer));
}

/// Weights, outputs and losses after some steps on batches of several sizes, the optimiser inside backward() or not.
template <class Model>
std::vector<float> trained(Model model, bool in_one, Index out) {
  hg::Rng rng{3};
  hg::initialize(model, rng);
  const auto x = random_batch(batch, model.in_features(), 1);
  const auto target = random_batch(batch, out, 2);
  hg::Workspace workspace{model, batch};
  hg::Adam<> optimizer{{.lr = 1e-2}};
  std::vector<float> all;
  for (const Index rows : {batch, Index{60}, Index{1}, batch}) {
    const hg::ConstMatrixView<float> input(x.data(), rows, x.cols());
    const hg::ConstMatrixView<float> wanted(target.data(), rows, target.cols());
    const auto y = model.forward(input, workspace, hg::Training{rng});
    all.insert(all.end(), y.data(), y.data() + y.size());
    all.push_back(hg::MSELoss{}(y, wanted, workspace));
    if (in_one) {
      model.backward(input, workspace, optimizer);
    } else {
      model.backward(input, workspace);
      optimizer.step(model, workspace);
    }
  }
  hg::for_each_parameter(
      model, [&](const auto&, const auto& p) { all.insert(all.end(), p.values().begin(), p.values().end()); });
  return all;
}

template <class Fused, class Plain>
void check(const Fused& fused, const Plain& plain) {
  const Index out = fused.out_features(fused.in_features());
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const auto expected = trained(plain, false, out);
  CHECK(trained(plain, true, out) == expected);
  CHECK(trained(fused, false, out) == expected);
  for (const int threads : {1, 2, 3, 8}) {
    CAPTURE(threads);
    hg::set_num_threads(threads);
    CHECK(trained(fused, true, out) == expected);
  }
  for_each_fusing_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    CHECK(trained(fused, true, out) == expected);
  });
  hg::set_num_threads(before);
}

}  // namespace

TEST_CASE("convolutions with strides, images between linear layers, an activation whose sums are kept") {
  const hg::Conv2d down{ImageShape{2, 11, 12}, 18, 3, {.stride = 2, .padding = 1}};
  const hg::Conv2d same{ImageShape{18, 6, 6}, 5, 3, {.padding = 1}};
  const hg::ConvTranspose2d up{ImageShape{5, 6, 6}, 3, 3, {.stride = 2, .padding = 1, .output_padding = 1}};
  check(hg::Sequential{down, hg::GELU{}, same, hg::ReLU{}, hg::Flatten{}, hg::Linear<180, 180>{}, hg::Tanh{},
                       hg::Unflatten{ImageShape{5, 6, 6}}, up, hg::Sigmoid{}},
        hg::Sequential{alone(down), alone(hg::GELU{}), alone(same), alone(hg::ReLU{}), alone(hg::Flatten{}),
                       alone(hg::Linear<180, 180>{}), alone(hg::Tanh{}), alone(hg::Unflatten{ImageShape{5, 6, 6}}),
                       alone(up), alone(hg::Sigmoid{})});
}

TEST_CASE("convolutions of many channels, which are in the lanes of vectors") {
  const hg::Conv2d down{ImageShape{8, 7, 9}, 33, 3, {.stride = 2, .padding = 1}};
  const hg::ConvTranspose2d up{ImageShape{33, 4, 5}, 16, 3, {.stride = 2, .padding = 1}};
  check(hg::Sequential{down, hg::ReLU{}, up, hg::Sigmoid{}},
        hg::Sequential{alone(down), alone(hg::ReLU{}), alone(up), alone(hg::Sigmoid{})});
}

TEST_CASE("pools and upsampling behind activations, in an autoencoder") {
  const hg::Conv2d first{ImageShape{1, 12, 12}, 8, 3, {.padding = 1}};
  const hg::MaxPool2d max{ImageShape{8, 12, 12}, 2};
  const hg::AvgPool2d mean{ImageShape{8, 6, 6}, 2};
  const hg::Upsample up{ImageShape{8, 3, 3}, 4};
  const hg::Conv2d last{ImageShape{8, 12, 12}, 1, 3, {.padding = 1, .bias = false}};
  check(
      hg::Autoencoder{hg::Sequential{first, hg::ReLU{}, max, hg::ELU{}, mean}, hg::Sequential{up, last, hg::Sigmoid{}}},
      hg::Autoencoder{hg::Sequential{alone(first), alone(hg::ReLU{}), alone(max), alone(hg::ELU{}), alone(mean)},
                      hg::Sequential{alone(up), alone(last), alone(hg::Sigmoid{})}});
}

TEST_CASE("an image's result does not depend on the rest of its batch") {
  hg::Rng rng{2};
  hg::Sequential model{hg::Conv2d{ImageShape{3, 9, 9}, 7, 3},
                       hg::ConvTranspose2d{ImageShape{7, 7, 7}, 2, 3, {.stride = 2}}};
  hg::initialize(model, rng);
  const auto x = random_batch(300, 243, 4);  // more than one piece of apply()
  const auto together = model(x);
  for (const Index i : {0, 17, 255, 256, 299}) CHECK(model(x.row(i)) == together.row(i));
}

TEST_CASE("a batch of no images gives no gradient") {
  hg::Sequential model{hg::Conv2d{ImageShape{1, 3, 3}, 2, 3}};
  hg::Workspace workspace{model, 4};
  const hg::Matrix<float> x(0, 9);
  (void)model.forward(x, workspace);
  workspace.gradients().values()[0] = 5;
  model.backward(x, workspace);
  CHECK(workspace.gradients().values()[0] == 0.0f);
}
