#include "hourglass/data/dataset.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/data/mnist.hpp"

namespace hg = hourglass;

namespace {

template <class Integer>
void check_view() {
  const std::vector<Integer> values{3, 0, 7, 9};
  const hg::Labels labels(values);
  REQUIRE(labels.size() == 4);
  CHECK(labels[0] == 3);
  CHECK(labels[3] == 9);
  CHECK(labels.subspan(2, 2)[0] == 7);
  const std::array<hg::Index, 3> order{3, 3, 0};
  std::array<hg::Index, 5> out{};
  const auto gathered = labels.gather(order, out);
  CHECK(std::vector<hg::Index>(gathered.begin(), gathered.end()) == std::vector<hg::Index>{9, 9, 3});
}

}  // namespace

TEST_CASE("labels may be of any integral type") {
  check_view<std::uint8_t>();
  check_view<std::int8_t>();
  check_view<int>();
  check_view<std::uint64_t>();
  const std::array<int, 2> negative{-1, 5};
  CHECK(hg::Labels(negative)[0] == -1);
  CHECK(hg::Labels(std::span<const int>(negative))[1] == 5);
  CHECK(hg::Labels().empty());
  CHECK_THROWS_AS((void)hg::Labels(negative).subspan(1, 2), hg::ShapeError);
  static_assert(!std::is_constructible_v<hg::Labels, std::vector<int>>, "a view of a temporary dangles");
  static_assert(!std::is_constructible_v<hg::Labels, std::vector<float>&>);
}

TEST_CASE("a data set is samples, with or without labels") {
  const hg::Matrix<float> x{{1, 2}, {3, 4}, {5, 6}};
  const std::vector<int> labels{7, 8, 9};
  const hg::Dataset plain = x;
  CHECK(plain.rows() == 3);
  CHECK(plain.cols() == 2);
  CHECK(plain.labels().empty());
  CHECK(plain.topRows(2).labels().empty());
  const hg::Dataset both{x, labels};
  CHECK(both.labels()[2] == 9);
  const hg::Dataset part = both.middleRows(1, 2);
  CHECK(part.rows() == 2);
  CHECK(part.labels()[0] == 8);
  CHECK(hg::Dataset().empty());

  const hg::LabelledImages images{hg::Images({0, 51, 255, 102}, 2, 1, 2), {4, 2}};
  const hg::Dataset labelled = images;
  CHECK(labelled.rows() == 2);
  CHECK(labelled.labels()[1] == 2);
  static_assert(!std::is_constructible_v<hg::Dataset, hg::LabelledImages>, "a view of a temporary dangles");
  static_assert(!std::is_constructible_v<hg::Dataset, hg::Matrix<float>>);
  static_assert(!std::is_constructible_v<hg::Dataset, hg::Images>);
}

TEST_CASE("a data set with too few labels, none, or wrong ones is refused") {
  const hg::Matrix<float> x{{1, 2}, {3, 4}, {5, 6}};
  const std::vector<int> labels{0, 1, 2};
  CHECK_THROWS_WITH_AS(hg::Dataset(x, std::span(labels).first(2)),
                       "Dataset: there are 3 samples and 2 labels; give one label per sample", hg::ShapeError);
  CHECK_THROWS_WITH_AS((void)hg::Dataset(x, labels).topRows(4), doctest::Contains("4"), hg::ShapeError);
  CHECK_NOTHROW(hg::detail::check_labels("fit", "Loss", {x, labels}, 3));
  CHECK_THROWS_WITH_AS(hg::detail::check_labels("fit", "Loss", {x, labels}, 2),
                       doctest::Contains("fit: label 2 is 2, the model's 2 outputs stand for the classes 0 to 1"),
                       hg::DataError);
  const std::vector<int> negative{0, -1, 2};
  CHECK_THROWS_WITH_AS(hg::detail::check_labels("fit", "Loss", {x, negative}, 3), doctest::Contains("label 1 is -1"),
                       hg::DataError);
  CHECK_THROWS_WITH_AS(hg::detail::check_labels("fit", "Loss", x, 3), doctest::Contains("fit: Loss needs labels"),
                       hg::DataError);
}
