#include "hourglass/core/extent.hpp"

#include <doctest/doctest.h>

#include <type_traits>

namespace hg = hourglass;

TEST_CASE("compatible: equal numbers, or one of them unknown") {
  static_assert(hg::compatible(3, 3));
  static_assert(hg::compatible(hg::Dynamic, 3) && hg::compatible(3, hg::Dynamic));
  static_assert(!hg::compatible(3, 4));
  static_assert(hg::widths_match<0, 3, 3> && !hg::widths_match<0, 3, 4>);
}

TEST_CASE("a static extent costs no memory, a dynamic one is checked") {
  static_assert(std::is_empty_v<hg::Extent<5>>);
  CHECK(hg::Extent<5>{}.value() == 5);
  CHECK(hg::Extent<hg::Dynamic>{7}.value() == 7);
  CHECK_THROWS_WITH_AS(hg::Extent<5>{6}, doctest::Contains("run-time width is 6, the static width is 5"),
                       hg::ShapeError);
  CHECK_THROWS_AS(hg::Extent<hg::Dynamic>{0}, hg::ShapeError);
  CHECK_THROWS_AS(hg::Extent<hg::Dynamic>{-1}, hg::ShapeError);
}
