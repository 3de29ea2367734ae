#include "hourglass/nn/flatten.hpp"

#include <doctest/doctest.h>

#include "hourglass/nn/batch_norm.hpp"
#include "hourglass/nn/conv2d.hpp"
#include "hourglass/nn/dropout.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/max_pool2d.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"

namespace hg = hourglass;
using hg::ImageShape;

TEST_CASE("numbers stay as they are") {
  const hg::Sequential model{hg::Unflatten{ImageShape{1, 2, 3}}, hg::Flatten{}};
  const hg::Matrix<float> x{{1, 2, 3, 4, 5, 6}};
  CHECK(model(x) == x);
  CHECK(model.in_features() == 6);
}

TEST_CASE("image shapes are followed through networks") {
  const hg::Sequential model{hg::Linear{10, 6}, hg::Unflatten{ImageShape{1, 2, 3}}, hg::ReLU{}, hg::Dropout{},
                             hg::Conv2d{ImageShape{1, 2, 3}, 4, 1}};
  CHECK(model.out_image() == ImageShape{4, 2, 3});
  CHECK(model.in_image() == hg::any_image);
  const hg::Sequential flat{hg::Conv2d<ImageShape{1, 2, 3}, 4, 1>{}, hg::Flatten{}, hg::Linear<24, 3>{}};
  static_assert(decltype(flat)::static_in_image == ImageShape{1, 2, 3});
  static_assert(decltype(flat)::static_out_image == hg::any_image);
  CHECK(flat.in_image() == ImageShape{1, 2, 3});
  CHECK(flat.out_image() == hg::any_image);
  CHECK_NOTHROW((hg::Sequential{hg::Conv2d{ImageShape{1, 2, 3}, 4, 1}, hg::Flatten{},
                                hg::Conv2d{ImageShape{3, 2, 4}, 4, 1}}));  // nothing is known behind Flatten
}

TEST_CASE("networks within networks are followed") {
  // The inner network keeps images as they are, so that the Conv2d behind it is held against the one before it.
  const auto inner = hg::Sequential{hg::BatchNorm2d{4}, hg::Sequential{hg::ReLU{}, hg::Dropout{}}};
  CHECK(inner.in_image() == ImageShape{4, hg::Dynamic, hg::Dynamic});
  CHECK(inner.out_image(ImageShape{4, 2, 3}) == ImageShape{4, 2, 3});
  const hg::Conv2d before{ImageShape{1, 2, 3}, 4, 1};
  const hg::Sequential model{hg::Sequential{before}, inner, hg::Conv2d{ImageShape{4, 2, 3}, 5, 1}};
  CHECK(model.out_image() == ImageShape{5, 2, 3});
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Sequential{before}, inner,
                                       hg::Sequential{hg::ReLU{}, hg::Conv2d{ImageShape{4, 3, 2}, 5, 1}}}),
                       "Sequential: layer 0.0 (Conv2d) gives images of shape (4, 2, 3), layer 2.1 (Conv2d) expects "
                       "(4, 3, 2); make the two shapes equal",
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Sequential{hg::Linear{3, 4}}, hg::Sequential{hg::ReLU{}, hg::Linear{5, 6}}}),
                       "Sequential: layer 0.0 (Linear) gives 4 features, layer 1.1 (Linear) expects 5; make the two "
                       "numbers equal",
                       hg::ShapeError);
  // What comes before an Unflatten is no image of its shape.
  CHECK(hg::Sequential{hg::Unflatten{ImageShape{1, 2, 3}}, before}.in_image() == hg::any_image);
}

TEST_CASE("the compiler follows them, too") {
  using Inner = hg::Sequential<hg::BatchNorm2d<4>, hg::Sequential<hg::ReLU, hg::Dropout>>;
  static_assert(Inner::static_in_image == ImageShape{4, hg::Dynamic, hg::Dynamic} && Inner::preserves_image);
  using Model = hg::Sequential<hg::Conv2d<ImageShape{1, 2, 3}, 4, 1>, Inner>;
  static_assert(Model::static_out_image == ImageShape{4, 2, 3} && Model::static_out == 24);
  static_assert(!hg::Sequential<hg::ReLU, hg::Flatten>::preserves_image);
  CHECK(Model{}.out_image() == ImageShape{4, 2, 3});
}

TEST_CASE("BatchNorm2d has the channels of the images before it") {
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Conv2d{ImageShape{1, 2, 2}, 16, 1}, hg::ReLU{}, hg::BatchNorm2d{8}}),
                       "Sequential: layer 0 (Conv2d) gives images of shape (16, 2, 2), layer 2 (BatchNorm2d) expects "
                       "(8, ?, ?); make the two shapes equal",
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Linear{10, 64}, hg::BatchNorm2d{8}, hg::Conv2d{ImageShape{16, 2, 2}, 4, 1}}),
                       doctest::Contains("layer 1 (BatchNorm2d) gives images of shape (8, ?, ?)"), hg::ShapeError);
}

TEST_CASE("shapes that do not fit") {
  CHECK_THROWS_WITH_AS(
      (hg::Sequential{hg::Conv2d{ImageShape{1, 4, 4}, 6, 1}, hg::ReLU{}, hg::Conv2d{ImageShape{4, 6, 4}, 2, 1}}),
      "Sequential: layer 0 (Conv2d) gives images of shape (6, 4, 4), layer 2 (Conv2d) expects (4, 6, 4); make the two "
      "shapes equal",
      hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Unflatten{ImageShape{2, 2, 2}}, hg::MaxPool2d<ImageShape{2, 2, 4}, 2>{}}),
                       doctest::Contains("layer 0 (Unflatten) gives images of shape (2, 2, 2)"), hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Linear{10, 7}, hg::Unflatten{ImageShape{1, 2, 3}}}),
                       doctest::Contains("layer 1 (Unflatten) expects 6"), hg::ShapeError);
  CHECK_THROWS_AS((hg::Unflatten{ImageShape{1, 2, 0}}), hg::ShapeError);
  const hg::Sequential model{hg::Unflatten{ImageShape{1, 2, 3}}};
  CHECK_THROWS_AS((void)model(hg::Matrix<float>(1, 7)), hg::ShapeError);
}
