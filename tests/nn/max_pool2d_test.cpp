#include "hourglass/nn/max_pool2d.hpp"

#include <cmath>
#include <limits>

#include "images.hpp"

namespace hg = hourglass;
using hg::ImageShape;
using hg::Size2d;

namespace {

template <class Scalar>
void check_all() {
  check_images<Scalar>(hg::MaxPool2d{ImageShape{2, 4, 6}, 2}, "max_pool2d");
  check_images<Scalar>(hg::MaxPool2d{ImageShape{2, 5, 7}, 2}, "max_pool2d_odd");
  check_images<Scalar>(hg::MaxPool2d{ImageShape{2, 5, 6}, 3, {.stride = 2, .padding = 1}}, "max_pool2d_overlapping");
  check_images<Scalar>(hg::MaxPool2d{ImageShape{1, 5, 6}, {1, 3}, {.stride = Size2d{2, 1}}}, "max_pool2d_rectangular");
}

}  // namespace

TEST_CASE("MaxPool2d equals PyTorch's, with equal values in a window") {
  check_all<float>();
  check_all<double>();
  check_images<float>(hg::MaxPool2d<ImageShape{2, 4, 6}, 2>{}, "max_pool2d");
  check_images<float>(hg::MaxPool2d<ImageShape{2, 5, 6}, 3, 2, 1>{}, "max_pool2d_overlapping");
  static_assert(hg::MaxPool2d<ImageShape{2, 5, 7}, 2>::static_out_image == ImageShape{2, 2, 3});
}

TEST_CASE("gradient check") {
  CHECK(image_gradcheck(DynamicConv2d<double>{{1, 4, 4}, 2, 1}, hg::MaxPool2d{ImageShape{2, 4, 4}, 2},
                        DynamicConv2d<double>{{2, 2, 2}, 1, 2}) == "");
}

TEST_CASE("NaN goes through") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const hg::Index padding : {0, 1}) {  // with and without the shortcut for windows of 2 by 2
    hg::Sequential model{hg::MaxPool2d{ImageShape{1, 2, 2}, 2, {.padding = padding}}};
    for (int at = 0; at < 4; ++at) {
      hg::Matrix<float> x{{1, 2, 3, 4}};
      x(0, at) = nan;
      const auto y = model(x);
      CHECK(std::isnan(y(0, padding == 0 ? 0 : at)));
    }
  }
}

TEST_CASE("errors") {
  CHECK_THROWS_AS((hg::MaxPool2d{ImageShape{1, 4, 4}, 5}), hg::ShapeError);
  CHECK_THROWS_AS((hg::MaxPool2d{ImageShape{1, 4, 4}, 2, {.stride = 0}}), hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::MaxPool2d{ImageShape{1, 4, 4}, 3, {.padding = 2}}),
                       doctest::Contains("padding (2, 2) is above half of the kernel (3, 3)"), hg::ShapeError);
  hg::Sequential model{hg::MaxPool2d{ImageShape{1, 4, 4}, 2}};
  CHECK_THROWS_WITH_AS((void)model(hg::Matrix<float>(2, 6)), doctest::Contains("MaxPool2d: input has 6 features"),
                       hg::ShapeError);
}
