#include "hourglass/io/filter_images.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "hourglass/nn/linear.hpp"

namespace hg = hourglass;

TEST_CASE("zero is mid-grey, and every filter has its own scale unless told otherwise") {
  hg::Linear layer{2, 3};
  layer.weight() << -2, 1, 0.5f, 0.25f, 0, 0;
  CHECK(hg::filter_images(layer.weight()) == hg::Matrix<float>{{0, 0.75f}, {1, 0.75f}, {0.5f, 0.5f}});
  CHECK(hg::filter_images(layer.weight(), {.normalize = false}) ==
        hg::Matrix<float>{{0, 0.75f}, {0.625f, 0.5625f}, {0.5f, 0.5f}});
}

TEST_CASE("diverging colours: blue below zero, white at zero, red above, channel after channel") {
  const auto images = hg::filter_images(hg::Matrix<double>{{-1, 0, 1}}, {.diverging = true});
  REQUIRE(images.cols() == 9);
  CHECK(images(0, 0) < images(0, 6));  // red and blue of the first pixel
  CHECK((images(0, 1) == 1 && images(0, 4) == 1 && images(0, 7) == 1));
  CHECK(images(0, 2) > images(0, 8));
  CHECK(images.minCoeff() > 0);
}

TEST_CASE("NaN stays NaN and does not spoil the scale") {
  const auto images = hg::filter_images(hg::Matrix<float>{{NAN, -4, 2}, {NAN, 0, 0}});
  CHECK((std::isnan(images(0, 0)) && std::isnan(images(1, 0))));
  CHECK((images(0, 1) == 0 && images(0, 2) == 0.75f && images(1, 1) == 0.5f));
  CHECK(hg::filter_images(hg::Matrix<float>(0, 4)).rows() == 0);
}
