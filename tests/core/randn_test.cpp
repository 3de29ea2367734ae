#include "hourglass/core/randn.hpp"

#include <doctest/doctest.h>

#include <array>
#include <span>

namespace hg = hourglass;

TEST_CASE_TEMPLATE("randn draws what fill_normal does, row after row, and moves the generator on", Scalar, float,
                   double) {
  hg::Rng rng{3};
  const hg::Matrix<Scalar> values = hg::randn<Scalar>(3, 5, rng);
  REQUIRE(values.rows() == 3);
  REQUIRE(values.cols() == 5);
  hg::Rng same{3};
  std::array<Scalar, 15> expected{};
  same.fill_normal(std::span<Scalar>(expected));
  for (hg::Index i = 0; i < 15; ++i) CHECK(values(i / 5, i % 5) == expected[static_cast<std::size_t>(i)]);
  CHECK(rng.state() == same.state());
}

TEST_CASE("randn: no rows, no columns, impossible ones") {
  hg::Rng rng{1};
  CHECK(hg::randn(0, 4, rng).size() == 0);
  CHECK(hg::randn(4, 0, rng).rows() == 4);
  CHECK_THROWS_AS((void)hg::randn(-1, 4, rng), hg::ShapeError);
}
