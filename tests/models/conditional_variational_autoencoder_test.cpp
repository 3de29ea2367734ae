#include "hourglass/models/conditional_variational_autoencoder.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/data/images.hpp"
#include "hourglass/models/negative_elbo.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/adam.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

/// 6 features, 3 classes, 2 latent dimensions.
template <class Scalar>
auto small_model() {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, Scalar>;
  hg::ConditionalVariationalAutoencoder model{hg::Sequential{Linear{9, 8}, hg::Tanh{}, Linear{8, 4}},
                                              hg::Sequential{Linear{5, 8}, hg::Tanh{}, Linear{8, 6}, hg::Sigmoid{}}, 3};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  return model;
}

hg::Matrix<double> pixels(hg::Index rows) {
  hg::Matrix<double> x(rows, 6);
  hg::Rng{8}.fill_uniform(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

}  // namespace

TEST_CASE("condition appends the class to each row, of matrices and of images") {
  const std::vector<std::uint8_t> labels{2, 0};
  CHECK(hg::condition(hg::Matrix<float>{{1, 2}, {3, 4}}, labels, 3) ==
        hg::Matrix<float>{{1, 2, 0, 0, 1}, {3, 4, 1, 0, 0}});
  const hg::Images images({0, 51, 102, 255, 255, 0, 0, 51}, 2, 2, 2);
  CHECK(hg::condition(images, labels, 3) == hg::Matrix<float>{{0, 0.2f, 0.4f, 1, 0, 0, 1}, {1, 0, 0, 0.2f, 1, 0, 0}});
  CHECK_THROWS_WITH_AS((void)hg::condition(images, labels, 2), doctest::Contains("label 2 of row 0"), hg::DataError);
  CHECK_THROWS_WITH_AS((void)hg::condition(hg::Matrix<float>(3, 2), labels, 3), doctest::Contains("3 rows, 2 labels"),
                       hg::ShapeError);
}

TEST_CASE("gradient check; the target is x, without its class") {
  const std::vector<std::uint8_t> labels{0, 1, 2, 2, 1};
  const auto x = pixels(5);
  const auto rows = hg::condition<double>(x, labels, 3);
  const auto pass = [&](const hg::Matrix<double>& target) {
    return [&](const auto& model, auto& workspace) {
      hg::Rng draws{9};
      return hg::NegativeELBO{hg::BCELoss{}}(model.forward(rows, workspace, hg::Training{draws}), target, workspace)
          .loss;
    };
  };
  const auto model = small_model<double>();
  CHECK(model_gradcheck(model, rows, pass(rows)) == "");
  CHECK(model_gradcheck(model, rows, pass(x)) == "");
  hg::Workspace workspace{model, 5};
  CHECK(pass(rows)(model, workspace) == pass(x)(model, workspace));
  const auto output = model.forward(rows, workspace);
  CHECK(hg::NegativeELBO{hg::BCELoss{}}.value(output, rows, workspace).reconstruction ==
        doctest::Approx(6 * hg::BCELoss{}(output, x)));
  CHECK_THROWS_AS((hg::NegativeELBO{hg::BCELoss{}}(output, x.leftCols(5), workspace)), hg::ShapeError);
}

TEST_CASE("encode, decode, reconstruct and sample take labels") {
  const auto model = small_model<double>();
  const std::vector<std::uint8_t> labels{0, 1, 2, 2, 1};
  const std::vector<std::uint8_t> others{1, 1, 2, 2, 1};
  const auto x = pixels(5);
  hg::Workspace workspace{model, 5};
  const hg::Matrix<double> output = model.forward(hg::condition<double>(x, labels, 3), workspace);
  CHECK(model.reconstruct(x, labels) == output);
  CHECK(model.decode(model.encode(x, labels).mu, labels) == output);
  CHECK(model.reconstruct(x, others).row(0) != output.row(0));
  CHECK(model.reconstruct(x, others).bottomRows(4) == output.bottomRows(4));
  hg::Rng a{1}, b{1};
  const auto samples = model.sample(labels, a);
  CHECK(samples.rows() == 5);
  CHECK(samples.cols() == 6);
  CHECK(samples.row(0) != model.sample(others, b).row(0));  // the same z, another class
  CHECK_THROWS_AS((void)model.decode(hg::Matrix<double>(4, 2), labels), hg::ShapeError);
  CHECK_THROWS_AS((void)model.sample(std::vector<std::uint8_t>{3}, a), hg::DataError);
}

TEST_CASE("a class that says everything needs no latent variable; the same bits on any number of threads") {
  // Each class has one pattern, so that the best ELBO is near 0.
  std::vector<std::uint8_t> labels(300);
  hg::Matrix<float> x(300, 6);
  for (hg::Index i = 0; i < 300; ++i) {
    labels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i % 3);
    for (hg::Index j = 0; j < 6; ++j) x(i, j) = j % 3 == i % 3 ? 1.0f : 0.0f;
  }
  const auto rows = hg::condition(x, labels, 3);
  std::vector<float> losses;
  const int before = hg::num_threads();
  for (const int threads : {1, 2}) {
    hg::set_num_threads(threads);
    auto model = small_model<float>();
    hg::Workspace workspace{model, 300};
    hg::Adam optimizer{{.lr = 2e-2f}};
    hg::Rng draws{1};
    float loss = 0;
    for (int step = 0; step < 200; ++step) {
      loss = hg::NegativeELBO{hg::BCELoss{}}(model.forward(rows, workspace, hg::Training{draws}), rows, workspace).loss;
      model.backward(rows, workspace, optimizer);
    }
    losses.push_back(loss);
    CHECK(loss < 0.2f);  // ln 3 = 1.1 if the class did not reach the decoder
    CHECK(model.sample(std::vector<std::uint8_t>{2}, draws)(0, 2) > 0.9f);
    CHECK(model.sample(std::vector<std::uint8_t>{1}, draws)(0, 2) < 0.1f);
  }
  hg::set_num_threads(before);
  CHECK(losses[0] == losses[1]);
}

TEST_CASE("widths that do not fit are refused") {
  using hg::Linear;
  CHECK_THROWS_WITH_AS((hg::ConditionalVariationalAutoencoder{Linear{9, 4}, Linear{4, 6}, 3}),
                       doctest::Contains("z has 2 features and there are 3 classes, the decoder expects 4"),
                       hg::ShapeError);
  CHECK_THROWS_AS((hg::ConditionalVariationalAutoencoder{Linear{9, 5}, Linear{5, 6}, 3}), hg::ShapeError);
  CHECK_THROWS_AS((hg::ConditionalVariationalAutoencoder{Linear{9, 4}, Linear{5, 6}, 9}), hg::ShapeError);
  CHECK_THROWS_AS((hg::ConditionalVariationalAutoencoder{Linear{9, 4}, Linear{5, 6}, 0}), hg::ShapeError);
}
