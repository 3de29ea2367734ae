#include "hourglass/nn/pooling.hpp"

#include <doctest/doctest.h>

#include <array>

namespace hg = hourglass;
using hg::detail::Windows;

TEST_CASE("windows are cut off at the border, and cover what the stride leaves") {
  const Windows windows("x", {2, 5, 4}, {3, 2}, {2, 3}, {1, 0});
  CHECK(windows.out == hg::ImageShape{2, 3, 1});
  const auto top = windows.at(0, 0);
  CHECK(std::array{top.top, top.bottom, top.left, top.right} == std::array<hg::Index, 4>{0, 2, 0, 2});
  const auto last = windows.at(2, 0);
  CHECK(std::array{last.top, last.bottom} == std::array<hg::Index, 2>{3, 5});
  hg::Index visits = 0;
  windows.for_each([&](hg::Index place, const auto&, hg::Index channel) {
    CHECK(place == visits++);
    CHECK(channel == (place < 3 ? 0 : 20));
  });
  CHECK(visits == 6);
}
