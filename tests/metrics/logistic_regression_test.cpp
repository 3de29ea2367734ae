#include "hourglass/metrics/logistic_regression.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "golden.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;

TEST_CASE("logistic regression finds the minimum that scikit-learn finds") {
  const Golden golden{"metrics"};
  const auto data = golden.matrix<double>("classes_data");
  const auto labels = golden.values<std::int64_t>("classes_labels");
  const hg::LogisticRegression model(data, labels, {.l2 = 0.01, .tolerance = 1e-9, .standardize = false});
  CHECK(model.report().converged);
  CHECK(difference(model.weight(), golden.matrix<double>("classes_weight"), {1e-6, 1e-6}) == "");
  // Shifting all biases alike changes nothing: compare differences.
  hg::Matrix<double> bias = golden.matrix<double>("classes_bias");
  bias.array() += model.bias()(0, 0) - bias(0, 0);
  CHECK(difference(model.bias(), bias, {1e-6, 1e-6}) == "");
  CHECK(model.accuracy(data, labels) == doctest::Approx(golden.scalar<double>("classes_accuracy")));
  CHECK(hg::linear_probe(data, labels, data, labels, {.l2 = 0.01, .standardize = false}) ==
        model.accuracy(data, labels));
}

TEST_CASE("standardised, the scale and place of features make no difference") {
  const Golden golden{"metrics"};
  const auto data = golden.matrix<double>("classes_data");
  const auto labels = golden.values<std::int64_t>("classes_labels");
  hg::Matrix<double> moved(data.rows(), 6);
  moved.leftCols(4) = data.array() * 1e-3 + 7;
  moved.col(0) *= 1e6;
  moved.col(4).setConstant(0.1);  // constant features are left out
  moved.col(5).setConstant(1e5);
  const hg::LogisticRegression plain(data, labels, {.l2 = 0.01, .tolerance = 1e-9});
  const hg::LogisticRegression scaled(moved, labels, {.l2 = 0.01, .tolerance = 1e-9});
  CHECK(plain.report().converged);
  CHECK(scaled.report().converged);
  CHECK(difference(scaled.weight().col(1), hg::Matrix<double>(plain.weight().col(1) * 1e3), {1e-5, 0}) == "");
  CHECK(scaled.weight().rightCols(2).isZero());
  CHECK(scaled.predict(moved) == plain.predict(data));
}

TEST_CASE("separable classes are separated, over more than one block of rows, from floats") {
  hg::Rng rng{1};
  hg::Matrix<float> data(3000, 3);
  rng.fill_uniform(std::span<float>(data.data(), static_cast<std::size_t>(data.size())), -1.0f, 1.0f);
  std::vector<std::uint8_t> labels;
  for (hg::Index i = 0; i < data.rows(); ++i) {
    labels.push_back(static_cast<std::uint8_t>(i % 2));
    data(i, 1) = data(i, 1) + (i % 2 == 0 ? 2.0f : -2.0f);
  }
  const hg::LogisticRegression model(data, labels);
  CHECK(model.report().converged);
  CHECK(model.accuracy(data, labels) == 1);
  const hg::Matrix<float> last = data.bottomRows(1);
  CHECK(model.predict(last) == std::vector<hg::Index>{1});
}

TEST_CASE("labels and data that do not fit are refused") {
  const hg::Matrix<float> data(3, 2);
  const std::vector<int> labels{0, 1, 0};
  CHECK_THROWS_WITH_AS((hg::LogisticRegression{data, std::vector<int>{0, 1}}), doctest::Contains("3 samples, 2 labels"),
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::LogisticRegression{data, std::vector<int>{0, -1, 0}}), doctest::Contains("label 1 is -1"),
                       hg::DataError);
  CHECK_THROWS_AS((hg::LogisticRegression{hg::Matrix<float>(0, 2), std::vector<int>{}}), hg::DataError);
  CHECK_THROWS_AS((hg::LogisticRegression{data, labels, {.l2 = -1}}), hg::DataError);
  hg::Matrix<float> broken = data;
  broken(1, 1) = INFINITY;
  CHECK_THROWS_AS((hg::LogisticRegression{broken, labels}), hg::DataError);
  const hg::LogisticRegression model(data, labels);
  CHECK_THROWS_WITH_AS((void)model.predict(hg::Matrix<float>(1, 3)), doctest::Contains("3 features, the weights 2"),
                       hg::ShapeError);
  CHECK_THROWS_AS((void)model.accuracy(data, std::vector<int>{0}), hg::ShapeError);
  CHECK_THROWS_AS((void)model.accuracy(hg::Matrix<float>(0, 2), std::vector<int>{}), hg::DataError);
}
