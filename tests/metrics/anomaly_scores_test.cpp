#include "hourglass/metrics/anomaly_scores.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "hourglass/data/images.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/nn/linear.hpp"

namespace hg = hourglass;

namespace {

// Keeps the first of two features, halves the second.
auto halving_model() {
  hg::Autoencoder model{hg::Linear{2, 2}, hg::Linear{2, 2}};
  model.encoder().weight() << 1, 0, 0, 1;
  model.decoder().weight() << 1, 0, 0, 0.5f;
  return model;
}

}  // namespace

TEST_CASE("the score of a sample is its mean squared reconstruction error") {
  const auto model = halving_model();
  hg::Matrix<float> x(600, 2);
  for (hg::Index i = 0; i < 600; ++i) x.row(i) << 7, static_cast<float>(i % 16);
  const auto scores = hg::anomaly_scores(model, x);
  REQUIRE(scores.size() == 600);
  for (std::size_t i = 0; i < 600; ++i) CHECK(scores[i] == static_cast<double>((i % 16) * (i % 16)) / 8);
  const hg::Images images({9, 0, 9, 255}, 2, 1, 2);
  CHECK(hg::anomaly_scores(model, images) == std::vector<double>{0, 0.125});
}

TEST_CASE("a variational autoencoder decodes the mean of its posterior") {
  hg::VariationalAutoencoder model{hg::Linear{2, 4}, hg::Linear{2, 2}};
  model.encoder().weight().setZero();
  model.encoder().weight().topRows(2) << 1, 0, 0, 1;
  model.decoder().weight() << 1, 0, 0, 1;
  CHECK(hg::anomaly_scores(model, hg::Matrix<float>{{1, 2}, {3, 4}}) == std::vector<double>{0, 0});
}

TEST_CASE("samples of another width, and none at all, are refused") {
  const auto model = halving_model();
  CHECK_THROWS_WITH_AS((void)hg::anomaly_scores(model, hg::Matrix<float>(1, 3)),
                       doctest::Contains("samples have 3 features, the model expects 2"), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::anomaly_scores(model, hg::Matrix<float>(0, 2)), hg::DataError);
}
