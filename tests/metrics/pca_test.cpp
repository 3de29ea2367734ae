#include "hourglass/metrics/pca.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>

#include "golden.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/data/images.hpp"

namespace hg = hourglass;

namespace {

hg::Matrix<double> normal(hg::Index rows, hg::Index cols, std::uint64_t seed) {
  hg::Matrix<double> x(rows, cols);
  hg::Rng{seed}.fill_normal(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

}  // namespace

TEST_CASE("PCA agrees with scikit-learn") {
  const Golden golden{"metrics"};
  const auto data = golden.matrix<double>("pca_data");
  const hg::Pca pca(data, 3);
  hg::Matrix<double> expected = golden.matrix<double>("pca_components");
  for (hg::Index k = 0; k < 3; ++k)  // a component's sign is a matter of taste
    if (expected.row(k).dot(pca.components().row(k)) < 0) expected.row(k) *= -1;
  CHECK(difference(pca.components(), expected, {1e-10, 1e-10}) == "");
  CHECK(difference(pca.mean(), golden.matrix<double>("pca_mean"), {1e-12, 0}) == "");
  const auto variances = golden.values<double>("pca_variances");
  const auto ratios = golden.values<double>("pca_ratios");
  CHECK(difference(std::span<const double>(pca.explained_variance()), std::span<const double>(variances), {1e-10, 0}) ==
        "");
  const auto shares = pca.explained_variance_ratio();
  CHECK(difference(std::span<const double>(shares), std::span<const double>(ratios), {1e-10, 0}) == "");
  CHECK(pca.reconstruction_error(data) == doctest::Approx(golden.scalar<double>("pca_error")).epsilon(1e-10));
  for (hg::Index k = 0; k < 3; ++k)
    CHECK(pca.components().row(k).maxCoeff() == pca.components().row(k).cwiseAbs().maxCoeff());
}

TEST_CASE("data of low rank are rebuilt exactly, over more than one block of rows") {
  const hg::Matrix<double> data = normal(1500, 3, 1).lazyProduct(normal(3, 20, 2)).array() + 5.0;
  const hg::Pca pca(data, 3);
  CHECK(pca.reconstruction_error(data) < 1e-24);
  const auto codes = pca.transform(data);
  CHECK(difference(pca.inverse_transform(codes), data, {1e-12, 1e-12}) == "");
  CHECK(pca.reconstruct(data) == pca.inverse_transform(codes));
  const hg::Matrix<double> gram = pca.components().lazyProduct(pca.components().transpose());
  CHECK(difference(gram, hg::Matrix<double>{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {0, 1e-12}) == "");
  // Codes are uncorrelated, and their variances are those of the components.
  const hg::Matrix<double> covariance = codes.transpose().lazyProduct(codes) / 1499.0;
  for (hg::Index i = 0; i < 3; ++i)
    for (hg::Index j = 0; j < 3; ++j)
      CHECK(covariance(i, j) ==
            doctest::Approx(i == j ? pca.explained_variance()[static_cast<std::size_t>(i)] : 0).epsilon(1e-9));
  CHECK(hg::Pca(data, 2).reconstruction_error(data) ==
        doctest::Approx(1499.0 / 1500 / 20 * pca.explained_variance()[2]));
  const hg::Matrix<float> floats = data.cast<float>();
  CHECK(hg::Pca(floats, 3).reconstruction_error(floats) < 1e-12);
}

TEST_CASE("constant data have no variance; 8-bit images are data; the sign of a component is fixed") {
  const hg::Images images({0, 255, 0, 255, 0, 255}, 3, 1, 2);
  const hg::Pca pca(images, 1);
  CHECK(pca.mean() == hg::Matrix<double>{{0, 1}});
  CHECK(pca.explained_variance_ratio()[0] == 0);
  CHECK(pca.reconstruction_error(images) == 0);
  CHECK(hg::Pca(hg::Matrix<double>{{0, 0}, {1, -2}}, 1).components()(0, 1) == doctest::Approx(std::sqrt(0.8)));
}

TEST_CASE("impossible sizes and values are refused") {
  const hg::Matrix<double> data(4, 3);
  CHECK_THROWS_WITH_AS(hg::Pca(data, 4), doctest::Contains("4 components of 3 features"), hg::ShapeError);
  CHECK_THROWS_AS(hg::Pca(data, 0), hg::ShapeError);
  CHECK_THROWS_WITH_AS(hg::Pca(hg::Matrix<double>(1, 3), 2), doctest::Contains("1 samples"), hg::DataError);
  hg::Matrix<float> broken(4, 3);
  broken(1, 2) = NAN;
  CHECK_THROWS_AS(hg::Pca(broken, 2), hg::DataError);
  const hg::Pca pca(normal(10, 3, 1), 2);
  CHECK_THROWS_WITH_AS((void)pca.transform(hg::Matrix<double>(1, 4)), doctest::Contains("4 features"), hg::ShapeError);
  CHECK_THROWS_AS((void)pca.inverse_transform(hg::Matrix<double>(1, 3)), hg::ShapeError);
}
