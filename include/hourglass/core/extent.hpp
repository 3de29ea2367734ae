// Extents: a width that is a number known to the compiler, or one known when the program runs.
#pragma once

#include <cstddef>

#include "hourglass/core/error.hpp"

namespace hourglass {

/// Signed size and index type, the same as Eigen's.
using Index = std::ptrdiff_t;

/// A width that is not known before the program runs; the same value as Eigen::Dynamic.
inline constexpr Index Dynamic = -1;

/// True when two extents can describe the same width: equal, or at least one of them Dynamic.
[[nodiscard]] constexpr bool compatible(Index a, Index b) noexcept { return a == Dynamic || b == Dynamic || a == b; }

/// True when layer number `layer` of a network, which expects `expected` features, can follow layers that produce
/// `produced`. As the condition of a static_assert it makes the diagnostic print all three numbers.
template <Index layer, Index produced, Index expected>
inline constexpr bool widths_match = compatible(produced, expected);

namespace detail {

/// Does not compile when the widths differ. A class, so that every compiler prints the numbers and not the expressions.
template <Index layer, Index produced, Index expected>
struct MatchingWidths {
  static_assert(widths_match<layer, produced, expected>,
                "a layer expects another number of features than the layers before it produce: "
                "widths_match<layer, produced, expected>");
  static constexpr bool value = true;
};

}  // namespace detail

/// A positive width: takes no space and no check when the compiler knows it, one number otherwise.
template <Index size>
class Extent {
  static_assert(size > 0, "a static width is at least 1");

 public:
  constexpr Extent() noexcept = default;
  /// Throws ShapeError unless `value` is the static width.
  constexpr explicit Extent(Index value) {
    if (value != size)
      throw ShapeError(detail::message("Extent: the run-time width is ", value, ", the static width is ", size,
                                       "; leave one of them out"));
  }
  [[nodiscard]] constexpr Index value() const noexcept { return size; }
};

template <>
class Extent<Dynamic> {
 public:
  /// Throws ShapeError unless `value` is at least 1.
  constexpr explicit Extent(Index value) : value_{value} {
    if (value < 1) throw ShapeError(detail::message("Extent: a width is at least 1, not ", value));
  }
  [[nodiscard]] constexpr Index value() const noexcept { return value_; }

 private:
  Index value_;
};

}  // namespace hourglass
