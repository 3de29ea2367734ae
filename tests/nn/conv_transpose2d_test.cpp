#include "hourglass/nn/conv_transpose2d.hpp"

#include <string>
#include <vector>

#include "hourglass/nn/tanh.hpp"
#include "images.hpp"

namespace hg = hourglass;
using hg::ImageShape;

namespace {

template <class Scalar>
void check_all() {
  using Conv = DynamicConvTranspose2d<Scalar>;
  check_images<Scalar>(Conv{{3, 4, 4}, 2, 3}, "conv_transpose2d");
  check_images<Scalar>(Conv{{3, 3, 4}, 2, 3, {.stride = 2, .padding = 1, .output_padding = 1}},
                       "conv_transpose2d_doubling");
  check_images<Scalar>(Conv{{2, 3, 3}, 3, 4, {.stride = 2, .padding = 1, .bias = false}}, "conv_transpose2d_4");
  check_images<Scalar>(Conv{{2, 3, 3}, 3, 2, {.stride = 3, .output_padding = 2}}, "conv_transpose2d_gaps");
  check_images<Scalar>(Conv{{18, 3, 2}, 2, {3, 2}, {.stride = {1, 2}, .padding = {2, 0}, .output_padding = {0, 1}}},
                       "conv_transpose2d_rectangular");
  check_images<Scalar>(Conv{{2, 4, 5}, 20, {2, 3}, {.padding = 1}}, "conv_transpose2d_widening");
}

}  // namespace

TEST_CASE("ConvTranspose2d equals PyTorch's") {
  check_all<float>();
  check_all<double>();
  check_images<float>(hg::ConvTranspose2d<ImageShape{3, 3, 4}, 2, 3, 2, 1, 1>{}, "conv_transpose2d_doubling");
  check_images<float>(hg::ConvTranspose2d<ImageShape{2, 3, 3}, 3, 4, 2, 1>{{.bias = false}}, "conv_transpose2d_4");
}

TEST_CASE("gradient check") {
  using Conv = DynamicConvTranspose2d<double>;
  CHECK(image_gradcheck(Conv{{3, 3, 2}, 2, 3}, Conv{{2, 5, 4}, 2, 3, {.padding = 1}}) == "");
  CHECK(image_gradcheck(Conv{{2, 2, 3}, 2, 3, {.stride = 2, .padding = 1, .output_padding = 1}}, hg::Tanh{},
                        Conv{{2, 4, 6}, 1, 3, {.stride = 2, .padding = 1, .output_padding = 1, .bias = false}}) == "");
  CHECK(image_gradcheck(Conv{{1, 2, 2}, 2, 1, {.stride = 2}}, Conv{{2, 3, 3}, 1, 2, {.stride = 3}}) == "");
}

TEST_CASE("names, shapes and first values are PyTorch's") {
  hg::ConvTranspose2d layer{ImageShape{4, 8, 6}, 5, {3, 1}};
  std::vector<std::string> names;
  hg::for_each_parameter(layer,
                         [&](const auto& name, const auto& p) { names.push_back(name.str() + p.shape().str()); });
  CHECK(names == std::vector<std::string>{"weight(4, 5, 3, 1)", "bias(5)"});
  static_assert(hg::ConvTranspose2d<ImageShape{64, 7, 7}, 32, 3, 2, 1, 1>::static_out_image == ImageShape{32, 14, 14});
  hg::Rng rng{1};
  hg::initialize(layer, rng);
  const double bound = 1 / std::sqrt(15.0);  // PyTorch counts the second axis as inputs: 5 * 3 * 1
  CHECK(layer.weight().cwiseAbs().maxCoeff() <= bound);
  CHECK(layer.weight().cwiseAbs().maxCoeff() > 0.8 * bound);
  CHECK(layer.bias().cwiseAbs().maxCoeff() <= bound);
}

TEST_CASE("errors") {
  CHECK_THROWS_WITH_AS((hg::ConvTranspose2d{ImageShape{1, 4, 4}, 2, 3, {.stride = 2, .output_padding = 2}}),
                       "ConvTranspose2d: output_padding (2, 2) must be at least 0 and below the stride (2, 2)",
                       hg::ShapeError);
  CHECK_THROWS_AS((hg::ConvTranspose2d{ImageShape{1, 4, 4}, 2, 3, {.output_padding = 1}}), hg::ShapeError);
  CHECK_THROWS_AS((hg::ConvTranspose2d{ImageShape{1, 4, 4}, 2, 3, {.stride = 0}}), hg::ShapeError);
  CHECK_THROWS_AS((hg::ConvTranspose2d{ImageShape{1, 1, 1}, 2, 3, {.padding = 2}}), hg::ShapeError);
  CHECK_THROWS_AS((hg::ConvTranspose2d{ImageShape{1, 4, 4}, 0, 3}), hg::ShapeError);
}
