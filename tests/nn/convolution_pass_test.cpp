#include "hourglass/nn/convolution_pass.hpp"

#include <doctest/doctest.h>

namespace hg = hourglass;
using hg::ImageShape;
using hg::Index;
using hg::Size2d;

TEST_CASE("channels are in the lanes where they leave fewer of them empty") {
  const auto down = [](Index in, Index size, Index out) {
    const ImageShape image{in, size, size};
    const ImageShape pixels{out, size / 2, size / 2};
    return hg::detail::to_pixels_pass(image, pixels, Size2d{3}, Size2d{2}, Size2d{1});
  };
  CHECK(down(32, 14, 64).suits_channels(16));
  CHECK_FALSE(down(1, 14, 64).suits_channels(16));  // 9 terms
  CHECK_FALSE(down(32, 14, 8).suits_channels(16));
  CHECK(down(32, 8, 16).suits_channels(16));
  CHECK_FALSE(down(32, 60, 16).suits_channels(16));
}
