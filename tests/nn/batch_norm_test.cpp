#include "hourglass/nn/batch_norm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <optional>

#include "hourglass/loss/mse.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/layer_norm.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/optim/adam.hpp"
#include "model_gradcheck.hpp"
#include "nn/normalization.hpp"

namespace hg = hourglass;
using hourglass_test::normal;

namespace {

using LinearD = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
using BatchNorm1dD = hg::BatchNorm1d<hg::Dynamic, double>;
using BatchNorm2dD = hg::BatchNorm2d<hg::Dynamic, double>;

/// What the layer promises, number by number in double: y, dx, dweight, dbias for weight 2 and bias 3 in training.
struct Naive {
  hg::Matrix<double> y, dx;
  std::vector<double> dweight, dbias;

  template <class Scalar>
  Naive(const hg::Matrix<Scalar>& x, const hg::Matrix<Scalar>& dy, hg::Index channels)
      : y(x.rows(), x.cols()), dx(x.rows(), x.cols()) {
    const hg::Index pixels = x.cols() / channels;
    const auto n = static_cast<long double>(x.rows() * pixels);
    for (hg::Index c = 0; c < channels; ++c) {
      const auto each = [&](const auto& body) {
        for (hg::Index i = 0; i < x.rows(); ++i)
          for (hg::Index j = c * pixels; j < (c + 1) * pixels; ++j) body(i, j);
      };
      long double mean = 0, variance = 0, sum = 0, product = 0;
      each([&](hg::Index i, hg::Index j) { mean += x(i, j) / n; });
      each([&](hg::Index i, hg::Index j) { variance += (x(i, j) - mean) * (x(i, j) - mean) / n; });
      const long double inverse = 1 / std::sqrt(variance + 1e-5L);
      each([&](hg::Index i, hg::Index j) {
        sum += dy(i, j);
        product += dy(i, j) * (x(i, j) - mean) * inverse;
      });
      each([&](hg::Index i, hg::Index j) {
        const long double normalized = (x(i, j) - mean) * inverse;
        y(i, j) = static_cast<double>(2 * normalized + 3);
        dx(i, j) = static_cast<double>(2 * inverse * (dy(i, j) - sum / n - normalized * product / n));
      });
      dweight.push_back(static_cast<double>(product));
      dbias.push_back(static_cast<double>(sum));
    }
  }
};

/// Compares a layer with Naive; the tolerance grows with the number of terms only where that is the sums' own size.
template <class Layer>
void check_naive(Layer layer, hg::Index rows, hg::Index cols, double mean = 0) {
  using Scalar = typename Layer::Scalar;
  CAPTURE(rows);
  CAPTURE(cols);
  CAPTURE(mean);
  layer.weight().setConstant(2);
  layer.bias().setConstant(3);
  const auto x = normal<Scalar>(rows, cols, 11, mean);
  const auto dy = normal<Scalar>(rows, cols, 12);
  hg::Rng rng{1};
  const auto found = hourglass_test::passes<Scalar>(layer, x, dy, hg::Training{rng});
  const Naive naive(x, dy, layer.channels());
  const double eps = sizeof(Scalar) == 4 ? 2e-6 : 1e-13;
  double worst = 0;
  for (hg::Index i = 0; i < x.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    worst = std::max(worst, std::abs(double{found[at]} - naive.y.data()[i]) / 4);
    worst = std::max(worst, std::abs(double{found[at + static_cast<std::size_t>(x.size())]} - naive.dx.data()[i]) / 4);
  }
  CHECK(worst < eps);
  const auto slots = static_cast<std::size_t>(2 * x.size());
  const auto second = static_cast<std::size_t>(hg::slot_size<Scalar>(layer.channels()));
  for (std::size_t c = 0; c < naive.dbias.size(); ++c) {
    const double scale = 4 * std::sqrt(static_cast<double>(rows * cols / layer.channels()));
    CHECK(std::abs(double{found[slots + c]} - naive.dweight[c]) < eps * scale);
    CHECK(std::abs(double{found[slots + second + c]} - naive.dbias[c]) < eps * scale);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("three steps and an evaluation as in PyTorch", Scalar, float, double) {
  using One = hg::BatchNorm1d<hg::Dynamic, Scalar>;
  hourglass_test::check_golden<Scalar>(One{5}, "batch_norm_1d");
  hourglass_test::check_golden<Scalar>(One{5, {.eps = 1e-3, .affine = false}}, "batch_norm_1d_plain");
  hourglass_test::check_golden<Scalar>(One{5, {.momentum = std::nullopt}}, "batch_norm_1d_average");
  hourglass_test::check_golden<Scalar>(One{5, {.track_running_stats = false}}, "batch_norm_1d_untracked");
  hourglass_test::check_golden<Scalar>(hg::BatchNorm2d<hg::Dynamic, Scalar>{3, {.momentum = 0.3}}, "batch_norm_2d");
}

TEST_CASE_TEMPLATE("channels and pixels of any number", Scalar, float, double) {
  using One = hg::BatchNorm1d<hg::Dynamic, Scalar>;
  using Two = hg::BatchNorm2d<hg::Dynamic, Scalar>;
  for (const hg::Index features : {1, 7, 128, 300}) check_naive(One{features}, 37, features);
  check_naive(One{3}, 2, 3);
  for (const hg::Index pixels : {1, 2, 49, 63, 127, 128, 129, 300}) check_naive(Two{3}, 5, 3 * pixels);
  check_naive(Two{40}, 33, 40 * 9);
  check_naive(Two{1}, 1, 300);  // one image has many values per channel
}

TEST_CASE("numbers far from zero keep their digits") {
  check_naive(hg::BatchNorm1d<>{20}, 200, 20, 1e4);
  check_naive(hg::BatchNorm2d<>{3}, 20, 3 * 49, 1e4);
  check_naive(hg::BatchNorm1d<>{20}, 200, 20, -1e6);
}

TEST_CASE("gradients of networks with BatchNorm") {
  hg::Rng rng{3};
  // Layers that are normalised by affine functions of their inputs, by activations, and at the very start.
  hg::Sequential model{
      BatchNorm1dD{5, {.affine = false}},    LinearD{5, 6},   BatchNorm1dD{6}, hg::ReLU{}, LinearD{6, 8},
      hg::LayerNorm<hg::Dynamic, double>{8}, BatchNorm2dD{2}, LinearD{8, 3}};
  hg::initialize(model, rng);
  model.layer<2>().weight() = normal<double>(1, 6, 8);
  const auto x = normal<double>(7, 5, 2);
  const hg::Matrix<double> target = normal<double>(7, 3, 5);
  CHECK(model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
          return hg::MSELoss{}(m.forward(x, workspace, hg::Training{rng}), target, workspace);
        }) == "");
  CHECK(model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
          return hg::MSELoss{}(m.forward(x, workspace), target, workspace);
        }) == "");
}

TEST_CASE("the same bits on every instruction set and at any number of threads") {
  hourglass_test::check_same_bits(hg::BatchNorm1d{403}, 301, 403);
  hourglass_test::check_same_bits(hg::BatchNorm2d{19}, 31, 19 * 211);
}

TEST_CASE("running statistics follow each step once") {
  hg::Rng rng{4};
  const hg::Autoencoder start{hg::Sequential{hg::BatchNorm1d<6>{}, hg::BatchNorm2d{2}},
                              hg::Sequential{hg::ReLU{}, hg::BatchNorm1d{6}}};
  const auto x = normal<float>(40, 6, 1);
  const auto seen = [](const auto& model) { return model.decoder().template layer<1>().num_batches_tracked(); };

  auto fused = start;
  auto apart = start;
  hg::Workspace one{fused, 40};
  hg::Workspace two{apart, 40};
  hg::Adam<> first, second;
  for (int step = 0; step < 3; ++step) {
    (void)hg::MSELoss{}(fused.forward(x, one, hg::Training{rng}), x, one);
    CHECK(seen(fused) == step);
    fused.backward(x, one, first);
    CHECK(seen(fused) == step + 1);
    one.update_buffers(fused);  // nothing is left to do
    CHECK(seen(fused) == step + 1);

    (void)hg::MSELoss{}(apart.forward(x, two, hg::Training{rng}), x, two);
    apart.backward(x, two);
    second.step(apart, two);
    CHECK(seen(apart) == step + 1);
  }
  hg::for_each_tensor(fused, [&](const auto& name, const auto& tensor) {
    hg::for_each_tensor(apart, [&](const auto& other, const auto& same) {
      if constexpr (std::is_same_v<decltype(tensor), decltype(same)>)
        if (name.str() == other.str())
          CHECK(std::memcmp(tensor.data(), same.data(), tensor.values().size_bytes()) == 0);
    });
  });
  CHECK(fused.encoder().layer<0>().running_mean() != start.encoder().layer<0>().running_mean());
  CHECK(fused.decoder().layer<1>().running_var() != start.decoder().layer<1>().running_var());

  // Inference, and codes in the same workspace, move nothing.
  (void)fused.forward(x, one);
  one.update_buffers(fused);
  (void)fused.forward(x, one, hg::Training{rng});
  (void)fused.encode(x, one);
  one.update_buffers(fused);
  CHECK(seen(fused) == 3);
  // An optimiser that is given gradients alone leaves buffers to the caller.
  (void)hg::MSELoss{}(apart.forward(x, two, hg::Training{rng}), x, two);
  apart.backward(x, two);
  second.step(apart, two.gradients());
  CHECK(seen(apart) == 3);
  two.update_buffers(apart);
  CHECK(seen(apart) == 4);
}

TEST_CASE("containers within containers, and variational autoencoders, reach their buffers") {
  hg::Rng rng{4};
  hg::VariationalAutoencoder model{hg::Sequential{hg::Sequential{hg::ReLU{}, hg::BatchNorm1d<6>{}}, hg::BatchNorm1d{6}},
                                   hg::Sequential{hg::ReLU{}, hg::BatchNorm1d<3>{}}};
  const auto x = normal<float>(40, 6, 1);
  hg::Workspace workspace{model, 40};
  (void)model.forward(x, workspace, hg::Training{rng});
  workspace.update_buffers(model);
  CHECK(model.encoder().layer<0>().layer<1>().num_batches_tracked() == 1);
  CHECK(model.decoder().layer<1>().num_batches_tracked() == 1);
  hg::initialize(model, rng);
  CHECK(model.decoder().layer<1>().num_batches_tracked() == 0);
  CHECK(model.decoder().layer<1>().running_var() == hg::Matrix<float>::Ones(1, 3));
}

TEST_CASE("in inference no row looks at another") {
  hg::BatchNorm2d layer{3};
  hg::Rng rng{2};
  const auto x = normal<float>(9, 12, 1);
  hg::Sequential model{layer};
  hg::Workspace workspace{model, 9, 12};
  (void)model.forward(x, workspace, hg::Training{rng});
  workspace.update_buffers(model);
  const hg::Matrix<float> all = model(x);
  CHECK(all != x);
  for (hg::Index i = 0; i < 9; ++i) CHECK(model(hg::Matrix<float>(x.row(i))) == all.row(i));
  CHECK(hg::Matrix<float>(model.forward(x, workspace)) == all);
}

TEST_CASE("errors name the numbers") {
  hg::Rng rng{1};
  hg::Sequential model{hg::BatchNorm1d{4}};
  hg::Workspace workspace{model, 2};
  const hg::Matrix<float> row(1, 4);
  CHECK_THROWS_WITH_AS(model.forward(row, workspace, hg::Training{rng}),
                       "BatchNorm1d: a batch of shape (1, 4) has 1 values per channel, a variance takes at least 2; "
                       "use larger batches, or leave out the last one (drop_last)",
                       hg::ShapeError);
  CHECK_NOTHROW(model.forward(row, workspace));
  hg::Sequential untracked{hg::BatchNorm1d{4, {.track_running_stats = false}}};
  CHECK_THROWS_AS((void)untracked(row), hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Linear{3, 5}, hg::BatchNorm1d{4}}), doctest::Contains("expects 4"),
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Linear{3, 5}, hg::BatchNorm2d{4}}),
                       doctest::Contains("input has 5 features, which are no images of 4 channels"), hg::ShapeError);
  CHECK_THROWS_AS(hg::BatchNorm1d{0}, hg::ShapeError);
  CHECK_THROWS_AS((hg::BatchNorm1d<4>{5}), hg::ShapeError);
  CHECK_THROWS_AS((hg::BatchNorm1d{4, {.eps = -1}}), hg::DataError);
  CHECK_THROWS_AS((hg::BatchNorm2d{4, {.momentum = 1.5}}), hg::DataError);
}

TEST_CASE("NaN and infinity are not hidden") {
  hg::Rng rng{1};
  hg::Sequential model{hg::BatchNorm1d{2}};
  hg::Workspace workspace{model, 3};
  hg::Matrix<float> x = normal<float>(3, 2, 1);
  x(1, 0) = std::nanf("");
  const hg::Matrix<float> y = model.forward(x, workspace, hg::Training{rng});
  CHECK(std::isnan(y(0, 0)));
  CHECK(std::isfinite(y(0, 1)));
}
