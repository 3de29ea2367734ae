#include "hourglass/loss/reduction.hpp"

#include <doctest/doctest.h>

namespace hg = hourglass;

TEST_CASE("each reduction divides by what its name says") {
  CHECK(hg::reduction_scale(hg::Reduction::mean, 4, 5) == 1.0 / 20);
  CHECK(hg::reduction_scale(hg::Reduction::sum, 4, 5) == 1.0);
  CHECK(hg::reduction_scale(hg::Reduction::batchmean, 4, 5) == 1.0 / 4);
}
