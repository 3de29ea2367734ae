// Image shapes: what the features of a batch of images are. A batch of images is a matrix (batch, C * H * W) like any
// other, each row an image in PyTorch's order (C, H, W).
#pragma once

#include <string>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"

namespace hourglass {

/// Channels, height and width of an image; a template argument where the compiler is to know them. What is not known
/// is Dynamic.
struct ImageShape {
  Index channels = Dynamic;
  Index height = Dynamic;
  Index width = Dynamic;

  /// All three numbers are known.
  [[nodiscard]] constexpr bool is_known() const noexcept {
    return channels != Dynamic && height != Dynamic && width != Dynamic;
  }
  /// Features of a row that holds such an image; Dynamic unless the shape is known.
  [[nodiscard]] constexpr Index size() const noexcept { return is_known() ? channels * height * width : Dynamic; }
  /// Elements of one channel of a known shape.
  [[nodiscard]] constexpr Index plane() const noexcept { return height * width; }
  /// "(1, 28, 28)", or "(1, ?, ?)" where only the channels are known.
  [[nodiscard]] std::string str() const {
    const auto text = [](Index size) { return size == Dynamic ? std::string("?") : std::to_string(size); };
    return detail::message("(", text(channels), ", ", text(height), ", ", text(width), ")");
  }
  friend constexpr bool operator==(const ImageShape&, const ImageShape&) = default;
};

/// No image, or one of whose shape nothing is known.
inline constexpr ImageShape any_image{};

/// Two numbers, vertical first; a single one counts for both: PyTorch's "int or tuple".
struct Size2d {
  Index height;
  Index width;
  // NOLINTNEXTLINE(google-explicit-constructor): 3 is the size of a square
  constexpr Size2d(Index both) noexcept : height{both}, width{both} {}
  constexpr Size2d(Index vertical, Index horizontal) noexcept : height{vertical}, width{horizontal} {}
  [[nodiscard]] std::string str() const { return detail::message("(", height, ", ", width, ")"); }
  friend constexpr bool operator==(const Size2d&, const Size2d&) = default;
};

/// True when two image shapes can be the same: numbers that both of them know are equal.
[[nodiscard]] constexpr bool compatible(const ImageShape& a, const ImageShape& b) noexcept {
  return compatible(a.channels, b.channels) && compatible(a.height, b.height) && compatible(a.width, b.width);
}

/// What two compatible shapes know together.
[[nodiscard]] constexpr ImageShape merged(const ImageShape& a, const ImageShape& b) noexcept {
  const auto known = [](Index first, Index second) { return first == Dynamic ? second : first; };
  return {known(a.channels, b.channels), known(a.height, b.height), known(a.width, b.width)};
}

namespace detail {

/// Whether an image of the first shape is what layer number `layer` expects.
template <Index layer, Index channels, Index height, Index width, Index expected_channels, Index expected_height,
          Index expected_width>
inline constexpr bool images_match = compatible(ImageShape{channels, height, width},
                                                ImageShape{expected_channels, expected_height, expected_width});

/// Does not compile when the shapes differ; numbers as in MatchingWidths.
template <Index layer, Index channels, Index height, Index width, Index expected_channels, Index expected_height,
          Index expected_width>
struct MatchingImages {
  static_assert(images_match<layer, channels, height, width, expected_channels, expected_height, expected_width>,
                "a layer expects images of another shape than the layers before it produce: images_match<layer, "
                "channels, height, width, expected channels, height, width>");
  static constexpr bool value = true;
};
template <Index layer, ImageShape image, ImageShape expected>
inline constexpr bool matching_images = MatchingImages<layer, image.channels, image.height, image.width,
                                                       expected.channels, expected.height, expected.width>::value;

/// Throws ShapeError unless every extent is at least 1.
constexpr const ImageShape& checked(const char* name, const ImageShape& image) {
  if (image.channels < 1 || image.height < 1 || image.width < 1)
    throw ShapeError(message(name, ": an image of shape ", image.str(),
                             " is impossible; channels, height and width are at least 1"));
  return image;
}

/// A layer whose image is in its type, made for one known when the program runs.
inline void check_static_image(const char* name, const ImageShape& fixed, const ImageShape& image) {
  if (!compatible(fixed, image))
    throw ShapeError(message(name, ": the run-time image is ", image.str(), ", the static one is ", fixed.str(),
                             "; leave one of them out"));
}

/// Places (vertical, horizontal) of a window of size `kernel` on an image with `padding` on each side, `stride` apart.
/// Throws ShapeError when there are none, or a number is impossible.
constexpr Size2d window_places(const char* name, const ImageShape& image, const Size2d& kernel, const Size2d& stride,
                               const Size2d& padding) {
  (void)checked(name, image);
  if (kernel.height < 1 || kernel.width < 1 || stride.height < 1 || stride.width < 1 || padding.height < 0 ||
      padding.width < 0)
    throw ShapeError(message(name, ": kernel ", kernel.str(), ", stride ", stride.str(), ", padding ", padding.str(),
                             " is impossible; kernel and stride are at least 1, padding at least 0"));
  const Index down = image.height + 2 * padding.height - kernel.height;
  const Index right = image.width + 2 * padding.width - kernel.width;
  if (down < 0 || right < 0)
    throw ShapeError(message(name, ": kernel ", kernel.str(), " is larger than the image ", image.str(),
                             " with padding ", padding.str(), "; make the kernel smaller or pad more"));
  return {down / stride.height + 1, right / stride.width + 1};
}

}  // namespace detail
}  // namespace hourglass
