#include "hourglass/data/images.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "files.hpp"

namespace hg = hourglass;
using files::contains;
using files::thrown;

namespace {

hg::Images numbered(hg::Index count, hg::Index height, hg::Index width, hg::Index channels) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * height * width * channels));
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  return {std::move(pixels), count, height, width, channels};
}

}  // namespace

static_assert(std::is_convertible_v<hg::Images&, hg::ImageSpan> &&
              std::is_convertible_v<hg::Images, hg::Matrix<float>>);
static_assert(!std::is_convertible_v<hg::Images, hg::ImageSpan>, "a window on a temporary");
static_assert(std::is_convertible_v<hg::ImageSpan, hg::Matrix<float>> &&
              std::is_convertible_v<hg::ImageSpan, hg::Matrix<double>>);

TEST_CASE("images: shapes, windows and conversion") {
  const hg::Images images = numbered(5, 2, 3, 3);
  CHECK(images.rows() == 5);
  CHECK(images.cols() == 18);
  CHECK(images.height() == 2);
  CHECK(images.width() == 3);
  CHECK(images.channels() == 3);
  CHECK(images.pixels().size() == 90);
  CHECK(!images.empty());
  const hg::ImageSpan part = images.middleRows(1, 3).topRows(2);
  CHECK(part.rows() == 2);
  CHECK(part.height() == 2);
  CHECK(part.pixels().data() == images.pixels().data() + 18);
  const hg::Matrix<float> floats = part;
  const hg::Matrix<double> doubles{images};
  REQUIRE(floats.rows() == 2);
  REQUIRE(floats.cols() == 18);
  REQUIRE(doubles.rows() == 5);
  for (hg::Index i = 0; i < 2; ++i)
    for (hg::Index j = 0; j < 18; ++j) CHECK(floats(i, j) == static_cast<float>((i + 1) * 18 + j) / 255.0f);
  CHECK(doubles(4, 17) == 89.0 / 255.0);
  CHECK(images.middleRows(5, 0).empty());
  CHECK(images.topRows(0).to_matrix<float>().rows() == 0);
}

TEST_CASE("images: every pixel value becomes value / 255, at every length") {
  std::vector<std::uint8_t> pixels(256);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  for (std::size_t count = 1; count <= 256; ++count) {
    std::vector<float> floats(count + 1, -1.0f);
    std::vector<double> doubles(count + 1, -1.0);
    hg::detail::scale_pixels(pixels.data(), static_cast<hg::Index>(count), floats.data());
    hg::detail::scale_pixels(pixels.data(), static_cast<hg::Index>(count), doubles.data());
    bool right = floats[count] == -1.0f && doubles[count] == -1.0;
    for (std::size_t i = 0; i < count; ++i)
      right = right && floats[i] == static_cast<float>(i) / 255.0f && doubles[i] == static_cast<double>(i) / 255.0;
    CHECK(right);
  }
}

TEST_CASE("images: a large set converts in parallel to the same numbers") {
  const hg::Images images = numbered(300, 28, 28, 1);
  const hg::Matrix<float> all = images;
  bool right = true;
  for (hg::Index i = 0; i < all.size(); ++i)
    right = right && all.data()[i] == static_cast<float>(images.pixels()[static_cast<std::size_t>(i)]) / 255.0f;
  CHECK(right);
}

TEST_CASE("images: interleaved colours become planes") {
  const std::vector<std::uint8_t> rgb{1, 2, 3, 4, 5, 6};
  std::vector<std::uint8_t> planes(6);
  hg::detail::interleaved_to_planar(rgb.data(), 2, 3, planes.data());
  CHECK(planes == std::vector<std::uint8_t>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("images: impossible shapes and rows") {
  const auto refused = [](std::size_t pixels, hg::Index count, hg::Index height, hg::Index width, hg::Index channels) {
    return thrown<hg::ShapeError>(
        [&] { hg::Images(std::vector<std::uint8_t>(pixels), count, height, width, channels); });
  };
  CHECK(contains(refused(11, 2, 2, 3, 1), {"11 pixels", "2 images of 1 x 2 x 3"}));
  CHECK(!refused(13, 2, 2, 3, 1).empty());
  CHECK(!refused(0, 1, 2, 3, 1).empty());
  CHECK(!refused(6, 0, 2, 3, 1).empty());
  CHECK(!refused(0, 0, 0, 3, 1).empty());
  CHECK(!refused(6, -1, -2, 3, 1).empty());
  CHECK(!refused(4, 1, hg::Index{1} << 33, hg::Index{1} << 33, 1).empty());
  CHECK(hg::Images({}, 0, 2, 3).rows() == 0);

  const hg::Images images = numbered(5, 1, 1, 1);
  CHECK(contains(thrown<hg::ShapeError>([&] { static_cast<void>(images.topRows(6)); }), {"6", "there are 5"}));
  CHECK(!thrown<hg::ShapeError>([&] { static_cast<void>(images.topRows(-1)); }).empty());
  CHECK(!thrown<hg::ShapeError>([&] { static_cast<void>(images.middleRows(3, 3)); }).empty());
  CHECK(!thrown<hg::ShapeError>([&] { static_cast<void>(images.middleRows(-1, 1)); }).empty());
  CHECK(!thrown<hg::ShapeError>([&] { static_cast<void>(images.middleRows(2, PTRDIFF_MAX)); }).empty());
}

TEST_CASE("images: empty and moved-from sets have no rows") {
  hg::Images images = numbered(2, 2, 2, 1);
  const hg::Images taken = std::move(images);
  CHECK(taken.rows() == 2);
  CHECK(images.rows() == 0);  // NOLINT(bugprone-use-after-move): this is the promise
  CHECK(hg::ImageSpan(images).rows() == 0);
  CHECK(hg::Images().empty());
  CHECK(hg::ImageSpan().cols() == 0);
}
