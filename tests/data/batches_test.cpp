#include "hourglass/data/batches.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include "files.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/data/binarize.hpp"

namespace hg = hourglass;
using files::contains;
using files::thrown;

static_assert(std::ranges::input_range<hg::Batches<float>>);
static_assert(std::is_same_v<std::ranges::range_value_t<hg::Batches<double>>, hg::ConstMatrixView<double>>);

namespace {

hg::Images ten_images() {
  std::vector<std::uint8_t> pixels(10 * 4);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
  return {std::move(pixels), 10, 2, 2};
}

}  // namespace

TEST_CASE("batches: in order, the last one smaller") {
  const hg::Images images = ten_images();
  std::vector<hg::Index> sizes;
  const float* buffer = nullptr;
  float next = 0;
  for (const auto& batch : hg::batches(images, 4)) {
    static_assert(std::is_same_v<decltype(batch), const hg::ConstMatrixView<float>&>);
    sizes.push_back(batch.rows());
    CHECK(batch.cols() == 4);
    if (buffer == nullptr) buffer = batch.data();
    CHECK(batch.data() == buffer);
    for (hg::Index i = 0; i < batch.rows(); ++i)
      for (hg::Index j = 0; j < 4; ++j) CHECK(batch(i, j) == next++ / 255.0f);
  }
  CHECK(sizes == std::vector<hg::Index>{4, 4, 2});
  CHECK(next == 40);
}

TEST_CASE("batches: shuffled by the generator, every sample once") {
  const hg::Images images = ten_images();
  hg::Rng rng{42};
  hg::Rng twin{42};
  const std::vector<hg::Index> order = twin.permutation(10);
  auto range = hg::batches(images, 3, rng);
  CHECK(rng.state() == twin.state());
  CHECK(std::ranges::equal(range.order(), order));
  CHECK(range.count() == 4);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<hg::Index> seen;
    hg::Index number = 0;
    for (auto it = range.begin(); it != range.end(); ++it) {
      CHECK(it.number() == number++);
      const auto batch = *it;
      REQUIRE(static_cast<hg::Index>(it.indices().size()) == batch.rows());
      for (hg::Index i = 0; i < batch.rows(); ++i) {
        const hg::Index sample = it.indices()[static_cast<std::size_t>(i)];
        seen.push_back(sample);
        CHECK(batch(i, 3) == static_cast<float>(sample * 4 + 3) / 255.0f);
      }
    }
    CHECK(seen == order);
    CHECK(number == 4);
  }
  CHECK(rng.state() == twin.state());
  CHECK(std::set<hg::Index>(order.begin(), order.end()).size() == 10);
  auto second = hg::batches(images, 3, rng);
  CHECK(!std::ranges::equal(second.order(), order));
}

TEST_CASE("batches: drop_last, batches larger than the data, doubles, moved ranges") {
  const hg::Images images = ten_images();
  hg::Rng rng{1};
  CHECK(hg::batches(images, 4, {.drop_last = true}).count() == 2);
  CHECK(hg::batches(images, 5, rng, {.drop_last = true}).count() == 2);
  hg::Index rows = 0;
  for (const auto& batch : hg::batches(images, 4, rng, {.drop_last = true})) rows += batch.rows();
  CHECK(rows == 8);
  int count = 0;
  for (const auto& batch : hg::batches(images, PTRDIFF_MAX)) {
    CHECK(batch.rows() == 10);
    ++count;
  }
  CHECK(count == 1);
  auto first = hg::batches<double>(images, 10, rng);
  auto moved = std::move(first);
  for (const auto& batch : moved) {
    static_assert(std::is_same_v<decltype(batch), const hg::ConstMatrixView<double>&>);
    CHECK(batch.sum() == doctest::Approx(780.0 / 255.0));
  }
  const hg::Matrix<float> x{{1, 2}, {3, 4}, {5, 6}};
  float sum = 0;
  for (const auto& batch : hg::batches(x, 2)) sum += batch.sum();
  CHECK(sum == 21);
}

TEST_CASE("batches: a transform sees every batch before the caller does") {
  std::vector<std::uint8_t> pixels(100 * 16, 128);
  const hg::Images images(std::move(pixels), 100, 4, 4);
  hg::Rng rng{9};
  double ones = 0;
  for (const auto& batch :
       hg::batches(images, 32, rng, {.transform = [&](hg::MatrixView<float> x) { hg::binarize(x, rng); }})) {
    CHECK(((batch.array() == 0.0f) || (batch.array() == 1.0f)).all());
    ones += static_cast<double>(batch.sum());
  }
  CHECK(ones / 1600 == doctest::Approx(0.5).epsilon(0.1));
  CHECK(images.pixels()[0] == 128);
}

TEST_CASE("batches: errors") {
  const hg::Images images = ten_images();
  const hg::Images none;
  hg::Rng rng{1};
  CHECK(contains(thrown<hg::ShapeError>([&] { static_cast<void>(hg::batches(images, 0)); }), {"batch size is 0"}));
  CHECK(contains(thrown<hg::ShapeError>([&] { static_cast<void>(hg::batches(images, -3, rng)); }), {"-3"}));
  CHECK(contains(thrown<hg::DataError>([&] { static_cast<void>(hg::batches(none, 4, rng)); }), {"0 samples"}));
  CHECK(contains(thrown<hg::DataError>([&] { static_cast<void>(hg::batches(hg::Samples(), 4)); }), {"0 samples"}));
  CHECK(contains(thrown<hg::DataError>([&] { static_cast<void>(hg::batches(images, 11, {.drop_last = true})); }),
                 {"10 samples", "11"}));
}
