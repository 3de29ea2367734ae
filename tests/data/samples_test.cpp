#include "hourglass/data/samples.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include "files.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;
using files::contains;
using files::thrown;

using RowMajorFloat = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

static_assert(std::is_convertible_v<const hg::Images&, hg::Samples> && std::is_convertible_v<hg::Images&, hg::Samples>);
static_assert(std::is_convertible_v<hg::ImageSpan, hg::Samples>);
static_assert(std::is_convertible_v<const hg::Matrix<float>&, hg::Samples> &&
              std::is_convertible_v<hg::Matrix<double>&, hg::Samples>);
static_assert(std::is_convertible_v<hg::ConstMatrixView<float>, hg::Samples> &&
              std::is_convertible_v<hg::MatrixView<double>, hg::Samples>);
static_assert(std::is_convertible_v<RowMajorFloat&, hg::Samples>);
// Temporaries that own their elements would be gone before the view is used.
static_assert(!std::is_constructible_v<hg::Samples, hg::Images> &&
              !std::is_constructible_v<hg::Samples, const hg::Images>);
static_assert(!std::is_constructible_v<hg::Samples, hg::Matrix<float>> &&
              !std::is_constructible_v<hg::Samples, const hg::Matrix<double>>);
static_assert(!std::is_constructible_v<hg::Samples, RowMajorFloat>);
static_assert(!std::is_constructible_v<hg::Samples, Eigen::Matrix<int, 2, 2, Eigen::RowMajor>&>);
static_assert(std::is_trivially_copyable_v<hg::Samples>);

namespace {

template <class Scalar>
hg::Matrix<Scalar> random_matrix(hg::Index rows, hg::Index cols) {
  hg::Rng rng{5};
  hg::Matrix<Scalar> x(rows, cols);
  rng.fill_normal(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

}  // namespace

TEST_CASE_TEMPLATE("samples: rows by index and in order, from floats and doubles", Scalar, float, double) {
  const auto x = random_matrix<Scalar>(7, 5);
  const hg::Samples samples = x;
  CHECK(samples.rows() == 7);
  CHECK(samples.cols() == 5);
  const std::vector<hg::Index> order{6, 0, 3, 3};
  hg::Matrix<float> floats(4, 5);
  hg::Matrix<double> doubles(4, 5);
  samples.gather(order, floats);
  samples.gather(order, doubles);
  for (hg::Index i = 0; i < 4; ++i)
    for (hg::Index j = 0; j < 5; ++j) {
      const Scalar expected = x(order[static_cast<std::size_t>(i)], j);
      CHECK(floats(i, j) == static_cast<float>(expected));
      CHECK(doubles(i, j) == static_cast<double>(expected));
    }
  samples.copy_rows(3, floats);
  for (hg::Index i = 0; i < 4; ++i)
    for (hg::Index j = 0; j < 5; ++j) CHECK(floats(i, j) == static_cast<float>(x(3 + i, j)));
  samples.middleRows(2, 5).topRows(4).copy_rows(0, floats);
  CHECK(floats(0, 4) == static_cast<float>(x(2, 4)));
}

TEST_CASE("samples: images are scaled by 1/255") {
  std::vector<std::uint8_t> pixels(6 * 28);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{50});
  const hg::Images images(pixels, 6, 4, 7);
  const hg::Samples samples = images;
  hg::Matrix<float> out(2, 28);
  samples.gather(std::vector<hg::Index>{5, 1}, out);
  for (hg::Index j = 0; j < 28; ++j) {
    CHECK(out(0, j) == static_cast<float>(pixels[static_cast<std::size_t>(5 * 28 + j)]) / 255.0f);
    CHECK(out(1, j) == static_cast<float>(pixels[static_cast<std::size_t>(28 + j)]) / 255.0f);
  }
  hg::Matrix<double> rows(3, 28);
  hg::Samples(images.middleRows(2, 4)).copy_rows(1, rows);
  CHECK(rows(0, 0) == pixels[3 * 28] / 255.0);
  samples.check_finite();
}

TEST_CASE("samples: Eigen's own matrices, blocks with a stride, vectors") {
  RowMajorFloat x(4, 6);
  for (hg::Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  hg::Matrix<float> out(4, 3);
  hg::Samples(x.middleCols(2, 3)).copy_rows(0, out);
  CHECK((out.array() == x.middleCols(2, 3).array()).all());
  const Eigen::VectorXf column = Eigen::VectorXf::LinSpaced(5, 0, 4);
  hg::Matrix<float> one(5, 1);
  hg::Samples(column).copy_rows(0, one);
  CHECK(one(3, 0) == 3.0f);
  const Eigen::RowVectorXd row = Eigen::RowVectorXd::LinSpaced(5, 0, 4);
  CHECK(hg::Samples(row).rows() == 1);
  const Eigen::Map<const RowMajorFloat, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>> spread(
      x.data(), 2, 3, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(12, 2));
  CHECK(contains(thrown<hg::ShapeError>([&] { hg::Samples{spread}; }), {"2 apart"}));
}

TEST_CASE("samples: wrong shapes and indices") {
  const auto x = random_matrix<float>(3, 2);
  const hg::Samples samples = x;
  hg::Matrix<float> out(2, 2);
  hg::Matrix<float> wide(2, 3);
  const auto gather = [&](const std::vector<hg::Index>& order, hg::MatrixView<float> to) {
    return thrown<hg::ShapeError>([&] { samples.gather(order, to); });
  };
  CHECK(contains(gather({0, 1, 2}, out), {"(2, 2)", "(3, 2)"}));
  CHECK(contains(gather({0, 1}, wide), {"(2, 3)", "(2, 2)"}));
  CHECK(contains(gather({0, 3}, out), {"index 3 at place 1", "3 samples"}));
  CHECK(contains(gather({-1, 0}, out), {"index -1 at place 0"}));
  CHECK(!thrown<hg::ShapeError>([&] { samples.copy_rows(2, out); }).empty());
  CHECK(!thrown<hg::ShapeError>([&] { samples.copy_rows(-1, out); }).empty());
  CHECK(!thrown<hg::ShapeError>([&] { samples.copy_rows(0, wide); }).empty());
  CHECK(!thrown<hg::ShapeError>([&] { static_cast<void>(samples.topRows(4)); }).empty());
}

TEST_CASE("samples: nothing") {
  const hg::Samples none;
  CHECK(none.empty());
  CHECK(none.rows() == 0);
  CHECK(none.cols() == 0);
  none.check_finite();
  const hg::Images no_images;
  CHECK(hg::Samples(no_images).empty());
  const hg::Matrix<float> no_rows(0, 3);
  CHECK(hg::Samples(no_rows).empty());
  CHECK(hg::Samples(no_rows).topRows(0).empty());
}

TEST_CASE_TEMPLATE("samples: the first NaN or infinity is named", Scalar, float, double) {
  using Limits = std::numeric_limits<Scalar>;
  auto x = random_matrix<Scalar>(9, 33);
  x(0, 0) = Limits::max();
  x(0, 1) = Limits::denorm_min();
  x(0, 2) = -Limits::max();
  x(0, 3) = -Scalar(0);
  hg::Samples(x).check_finite();
  const auto message = [&] { return thrown<hg::DataError>([&] { hg::Samples(x).check_finite(); }); };
  x(8, 32) = -Limits::infinity();
  CHECK(contains(message(), {"row 8, column 32", "-inf"}));
  x(5, 7) = Limits::quiet_NaN();
  x(5, 8) = Limits::infinity();
  CHECK(contains(message(), {"row 5, column 7", "nan"}));
  // A window does not look beyond itself.
  hg::Samples(x).topRows(5).check_finite();
}
