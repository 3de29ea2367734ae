// What the compiler knows of the widths and images between the layers of a Sequential, and of the activation it ends
// in.
#pragma once

#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass {

namespace detail {

/// Checks the static widths of neighbours; instantiating it with a mismatch does not compile and prints
/// widths_match<index of the layer, width before it, width it expects>.
template <Index layer, Index width, class... Layers>
struct SequentialWidth {
  static constexpr Index value = width;
};
template <Index layer, Index width, class First, class... Rest>
struct SequentialWidth<layer, width, First, Rest...> {
  static_assert(MatchingWidths<layer, width, static_in<First>()>::value);
  static constexpr Index value = SequentialWidth<layer + 1, static_out<First>(width), Rest...>::value;
};

/// The same for images.
template <Index layer, ImageShape image, class... Layers>
struct SequentialImage {
  static constexpr ImageShape value = image;
};
template <Index layer, ImageShape image, class First, class... Rest>
struct SequentialImage<layer, image, First, Rest...> {
  static_assert(matching_images<layer, image, static_in_image<First>()>);
  static constexpr ImageShape value = SequentialImage<layer + 1, static_out_image<First>(image), Rest...>::value;
};

/// Shape of the images that the network expects: all that the first layers say, as far as images keep their shape.
template <class First, class... Rest>
constexpr ImageShape sequential_in_image() noexcept {
  if constexpr (sizeof...(Rest) > 0 && preserves_image<First>)
    return merged(static_in_image<First>(), sequential_in_image<Rest...>());
  else
    return static_in_image<First>();
}

/// Width that the network expects: that of the first layer that states one, when only width-preserving ones precede it.
template <class First, class... Rest>
constexpr Index sequential_in() noexcept {
  if constexpr (static_in<First>() != Dynamic || sizeof...(Rest) == 0)
    return static_in<First>();
  else if constexpr (preserves_width<First>)
    return sequential_in<Rest...>();
  else
    return Dynamic;
}

/// The activation that a network ends in, if it does: the last layer, or that of a container there.
template <bool behind_another, class Last>
struct LastOf : LastActivationOf<Last> {};
template <Activation Last>
struct LastOf<true, Last> {
  using type = Last;
};

}  // namespace detail
}  // namespace hourglass
