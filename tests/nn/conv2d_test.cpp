#include "hourglass/nn/conv2d.hpp"

#include <string>
#include <vector>

#include "hourglass/nn/tanh.hpp"
#include "images.hpp"

namespace hg = hourglass;
using hg::ImageShape;
using hg::Size2d;

namespace {

template <class Scalar>
void check_all() {
  using Conv = DynamicConv2d<Scalar>;
  check_images<Scalar>(Conv{{1, 5, 6}, 3, 3}, "conv2d");
  check_images<Scalar>(Conv{{2, 5, 5}, 4, 3, {.padding = 1}}, "conv2d_padded");
  check_images<Scalar>(Conv{{3, 6, 7}, 5, 3, {.stride = 2, .padding = 1}}, "conv2d_stride_2");
  check_images<Scalar>(Conv{{2, 7, 5}, 3, {2, 3}, {.stride = {3, 1}, .padding = {0, 1}}}, "conv2d_rectangular");
  check_images<Scalar>(Conv{{2, 5, 5}, 3, 1, {.stride = 2, .bias = false}}, "conv2d_pixel");
  check_images<Scalar>(Conv{{2, 6, 6}, 18, 4, {.stride = 2, .padding = 1}}, "conv2d_4");
  check_images<Scalar>(Conv{{1, 3, 3}, 2, 3, {.padding = 4}}, "conv2d_border");
  check_images<Scalar>(Conv{{5, 4, 5}, 2, {3, 2}, {.padding = 1}}, "conv2d_narrowing");
}

}  // namespace

TEST_CASE("Conv2d equals PyTorch's") {
  check_all<float>();
  check_all<double>();
  check_images<float>(hg::Conv2d<ImageShape{3, 6, 7}, 5, 3, 2, 1>{}, "conv2d_stride_2");
  check_images<float>(hg::Conv2d<ImageShape{2, 7, 5}, 3, Size2d{2, 3}, Size2d{3, 1}, Size2d{0, 1}>{},
                      "conv2d_rectangular");
  check_images<float>(hg::Conv2d<ImageShape{2, 5, 5}, 3, 1, 2>{{.bias = false}}, "conv2d_pixel");
}

TEST_CASE("gradient check") {
  using Conv = DynamicConv2d<double>;
  CHECK(image_gradcheck(Conv{{2, 5, 4}, 3, 3, {.padding = 1}}, Conv{{3, 5, 4}, 2, 2}) == "");
  CHECK(image_gradcheck(Conv{{1, 6, 6}, 2, 3, {.stride = 2, .padding = 1}}, hg::Tanh{},
                        Conv{{2, 3, 3}, 2, 2, {.stride = 2, .padding = 1, .bias = false}}) == "");
  CHECK(image_gradcheck(Conv{{9, 3, 3}, 2, 3, {.padding = 1}}) == "");  // columns are input channels, in two blocks
  CHECK(image_gradcheck(Conv{{1, 1, 1}, 1, 1}, Conv{{1, 1, 1}, 1, 3, {.stride = 3, .padding = 1}}) == "");
}

TEST_CASE("names, shapes and first values are PyTorch's") {
  hg::Conv2d layer{ImageShape{4, 8, 6}, 5, {3, 1}};
  std::vector<std::string> names;
  hg::for_each_parameter(layer,
                         [&](const auto& name, const auto& p) { names.push_back(name.str() + p.shape().str()); });
  CHECK(names == std::vector<std::string>{"weight(5, 4, 3, 1)", "bias(5)"});
  CHECK(layer.out_image() == ImageShape{5, 6, 6});
  static_assert(hg::Conv2d<ImageShape{1, 28, 28}, 16, 3, 2, 1>::static_out_image == ImageShape{16, 14, 14});
  static_assert(hg::Conv2d<ImageShape{1, 28, 28}, 16, 3, 2, 1>::static_out == 16 * 14 * 14);
  hg::Rng rng{1};
  hg::initialize(layer, rng);
  const double bound = 1 / std::sqrt(12.0);  // fan_in = 4 * 3 * 1
  CHECK(layer.weight().cwiseAbs().maxCoeff() <= bound);
  CHECK(layer.weight().cwiseAbs().maxCoeff() > 0.8 * bound);
  CHECK(layer.bias().cwiseAbs().maxCoeff() <= bound);
}

TEST_CASE("errors") {
  CHECK_THROWS_WITH_AS((hg::Conv2d{ImageShape{1, 4, 4}, 2, 7, {.padding = 1}}),
                       "Conv2d: kernel (7, 7) is larger than the image (1, 4, 4) with padding (1, 1); make the kernel "
                       "smaller or pad more",
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Conv2d{ImageShape{1, 4, 4}, 2, 3, {.stride = 0}}), doctest::Contains("stride (0, 0)"),
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Conv2d{ImageShape{1, 4, 4}, 2, 3, {.padding = {0, -1}}}),
                       doctest::Contains("padding (0, -1)"), hg::ShapeError);
  CHECK_THROWS_AS((hg::Conv2d{ImageShape{1, 4, 4}, 0, 3}), hg::ShapeError);
  CHECK_THROWS_AS((hg::Conv2d{ImageShape{0, 4, 4}, 1, 3}), hg::ShapeError);
  CHECK_THROWS_AS((hg::Conv2d{ImageShape{1, 4, 4}, 1, {3, 0}}), hg::ShapeError);
  hg::Sequential model{hg::Conv2d<ImageShape{1, 28, 28}, 2, 3>{}};
  CHECK_THROWS_WITH_AS((void)model(hg::Matrix<float>(2, 6)),
                       "Conv2d: input has 6 features, an image of shape (1, 28, 28) has 784; check the layer before it",
                       hg::ShapeError);
}
