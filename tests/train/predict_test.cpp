#include "hourglass/train/predict.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"

namespace hg = hourglass;

namespace {

/// Gives back what it gets.
auto identity(hg::Index classes) {
  hg::Sequential model{hg::Linear{classes, classes}};
  model.layer<0>().weight().setIdentity();
  return model;
}

}  // namespace

TEST_CASE("the class with the greatest output, the first one of several") {
  const hg::Matrix<float> x{{0, 2, 1}, {-3, -2, -1}, {5, 5, 4}, {1, 7, 7}, {0, 0, 0}};
  const std::vector<hg::Index> expected{1, 2, 0, 1, 0};
  CHECK(hg::predict(identity(3), x) == expected);
  CHECK(hg::predict(identity(3), x, 2) == expected);  // the last batch is smaller
}

TEST_CASE("accuracy is the share of the samples, not the mean over batches") {
  const hg::Matrix<float> x{{0, 2, 1}, {-3, -2, -1}, {5, 5, 4}, {1, 7, 7}, {0, 0, 0}};
  const std::vector<std::uint8_t> labels{1, 2, 1, 1, 2};
  CHECK(hg::accuracy(identity(3), {x, labels}) == 3.0 / 5);
  CHECK(hg::accuracy(identity(3), {x, labels}, 2) == 3.0 / 5);
  const std::vector<std::uint8_t> none{0, 0, 2, 0, 1};
  CHECK(hg::accuracy(identity(3), {x, none}, 4) == 0);
}

TEST_CASE("what does not fit is refused") {
  const hg::Matrix<float> x{{0, 2, 1}, {-3, -2, -1}};
  const std::vector<int> labels{0, 3};
  CHECK_THROWS_WITH_AS((void)hg::accuracy(identity(3), x),
                       "accuracy: it needs labels, the data set has none; pass Dataset{images, labels}", hg::DataError);
  CHECK_THROWS_WITH_AS((void)hg::accuracy(identity(3), {x, labels}), doctest::Contains("label 1 is 3"), hg::DataError);
  CHECK_THROWS_AS((void)hg::predict(identity(4), x), hg::ShapeError);
  const hg::Matrix<float> empty(0, 3);
  CHECK_THROWS_AS((void)hg::predict(identity(3), empty), hg::DataError);
}
