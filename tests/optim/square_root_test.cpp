#include "hourglass/optim/square_root.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

namespace hg = hourglass;

TEST_CASE_TEMPLATE("square roots are correctly rounded", Scalar, float, double) {
  std::array<Scalar, 64> values{};
  for (std::size_t i = 0; i < 64; ++i) values[i] = std::pow(Scalar(7), static_cast<Scalar>(i) - 32) * Scalar(1.1);
  values[63] = 0;
  const std::array<Scalar, 64> before = values;
  hg::detail::square_roots(values.data(), 60);
  for (std::size_t i = 0; i < 64; ++i) CHECK(values[i] == (i < 60 ? std::sqrt(before[i]) : before[i]));
}
