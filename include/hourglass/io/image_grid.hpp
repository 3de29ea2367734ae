// Image grids: batches of images as one PNG, each batch a row of the picture; pixel = round(255 clamp(value, 0, 1)).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/io/png.hpp"

namespace hourglass {

/// Red, green, blue.
using Rgb = std::array<std::uint8_t, 3>;

/// How save_image_grid lays out and colours a picture. 0 means: find out.
struct ImageGridOptions {
  Index columns = 0;   ///< images side by side; 0: a near-square grid for one batch, else the longest batch
  Index height = 0;    ///< of an image in pixels; 0: that of the batch if it knows it, else images are square
  Index width = 0;     ///< of an image in pixels; 0: likewise
  Index channels = 0;  ///< 1 (grey) or 3 (RGB); 0: likewise, from the number of features
  Index scale = 1;     ///< every pixel of an image becomes scale x scale pixels
  Index padding = 2;   ///< pixels between the images and around the picture, not scaled
  Rgb padding_color{96, 96, 96};
  Rgb nan_color{255, 0, 255};  ///< of pixels with a NaN; infinities are white or black
};

namespace detail {

/// One batch of images, (images, features), and what it knows about their size.
struct GridRow {
  Matrix<float> images;
  Index height = 0;
  Index width = 0;
  Index channels = 0;
};

template <class T>
concept HasShape = requires(const T& t) {
  { t.rows() } -> std::convertible_to<Index>;
  { t.cols() } -> std::convertible_to<Index>;
};

/// The value of a white pixel: 255 for bytes.
template <class Value>
inline constexpr float full_scale = std::same_as<Value, std::uint8_t> ? 255.0F : 1.0F;

/// Appends `source` as a row of the picture: an Eigen expression, something that converts to Matrix<float>, something
/// with rows(), cols() and (i, j), or a range of such things.
template <class Source>
void append_grid_rows(std::vector<GridRow>& rows, const Source& source) {
  if constexpr (!HasShape<Source> && requires { source.begin() != source.end(); }) {
    for (const auto& part : source) append_grid_rows(rows, part);
  } else {
    GridRow& row = rows.emplace_back();
    if constexpr (requires { source.template cast<float>(); }) {
      row.images = source.template cast<float>() / full_scale<typename Source::Scalar>;
    } else if constexpr (std::convertible_to<const Source&, Matrix<float>>) {
      row.images = static_cast<Matrix<float>>(source);
    } else {
      static_assert(
          HasShape<Source> && requires { static_cast<float>(source(Index{}, Index{})); },
          "save_image_grid takes matrices, things that convert to Matrix<float>, and ranges of them");
      using Value = std::remove_cvref_t<decltype(source(Index{}, Index{}))>;
      row.images = Matrix<float>(source.rows(), source.cols());
      for (Index i = 0; i < source.rows(); ++i)
        for (Index j = 0; j < source.cols(); ++j)
          row.images(i, j) = static_cast<float>(source(i, j)) / full_scale<Value>;
    }
    if constexpr (requires { Index{source.height()}, Index{source.width()}; }) {
      row.height = source.height();
      row.width = source.width();
      if constexpr (requires { Index{source.channels()}; }) row.channels = source.channels();
    }
  }
}

/// Side of a square of `area` pixels, or 0 when there is none.
[[nodiscard]] inline Index square_side(Index area) {
  const auto side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(area))));
  return side * side == area ? side : 0;
}

/// Fills in height, width and channels of the images. Throws ShapeError when they are not those of `features`.
inline void complete(ImageGridOptions& options, const std::vector<GridRow>& rows, Index features) {
  Index& height = options.height;
  Index& width = options.width;
  Index& channels = options.channels;
  const GridRow& known = rows.front();
  if (height == 0 && width == 0 && known.height > 0 && known.width > 0) {
    height = known.height;
    width = known.width;
  }
  if (channels == 0) channels = known.channels;
  // Divided, not multiplied: sizes that the caller got wrong may be too large for a product.
  const auto given = [&](Index pixels) { return pixels % height == 0 && pixels / height == width; };
  const auto possible = [&](Index pixels) { return height > 0 && width > 0 ? given(pixels) : square_side(pixels) > 0; };
  if (channels == 0) channels = !possible(features) && features % 3 == 0 && possible(features / 3) ? 3 : 1;
  const Index pixels = features / channels;
  if (height == 0 && width == 0) height = width = square_side(pixels);
  if (height == 0 && width > 0) height = pixels / width;
  if (width == 0 && height > 0) width = pixels / height;
  if (height == 0 || width == 0)
    throw ShapeError(message("save_image_grid: ", features, " features make no square image of ", channels,
                             " channel(s); give .height and .width"));
  if (features % channels != 0 || !given(pixels))
    throw ShapeError(message("save_image_grid: an image of ", height, " x ", width, " pixels and ", channels,
                             " channel(s) is not one of ", features,
                             " features; correct .height, .width and .channels"));
}

/// round(255 clamp(value, 0, 1)); the caller has dealt with NaN.
[[nodiscard]] inline std::uint8_t pixel_from(float value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 1.0F) * 255.0F + 0.5F);
}

/// Colour of pixel `pixel` of an image whose channels follow each other (CHW).
[[nodiscard]] inline Rgb color_at(const float* image, Index pixels, Index pixel, const ImageGridOptions& options) {
  Rgb color{};
  for (std::size_t c = 0; c < 3; ++c) {
    const float value = image[(options.channels == 1 ? 0 : static_cast<Index>(c)) * pixels + pixel];
    if (std::isnan(value)) return options.nan_color;
    color[c] = pixel_from(value);
  }
  return color;
}

/// Height and width of a grid, checked before anything of that size is made.
[[nodiscard]] inline std::array<Index, 2> grid_size(const ImageGridOptions& options, Index down, Index across) {
  const auto side = [&](Index images, Index pixels) {
    const double length =
        static_cast<double>(images) *
            (static_cast<double>(pixels) * static_cast<double>(options.scale) + static_cast<double>(options.padding)) +
        static_cast<double>(options.padding);
    if (length > static_cast<double>(max_png_bytes))
      throw ShapeError(message("save_image_grid: ", images, " images of ", pixels, " pixels at scale ", options.scale,
                               " are too long for a picture; show fewer images, or lower .scale"));
    return static_cast<Index>(length);
  };
  const std::array size{side(down, options.height), side(across, options.width)};
  if (size[1] > max_png_bytes / 3 / size[0])
    throw ShapeError(message("save_image_grid: the picture would have ", size[0], " x ", size[1],
                             " pixels; show fewer images, or lower .scale"));
  return size;
}

inline void save_image_grid(const std::filesystem::path& path, ImageGridOptions options,
                            const std::vector<GridRow>& rows) {
  const Index smallest =
      std::min({options.columns, options.height, options.width, options.channels, options.padding, options.scale - 1});
  if (smallest < 0 || (options.channels != 0 && options.channels != 1 && options.channels != 3))
    throw ShapeError(message("save_image_grid: impossible options: columns ", options.columns, ", height ",
                             options.height, ", width ", options.width, ", channels ", options.channels, ", padding ",
                             options.padding, ", scale ", options.scale,
                             "; no size is negative, channels are 1 or 3, scale is at least 1"));
  Index longest = 0;
  for (const GridRow& row : rows) longest = std::max(longest, row.images.rows());
  if (longest == 0) throw DataError("save_image_grid: 0 images; a picture needs at least 1");
  const Index features = rows.front().images.cols();
  for (std::size_t r = 1; r < rows.size(); ++r)
    if (rows[r].images.cols() != features)
      throw ShapeError(message("save_image_grid: row ", r, " has images of ", rows[r].images.cols(),
                               " features, row 0 of ", features, "; all images of a picture have the same size"));
  complete(options, rows, features);
  if (options.columns == 0)
    options.columns =
        rows.size() > 1 ? longest : static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(longest))));
  options.columns = std::min(options.columns, longest);

  // Batches longer than a row of the picture go on in a further band, again each above the next.
  const auto batches = static_cast<Index>(rows.size());
  const Index bands = (longest + options.columns - 1) / options.columns;
  const auto [height, width] = grid_size(options, bands * batches, options.columns);
  std::vector<Rgb> canvas(static_cast<std::size_t>(height * width), options.padding_color);
  for (Index batch = 0; batch < batches; ++batch) {
    const Matrix<float>& images = rows[static_cast<std::size_t>(batch)].images;
    for (Index image = 0; image < images.rows(); ++image) {
      const Index down = image / options.columns * batches + batch;
      const Index across = image % options.columns;
      const Index top = options.padding + down * (options.height * options.scale + options.padding);
      const Index left = options.padding + across * (options.width * options.scale + options.padding);
      for (Index y = 0; y < options.height * options.scale; ++y)
        for (Index x = 0; x < options.width * options.scale; ++x)
          canvas[static_cast<std::size_t>((top + y) * width + left + x)] =
              color_at(images.data() + image * features, options.height * options.width,
                       y / options.scale * options.width + x / options.scale, options);
    }
  }

  const bool grey = options.channels == 1 && std::all_of(canvas.begin(), canvas.end(),
                                                         [](const Rgb& c) { return c[0] == c[1] && c[1] == c[2]; });
  std::vector<std::uint8_t> pixels;
  pixels.reserve(canvas.size() * (grey ? 1 : 3));
  for (const Rgb& color : canvas) pixels.insert(pixels.end(), color.begin(), grey ? color.begin() + 1 : color.end());
  write_png(path, height, width, grey ? 1 : 3, pixels);
}

}  // namespace detail

/// Writes a PNG in which every one of `batches` is a row of images: `save_image_grid("r.png", {.scale = 2}, originals,
/// reconstructions)` shows each reconstruction below its original. A batch is a matrix (images, features), an Eigen
/// expression of one, an image span of data/, or a range of these such as std::vector<Matrix<float>>, which gives one
/// row each; bytes count as 0 to 255. One batch alone is wrapped into a near-square grid, or into `.columns`; several
/// batches longer than
/// `.columns` go on below, band after band; where a shorter batch has no image the padding shows. Features are in
/// PyTorch's order (channel, row, column); values are clamped to [0, 1], NaN has its own colour. Grey images in grey
/// colours make a one-channel PNG, all others RGB.
///
/// Throws ShapeError when sizes disagree or cannot be guessed, DataError for no images at all, FormatError when the
/// file cannot be written (an older one is unchanged then).
template <class... Batches>
requires(sizeof...(Batches) > 0) void save_image_grid(const std::filesystem::path& path,
                                                      const ImageGridOptions& options, const Batches&... batches) {
  std::vector<detail::GridRow> rows;
  (detail::append_grid_rows(rows, batches), ...);
  detail::save_image_grid(path, options, rows);
}

/// The same with default options: `save_image_grid("reconstruction.png", originals, reconstructions)`.
template <class First, class... Batches>
requires(!std::same_as<First, ImageGridOptions>) void save_image_grid(const std::filesystem::path& path,
                                                                      const First& first, const Batches&... batches) {
  save_image_grid(path, ImageGridOptions{}, first, batches...);
}

}  // namespace hourglass
