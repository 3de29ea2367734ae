// Flatten and Unflatten: where images become plain features, and features images. The numbers stay as they are: rows
// hold images in PyTorch's order. For the names of layers in files, and for the checks of shapes.
#pragma once

#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/simd.hpp"

namespace hourglass {

/// y = x, of which no longer is said that it consists of images. A layer before it runs as with an activation.
struct Flatten {
  static constexpr std::string_view name = "Flatten";
  static constexpr bool derivative_from_output = true;
  static constexpr bool preserves_image = false;
  HOURGLASS_SIMD(V value(V x) const, { return x; })
  HOURGLASS_SIMD(V derivative(V, V) const, { return V(1); })
};

/// y = x, rows of features as images: `Unflatten<ImageShape{64, 7, 7}>{}`, or `Unflatten{ImageShape{64, 7, 7}}`. Throws
/// ShapeError when the shape is impossible, and where it meets another number of features.
template <ImageShape Image = any_image>
class Unflatten {
 public:
  static constexpr std::string_view name = "Unflatten";
  static constexpr bool derivative_from_output = true;
  static constexpr bool preserves_image = false;
  static constexpr ImageShape static_out_image = Image;
  static constexpr Index static_in = Image != any_image ? detail::checked("Unflatten", Image).size() : Dynamic;
  static constexpr Index static_out = static_in;

  Unflatten() requires(Image != any_image) : image_{Image} {}
  explicit Unflatten(const ImageShape& image) requires(Image == any_image)
      : image_{detail::checked("Unflatten", image)} {}

  [[nodiscard]] ImageShape out_image() const noexcept { return image_; }
  [[nodiscard]] Index in_features() const noexcept { return image_.size(); }
  [[nodiscard]] Index out_features(Index in) const {
    if (in != in_features())
      throw ShapeError(detail::message("Unflatten: input has ", in, " features, an image of shape ", image_.str(),
                                       " has ", in_features(), "; check the layer before it"));
    return in;
  }
  HOURGLASS_SIMD(V value(V x) const, { return x; })
  HOURGLASS_SIMD(V derivative(V, V) const, { return V(1); })

 private:
  ImageShape image_;
};

}  // namespace hourglass
