#include "hourglass/io/image_grid.hpp"

#include <doctest/doctest.h>

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "io/decode_png.hpp"
#include "io/files.hpp"

namespace fs = std::filesystem;
namespace hg = hourglass;
using namespace hourglass_test;
using Color = std::vector<int>;

namespace {

constexpr int padding = 96;  // the default colour

fs::path path_of(const std::string& name) {
  static const fs::path folder = fresh_folder("image_grid");
  return folder / (name + ".png");
}

// `count` images of 2 x 2 pixels; pixel p of image i has the grey level 10 (first + i) + p.
hg::Matrix<float> levels(hg::Index count, int first = 0) {
  hg::Matrix<float> images(count, 4);
  for (hg::Index i = 0; i < count; ++i)
    for (hg::Index p = 0; p < 4; ++p) images(i, p) = static_cast<float>(10 * (first + i) + p) / 255.0F;
  return images;
}

// The grey picture as rows of levels.
std::vector<std::vector<int>> grey_levels(const Picture& picture) {
  REQUIRE(picture.channels == 1);
  std::vector<std::vector<int>> rows;
  for (int y = 0; y < picture.height; ++y) {
    rows.emplace_back();
    for (int x = 0; x < picture.width; ++x) rows.back().push_back(picture.at(y, x)[0]);
  }
  return rows;
}

// What data/ offers: 8-bit images that know their size and convert.
struct Span {
  std::vector<std::uint8_t> pixels;
  [[nodiscard]] hg::Index rows() const { return 1; }
  [[nodiscard]] hg::Index cols() const { return static_cast<hg::Index>(pixels.size()); }
  [[nodiscard]] hg::Index height() const { return 1; }
  [[nodiscard]] hg::Index width() const { return cols(); }
};

struct ConvertingSpan : Span {
  operator hg::Matrix<float>() const {
    hg::Matrix<float> images(1, cols());
    for (hg::Index j = 0; j < cols(); ++j) images(0, j) = static_cast<float>(pixels[static_cast<std::size_t>(j)]) / 255;
    return images;
  }
};

struct ElementSpan : Span {
  std::uint8_t operator()(hg::Index, hg::Index j) const { return pixels[static_cast<std::size_t>(j)]; }
};

template <class... Arguments>
std::string shape_error(const Arguments&... arguments) {
  return error_of<hg::ShapeError>([&] { hg::save_image_grid(path_of("refused"), arguments...); });
}

}  // namespace

TEST_CASE("every batch is a row, padded all around") {
  hg::save_image_grid(path_of("rows"), levels(2), levels(2, 10));
  constexpr int o = padding;
  CHECK(grey_levels(decode_png(path_of("rows"))) == std::vector<std::vector<int>>{
                                                        {o, o, o, o, o, o, o, o, o, o},
                                                        {o, o, o, o, o, o, o, o, o, o},
                                                        {o, o, 0, 1, o, o, 10, 11, o, o},
                                                        {o, o, 2, 3, o, o, 12, 13, o, o},
                                                        {o, o, o, o, o, o, o, o, o, o},
                                                        {o, o, o, o, o, o, o, o, o, o},
                                                        {o, o, 100, 101, o, o, 110, 111, o, o},
                                                        {o, o, 102, 103, o, o, 112, 113, o, o},
                                                        {o, o, o, o, o, o, o, o, o, o},
                                                        {o, o, o, o, o, o, o, o, o, o},
                                                    });
}

TEST_CASE("one batch wraps") {
  const auto size = [](const Picture& picture) { return std::pair{picture.height, picture.width}; };
  hg::save_image_grid(path_of("wrap"), {.padding = 0}, levels(5));
  CHECK(grey_levels(decode_png(path_of("wrap"))) == std::vector<std::vector<int>>{
                                                        {0, 1, 10, 11, 20, 21},
                                                        {2, 3, 12, 13, 22, 23},
                                                        {30, 31, 40, 41, padding, padding},
                                                        {32, 33, 42, 43, padding, padding},
                                                    });
  hg::save_image_grid(path_of("wrap"), {.columns = 2, .padding = 0}, levels(3));
  CHECK(grey_levels(decode_png(path_of("wrap"))) ==
        std::vector<std::vector<int>>{
            {0, 1, 10, 11}, {2, 3, 12, 13}, {20, 21, padding, padding}, {22, 23, padding, padding}});
  hg::save_image_grid(path_of("wrap"), {.padding = 0}, levels(1));
  CHECK(size(decode_png(path_of("wrap"))) == std::pair{2, 2});
  hg::save_image_grid(path_of("wrap"), {.columns = 50, .padding = 0}, levels(3));
  CHECK(size(decode_png(path_of("wrap"))) == std::pair{2, 6});
}

TEST_CASE("several batches wrap in bands, and may differ in length") {
  hg::save_image_grid(path_of("bands"), {.columns = 2, .padding = 0, .padding_color = {0, 0, 0}}, levels(3),
                      levels(2, 10));
  CHECK(grey_levels(decode_png(path_of("bands"))) == std::vector<std::vector<int>>{
                                                         {0, 1, 10, 11},
                                                         {2, 3, 12, 13},
                                                         {100, 101, 110, 111},
                                                         {102, 103, 112, 113},
                                                         {20, 21, 0, 0},
                                                         {22, 23, 0, 0},
                                                         {0, 0, 0, 0},
                                                         {0, 0, 0, 0},
                                                     });
}

TEST_CASE("scale repeats pixels, but not the padding") {
  hg::save_image_grid(path_of("scale"), {.scale = 2, .padding = 1, .padding_color = {9, 9, 9}}, levels(1));
  CHECK(grey_levels(decode_png(path_of("scale"))) == std::vector<std::vector<int>>{
                                                         {9, 9, 9, 9, 9, 9},
                                                         {9, 0, 0, 1, 1, 9},
                                                         {9, 0, 0, 1, 1, 9},
                                                         {9, 2, 2, 3, 3, 9},
                                                         {9, 2, 2, 3, 3, 9},
                                                         {9, 9, 9, 9, 9, 9},
                                                     });
}

TEST_CASE("colour images are channel, row, column") {
  hg::Matrix<float> image(1, 12);
  for (hg::Index j = 0; j < 12; ++j) image(0, j) = static_cast<float>(20 * j) / 255.0F;
  hg::save_image_grid(path_of("rgb"), {.padding = 1, .padding_color = {1, 2, 3}}, image);
  const Picture picture = decode_png(path_of("rgb"));
  REQUIRE(picture.channels == 3);
  REQUIRE(picture.height == 4);
  REQUIRE(picture.width == 4);
  CHECK(picture.at(0, 0) == Color{1, 2, 3});
  CHECK(picture.at(1, 1) == Color{0, 80, 160});
  CHECK(picture.at(1, 2) == Color{20, 100, 180});
  CHECK(picture.at(2, 1) == Color{40, 120, 200});
  CHECK(picture.at(2, 2) == Color{60, 140, 220});
  // The same features as one grey image, because the caller says so.
  hg::save_image_grid(path_of("rgb"), {.height = 3, .width = 4, .padding = 0}, image);
  CHECK(grey_levels(decode_png(path_of("rgb")))[1] == std::vector<int>{80, 100, 120, 140});
  // Grey content of colour images stays RGB.
  hg::save_image_grid(path_of("rgb"), hg::Matrix<float>(1, 12));
  CHECK(decode_png(path_of("rgb")).channels == 3);
}

TEST_CASE("values are clamped and rounded, and NaN has its colour") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  hg::save_image_grid(
      path_of("values"), {.height = 1, .padding = 0},
      hg::Matrix<float>{{-infinity, -1e30F, -0.1F, 0.0F, 0.001F, 0.002F, 0.5F, 1.0F, 1.1F, 1e30F, infinity}});
  CHECK(grey_levels(decode_png(path_of("values")))[0] == std::vector<int>{0, 0, 0, 0, 0, 1, 128, 255, 255, 255, 255});

  hg::save_image_grid(path_of("values"), {.padding = 0}, hg::Matrix<float>{{0.0F, nan, 0.2F, 1.0F}});
  const Picture picture = decode_png(path_of("values"));
  REQUIRE(picture.channels == 3);
  CHECK(picture.at(0, 0) == Color{0, 0, 0});
  CHECK(picture.at(0, 1) == Color{255, 0, 255});
  CHECK(picture.at(1, 0) == Color{51, 51, 51});
  hg::save_image_grid(path_of("values"), {.padding = 0, .nan_color = {7, 7, 7}},
                      hg::Matrix<float>{{0.0F, nan, 0.2F, 1.0F}});
  CHECK(grey_levels(decode_png(path_of("values"))) == std::vector<std::vector<int>>{{0, 7}, {51, 255}});
  hg::save_image_grid(path_of("values"), {.padding = 0}, hg::Matrix<float>{{0.0F, nan, 0.2F}});
  CHECK(decode_png(path_of("values")).at(0, 0) == Color{255, 0, 255});
}

TEST_CASE("anything that is a batch of images will do") {
  const auto expected = std::vector<std::vector<int>>{{0, 1}, {2, 3}};
  const hg::ImageGridOptions bare{.padding = 0};
  const auto picture_of = [&](const auto&... batches) {
    hg::save_image_grid(path_of("kinds"), bare, batches...);
    return grey_levels(decode_png(path_of("kinds")));
  };
  const hg::Matrix<float> one = levels(1);
  const Eigen::MatrixXd wide = one.cast<double>();
  CHECK(picture_of(one) == expected);
  CHECK(picture_of(wide) == expected);
  CHECK(picture_of(levels(4).topRows(1)) == expected);
  CHECK(picture_of(hg::ConstMatrixView<float>(one)) == expected);
  CHECK(picture_of(one * 0.5F + one * 0.5F) == expected);
  CHECK(picture_of(one.array()) == expected);
  CHECK(picture_of(Eigen::Matrix<std::uint8_t, 1, 4>{0, 1, 2, 3}) == expected);
  const std::vector<std::vector<int>> line{{0, 1, 2}};
  CHECK(picture_of(ConvertingSpan{{{0, 1, 2}}}) == line);
  CHECK(picture_of(ElementSpan{{{0, 1, 2}}}) == line);

  const std::vector<std::vector<int>> two{{0, 1}, {2, 3}, {10, 11}, {12, 13}};
  CHECK(picture_of(one, levels(1, 1)) == two);
  CHECK(picture_of(one, wide, levels(1, 1)).size() == 6);
  CHECK(picture_of(std::vector{levels(1), levels(1, 1)}) == two);
  CHECK(picture_of(std::array{levels(1), levels(1, 1)}) == two);
  CHECK(picture_of(std::initializer_list<hg::Matrix<float>>{levels(1), levels(1, 1)}) == two);
  CHECK(picture_of(std::vector{levels(1)}, levels(1, 1)) == two);
}

TEST_CASE("sizes that make no picture are refused") {
  CHECK(shape_error(hg::Matrix<float>(2, 783)) ==
        "save_image_grid: 783 features make no square image of 1 channel(s); give .height and .width");
  CHECK(shape_error(hg::ImageGridOptions{.channels = 3}, hg::Matrix<float>(2, 784)) ==
        "save_image_grid: 784 features make no square image of 3 channel(s); give .height and .width");
  CHECK(shape_error(hg::ImageGridOptions{.height = 28, .width = 27}, hg::Matrix<float>(2, 784)) ==
        "save_image_grid: an image of 28 x 27 pixels and 1 channel(s) is not one of 784 features; correct .height, "
        ".width and .channels");
  CHECK(shape_error(hg::ImageGridOptions{.height = 30}, hg::Matrix<float>(2, 784)) != "");
  CHECK(shape_error(hg::ImageGridOptions{.height = 1000}, hg::Matrix<float>(2, 784)) != "");
  CHECK(shape_error(hg::ImageGridOptions{.channels = 3}, hg::Matrix<float>(2, 2)) != "");
  constexpr hg::Index huge = std::numeric_limits<hg::Index>::max();
  CHECK(shape_error(hg::ImageGridOptions{.height = huge, .width = huge}, hg::Matrix<float>(2, 784)) != "");
  CHECK(shape_error(hg::ImageGridOptions{.height = huge / 2, .width = 4}, hg::Matrix<float>(2, 784)) != "");
  CHECK(shape_error(hg::Matrix<float>(2, 0)) != "");
  CHECK(shape_error(hg::Matrix<float>(2, 784), hg::Matrix<float>(2, 64)) ==
        "save_image_grid: row 1 has images of 64 features, row 0 of 784; all images of a picture have the same size");
  CHECK(error_of<hg::DataError>([] { hg::save_image_grid(path_of("refused"), hg::Matrix<float>(0, 784)); }) ==
        "save_image_grid: 0 images; a picture needs at least 1");
  CHECK(error_of<hg::DataError>([] { hg::save_image_grid(path_of("refused"), std::vector<hg::Matrix<float>>{}); }) !=
        "");
  for (const hg::ImageGridOptions& bad :
       {hg::ImageGridOptions{.columns = -1}, hg::ImageGridOptions{.channels = 2}, hg::ImageGridOptions{.scale = 0},
        hg::ImageGridOptions{.padding = -1}, hg::ImageGridOptions{.height = -2, .width = -2}})
    CHECK(shape_error(bad, levels(1)).starts_with("save_image_grid: impossible options: "));
  for (const hg::ImageGridOptions& large : {hg::ImageGridOptions{.scale = huge}, hg::ImageGridOptions{.padding = huge},
                                            hg::ImageGridOptions{.scale = 10'000}})
    CHECK(shape_error(large, levels(1)).find("show fewer images, or lower .scale") != std::string::npos);
  CHECK_FALSE(fs::exists(path_of("refused")));
}

TEST_CASE("a missing folder is named") {
  const fs::path path = path_of("x").parent_path() / "absent" / "a.png";
  CHECK(error_of([&] { hg::save_image_grid(path, levels(1)); }).find("\" does not exist; create it first") !=
        std::string::npos);
}
