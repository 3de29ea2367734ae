#include "hourglass/nn/flatten.hpp"

#include <doctest/doctest.h>

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
