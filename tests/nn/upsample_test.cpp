#include "hourglass/nn/upsample.hpp"

#include "images.hpp"

namespace hg = hourglass;
using hg::ImageShape;

TEST_CASE("Upsample equals PyTorch's") {
  check_images<float>(hg::Upsample{ImageShape{2, 2, 3}, 2}, "upsample");
  check_images<double>(hg::Upsample<ImageShape{2, 2, 3}, 2>{}, "upsample");
  check_images<float>(hg::Upsample{ImageShape{2, 2, 3}, {1, 3}}, "upsample_rectangular");
}

TEST_CASE("gradient check") {
  CHECK(image_gradcheck(DynamicConv2d<double>{{1, 2, 3}, 2, 1}, hg::Upsample{ImageShape{2, 2, 3}, 2},
                        DynamicConv2d<double>{{2, 4, 6}, 1, 3}) == "");
}

TEST_CASE("errors") {
  CHECK_THROWS_WITH_AS((hg::Upsample{ImageShape{1, 4, 4}, 0}),
                       "Upsample: scale_factor (0, 0) is impossible; it is a whole number from 1 on", hg::ShapeError);
  CHECK_THROWS_AS((hg::Upsample{ImageShape{1, 0, 4}, 2}), hg::ShapeError);
}
