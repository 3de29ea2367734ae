#include "hourglass/data/binarize.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <span>

#include "files.hpp"
#include "hourglass/core/rng.hpp"

namespace hg = hourglass;
using files::contains;
using files::thrown;

TEST_CASE_TEMPLATE("binarize: by threshold", Scalar, float, double) {
  hg::Matrix<Scalar> x{{0, Scalar(0.5), Scalar(0.6)}, {1, Scalar(0.2), -3}};
  hg::Matrix<Scalar> y = x;
  hg::binarize(x);
  CHECK((x.array() == hg::Matrix<Scalar>{{0, 0, 1}, {1, 0, 0}}.array()).all());
  hg::binarize(y, 0.1);
  CHECK((y.array() == hg::Matrix<Scalar>{{0, 1, 1}, {1, 1, 0}}.array()).all());
  y(1, 2) = std::numeric_limits<Scalar>::quiet_NaN();
  CHECK(contains(thrown<hg::DataError>([&] { hg::binarize(y); }), {"row 1, column 2", "nan"}));
  hg::Matrix<Scalar> none(0, 3);
  hg::binarize(none);
}

TEST_CASE_TEMPLATE("binarize: 1 with a probability equal to the value", Scalar, float, double) {
  constexpr hg::Index rows = 4001;  // no multiple of a block
  hg::Matrix<Scalar> x(rows, 5);
  const Scalar chance[] = {0, Scalar(0.1), Scalar(0.5), Scalar(0.93), 1};
  for (hg::Index i = 0; i < rows; ++i)
    for (hg::Index j = 0; j < 5; ++j) x(i, j) = chance[j];
  const hg::Matrix<Scalar> before = x;
  hg::Rng rng{11};
  hg::binarize(x, rng);
  CHECK(((x.array() == 0) || (x.array() == 1)).all());
  for (hg::Index j = 0; j < 5; ++j) {
    const double p = static_cast<double>(chance[j]);
    const double error = 4 * std::sqrt(p * (1 - p) / rows);
    CAPTURE(p);
    CHECK(std::abs(static_cast<double>(x.col(j).mean()) - p) <= error);
  }
  // The same draws as one fill of the whole matrix, and new ones each time.
  hg::Matrix<Scalar> draws(rows, 5);
  hg::Rng twin{11};
  twin.fill_uniform(std::span<Scalar>(draws.data(), static_cast<std::size_t>(draws.size())));
  CHECK(((draws.array() < before.array()) == (x.array() == 1)).all());
  CHECK(rng.state() == twin.state());
  hg::Matrix<Scalar> again = before;
  hg::binarize(again, rng);
  CHECK(!(again.array() == x.array()).all());
}

TEST_CASE("binarize: values that are no probability are refused and nothing changes") {
  for (const float bad :
       {-0.001f, 1.001f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    hg::Matrix<float> x{{0.5f, 0.25f}, {0.5f, bad}, {bad, 0.5f}};
    hg::Rng rng{3};
    const auto state = rng.state();
    CHECK(contains(thrown<hg::DataError>([&] { hg::binarize(x, rng); }), {"row 1, column 1", "[0, 1]"}));
    CHECK(x(0, 1) == 0.25f);
    CHECK(rng.state() == state);
  }
}
