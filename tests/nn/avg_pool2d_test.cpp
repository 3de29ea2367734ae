#include "hourglass/nn/avg_pool2d.hpp"

#include "images.hpp"

namespace hg = hourglass;
using hg::ImageShape;

TEST_CASE("AvgPool2d equals PyTorch's") {
  check_images<float>(hg::AvgPool2d{ImageShape{2, 4, 6}, 2}, "avg_pool2d");
  check_images<double>(hg::AvgPool2d<ImageShape{2, 4, 6}, 2>{}, "avg_pool2d");
  check_images<float>(hg::AvgPool2d<ImageShape{2, 5, 6}, 3, 2, 1>{}, "avg_pool2d_overlapping");
  check_images<double>(hg::AvgPool2d{ImageShape{2, 5, 6}, 3, {.stride = hg::Size2d{2}, .padding = 1}},
                       "avg_pool2d_overlapping");
}

TEST_CASE("gradient check") {
  CHECK(image_gradcheck(DynamicConv2d<double>{{1, 4, 5}, 2, 1},
                        hg::AvgPool2d{ImageShape{2, 4, 5}, 3, {.stride = hg::Size2d{2}, .padding = 1}}) == "");
}

TEST_CASE("errors") {
  CHECK_THROWS_AS((hg::AvgPool2d{ImageShape{1, 4, 4}, 5}), hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::AvgPool2d{ImageShape{1, 4, 4}, 2, {.padding = 2}}),
                       doctest::Contains("AvgPool2d: padding (2, 2)"), hg::ShapeError);
}
