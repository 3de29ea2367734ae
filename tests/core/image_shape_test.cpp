#include "hourglass/core/image_shape.hpp"

#include <doctest/doctest.h>

namespace hg = hourglass;
using hg::ImageShape;

TEST_CASE("shapes") {
  static_assert(ImageShape{3, 28, 14}.size() == 3 * 28 * 14 && ImageShape{3, 28, 14}.plane() == 28 * 14);
  static_assert(hg::Size2d{3} == hg::Size2d{3, 3});
  CHECK(ImageShape{1, 28, 14}.str() == "(1, 28, 14)");
  static_assert(hg::compatible(hg::any_image, ImageShape{1, 2, 3}) &&
                hg::compatible(ImageShape{1, 2, 3}, hg::any_image));
  static_assert(!hg::compatible(ImageShape{1, 2, 3}, ImageShape{3, 2, 1}));
}

TEST_CASE("shapes of which only some numbers are known") {
  constexpr ImageShape channels{8, hg::Dynamic, hg::Dynamic};
  static_assert(hg::compatible(channels, ImageShape{8, 2, 3}) && !hg::compatible(ImageShape{2, 8, 3}, channels));
  static_assert(hg::merged(channels, ImageShape{hg::Dynamic, 2, hg::Dynamic}) == ImageShape{8, 2, hg::Dynamic});
  static_assert(hg::merged(hg::any_image, ImageShape{8, 2, 3}) == ImageShape{8, 2, 3});
  static_assert(channels.size() == hg::Dynamic && !channels.is_known() && ImageShape{8, 2, 3}.is_known());
  CHECK(channels.str() == "(8, ?, ?)");
}

TEST_CASE("places of windows") {
  using hg::detail::window_places;
  static_assert(window_places("x", {1, 28, 28}, 3, 2, 1) == hg::Size2d{14, 14});
  static_assert(window_places("x", {1, 5, 7}, 2, 2, 0) == hg::Size2d{2, 3});
  static_assert(window_places("x", {1, 3, 3}, 3, 1, 0) == hg::Size2d{1, 1});
  CHECK_THROWS_WITH_AS(
      (void)window_places("x", {1, 2, 3}, 3, 1, 0),
      "x: kernel (3, 3) is larger than the image (1, 2, 3) with padding (0, 0); make the kernel smaller "
      "or pad more",
      hg::ShapeError);
}
