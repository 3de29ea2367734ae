// Shape flow: what is known of the widths and images between the layers of a network when the program runs, and the
// error where a layer cannot follow those before it.
#pragma once

#include <string>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass::detail {

/// Features of a row and, where they are an image, its shape; as far as they are known.
struct RowShape {
  Index features = Dynamic;
  ImageShape image = any_image;
  friend constexpr bool operator==(const RowShape&, const RowShape&) = default;
};

/// Rows after a layer or network that those of shape `in` go into. Throws ShapeError when it does not take that width.
template <class Module>
[[nodiscard]] RowShape shape_after(const Module& module, const RowShape& in) {
  const Index expected = in_features(module);
  const Index features = expected == Dynamic ? in.features : expected;
  return {features == Dynamic ? Dynamic : out_features(module, features), out_image(module, in.image)};
}

/// Calls `visit(name, layer, in)` for each layer of a network, where `in` are the rows that go into it, and gets from
/// it those that come out; returns those after the network. A container whose modules do not stand one behind the other
/// offers `follow_shapes(name, in, visit)`.
template <class Module, class Visit>
RowShape follow_shapes(const Module& module, const ParameterName& name, const RowShape& in, Visit& visit) {
  if constexpr (requires { module.follow_shapes(name, in, visit); }) {
    return module.follow_shapes(name, in, visit);
  } else if constexpr (Container<Module>) {
    RowShape row = in;
    for_each_child(module, [&](const auto& key, const auto& child) {
      row = follow_shapes(child, ParameterName{name, key}, row, visit);
    });
    return row;
  } else {
    return visit(name, module, in);
  }
}

/// Visitor of follow_shapes() that throws ShapeError at a layer which cannot take what those before it give.
class ShapeCheck {
 public:
  /// `network` and `layer` for messages: "<network>: <layer>0 (Conv2d) gives images of shape ...".
  ShapeCheck(std::string_view network, std::string_view layer) noexcept : network_{network}, layer_{layer} {}

  template <class Layer>
  RowShape operator()(const ParameterName& name, const Layer& layer, const RowShape& in) {
    const ImageShape image = in_image(layer);
    if (!compatible(in.image, image)) throw error(" gives images of shape ", in.image.str(), name, layer, image.str());
    const Index features = in_features(layer);
    if (!compatible(in.features, features))
      throw error(" gives ", message(in.features, " features"), name, layer, message(features));
    const RowShape out = shape_after(layer, in);
    if (out != in) giver_ = label(name, layer_name(layer));
    return out;
  }

  /// Throws ShapeError when the last layers give other images than `expected`, which `taker` is said to expect.
  void require(const ImageShape& given, std::string_view taker, const ImageShape& expected) const {
    if (!compatible(given, expected))
      throw ShapeError(message(network_, ": ", giver_, " gives images of shape ", given.str(), ", ", taker, " has ",
                               expected.str(), "; make the two shapes equal"));
  }

 private:
  [[nodiscard]] std::string label(const ParameterName& name, std::string_view type) const {
    return message(layer_, name.str(), " (", type, ")");
  }
  template <class Layer>
  [[nodiscard]] ShapeError error(const char* gives, const std::string& given, const ParameterName& name,
                                 const Layer& layer, const std::string& expected) const {
    const char* what = in_image(layer) == any_image ? "numbers" : "shapes";
    return ShapeError(message(network_, ": ", giver_, gives, given, ", ", label(name, layer_name(layer)), " expects ",
                              expected, "; make the two ", what, " equal"));
  }

  std::string_view network_;
  std::string_view layer_;
  std::string giver_;
};

}  // namespace hourglass::detail
