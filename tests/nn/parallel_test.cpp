#include "hourglass/nn/parallel.hpp"

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/models/negative_elbo.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/batch_norm.hpp"
#include "hourglass/nn/conv2d.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/max_pool2d.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/sgd.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar>
hg::Matrix<Scalar> inputs(hg::Index rows, hg::Index cols) {
  hg::Matrix<Scalar> x(rows, cols);
  hg::Rng{8}.fill_normal(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

}  // namespace

TEST_CASE("gradient check: heads of different depth, first, last and in between") {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  const auto x = inputs<double>(5, 4);
  const hg::Matrix<double> target = inputs<double>(5, 3).array() + 1;
  const auto pass = [&](const auto& model, auto& workspace) {
    return hg::MSELoss{}(model.forward(x, workspace), target, workspace);
  };
  hg::Rng rng{1};
  hg::Sequential last{Linear{4, 3}, hg::Tanh{},
                      hg::Parallel{Linear{3, 1}, hg::Sequential{Linear{3, 2}, hg::Tanh{}, Linear{2, 2}, hg::Tanh{}}}};
  hg::initialize(last, rng);
  CHECK(model_gradcheck(last, x, pass) == "");
  hg::Sequential between{Linear{4, 3}, hg::Parallel{Linear{3, 2}, hg::Tanh{}, Linear{3, 1}}, hg::Tanh{}, Linear{6, 3}};
  hg::initialize(between, rng);
  CHECK(model_gradcheck(between, x, pass) == "");
}

TEST_CASE("two Linear heads are one of double width, trained alike with the same bits on any number of threads") {
  const auto x = inputs<float>(96, 80);
  const auto train = [&](auto encoder, int threads) {
    const int before = hg::num_threads();
    hg::set_num_threads(threads);
    hg::VariationalAutoencoder model{std::move(encoder), hg::Linear{10, 80}};
    hg::Rng rng{1};
    hg::initialize(model, rng);
    auto& heads = model.encoder().template layer<2>();
    if constexpr (requires { heads.weight(); }) {
      heads.weight().topRows(10).setConstant(0.01f);
      heads.weight().bottomRows(10).setConstant(-0.02f);
      heads.bias().setConstant(0.5f);
    } else {
      heads.template module<0>().weight().setConstant(0.01f);
      heads.template module<1>().weight().setConstant(-0.02f);
      heads.template module<0>().bias().setConstant(0.5f);
      heads.template module<1>().bias().setConstant(0.5f);
    }
    model.decoder().weight().setConstant(0.1f);
    model.decoder().bias().setZero();
    hg::Workspace workspace{model, 96};
    hg::SGD optimizer{{.lr = 1e-3f}};
    hg::Rng draws{2};
    for (int step = 0; step < 3; ++step) {
      (void)hg::NegativeELBO{hg::MSELoss{}}(model.forward(x, workspace, hg::Training{draws}), x, workspace);
      model.backward(x, workspace, optimizer);
    }
    hg::set_num_threads(before);
    return model.encode(x);
  };
  const auto heads = [] {
    return hg::Sequential{hg::Linear{80, 90}, hg::ReLU{}, hg::Parallel{hg::Linear{90, 10}, hg::Linear{90, 10}}};
  };
  const auto expected = train(heads(), 1);
  const auto again = train(heads(), 2);
  CHECK(again.mu == expected.mu);
  CHECK(again.logvar == expected.logvar);
  const auto wide = train(hg::Sequential{hg::Linear{80, 90}, hg::ReLU{}, hg::Linear{90, 20}}, 1);
  CHECK((wide.mu - expected.mu).norm() < 1e-5f * expected.mu.norm());
  CHECK((wide.logvar - expected.logvar).norm() < 1e-5f * expected.logvar.norm());
}

TEST_CASE("names, widths and errors") {
  hg::Parallel heads{hg::Linear<4, 2>{}, hg::Sequential{hg::Linear<4, 3>{}, hg::ReLU{}}};
  static_assert(decltype(heads)::static_in == 4 && decltype(heads)::static_out == 5);
  std::string names;
  hg::for_each_parameter(heads, [&](const auto& name, auto&) { names += name.str() + ' '; });
  CHECK(names == "0.weight 0.bias 1.0.weight 1.0.bias ");
  CHECK(heads.out_features(4) == 5);
  CHECK_THROWS_WITH_AS((hg::Parallel{hg::Linear{4, 2}, hg::Linear{5, 2}}),
                       doctest::Contains("module 1 (Linear) expects 5 features, one before it 4"), hg::ShapeError);
}

TEST_CASE("heads that give images of one size give the channels of all") {
  using hg::ImageShape;
  const hg::Parallel heads{hg::Conv2d{ImageShape{2, 4, 4}, 3, 1},
                           hg::Sequential{hg::Conv2d{ImageShape{2, 4, 4}, 5, 1}}};
  CHECK(heads.in_image() == ImageShape{2, 4, 4});
  CHECK(heads.out_image() == ImageShape{8, 4, 4});
  using Static = hg::Parallel<hg::Conv2d<ImageShape{2, 4, 4}, 3, 1>, hg::BatchNorm2d<2>>;
  static_assert(Static::static_in_image == ImageShape{2, 4, 4} && Static::static_out_image == ImageShape{5, 4, 4});
  CHECK_NOTHROW((hg::Sequential{heads, hg::MaxPool2d{ImageShape{8, 4, 4}, 2}}));
  CHECK_THROWS_WITH_AS((hg::Sequential{heads, hg::MaxPool2d{ImageShape{2, 8, 8}, 2}}),
                       doctest::Contains("gives images of shape (8, 4, 4), layer 1 (MaxPool2d) expects (2, 8, 8)"),
                       hg::ShapeError);
  CHECK(hg::Parallel{hg::Conv2d{ImageShape{2, 4, 4}, 3, 1}, hg::Conv2d{ImageShape{2, 4, 4}, 3, 3}}.out_image() ==
        hg::any_image);
  CHECK_THROWS_WITH_AS((hg::Parallel{hg::Conv2d{ImageShape{2, 4, 4}, 3, 1}, hg::Conv2d{ImageShape{8, 2, 2}, 3, 1}}),
                       "Parallel: module 1 (Conv2d) expects images of shape (8, 2, 2), one before it (2, 4, 4); make "
                       "the two shapes equal",
                       hg::ShapeError);
}
