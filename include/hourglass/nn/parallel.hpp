// Parallel: modules that read the same input and stand side by side, y = (module_1(x), ..., module_n(x)).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/shape_flow.hpp"

namespace hourglass {

/// Heads of a network: x (batch, in) goes to each module, and y (batch, out_1 + ... + out_n) is what they give, side by
/// side. An encoder with a head for the mean and one for the log-variance ends in
///
///     hg::Sequential{..., hg::Parallel{hg::Linear{256, 20}, hg::Sequential{hg::Linear{256, 64}, hg::ReLU{}, ...}}}
///
/// Where both heads are single Linear layers, one of double width is the same and faster, and two_heads() reads the
/// files of two. Heads that give images of one height and width give the channels of all of them together. Parameters
/// are named by position: "0.weight", "1.bias".
template <class... Modules>
class Parallel {
  static_assert(sizeof...(Modules) > 0, "Parallel needs at least one module");
  static constexpr std::size_t count = sizeof...(Modules);

  static constexpr Index width_before() noexcept {
    Index in = Dynamic;
    ((in = in == Dynamic ? detail::static_in<Modules>() : in), ...);
    return in;
  }
  static constexpr Index width_after() noexcept {
    const std::array<Index, count> outs{detail::static_out<Modules>(width_before())...};
    Index sum = 0;
    for (const Index out : outs) sum = sum == Dynamic || out == Dynamic ? Dynamic : sum + out;
    return sum;
  }
  static constexpr ImageShape image_before() noexcept {
    ImageShape image;
    ((image = merged(image, detail::static_in_image<Modules>())), ...);
    return image;
  }
  /// The channels of all images, one behind the other, where that makes an image.
  static constexpr ImageShape together(const std::array<ImageShape, count>& images) noexcept {
    ImageShape sum{0, images[0].height, images[0].width};
    for (const ImageShape& image : images) {
      if (!image.is_known() || image.height != sum.height || image.width != sum.width) return any_image;
      sum.channels += image.channels;
    }
    return sum;
  }

 public:
  using Scalar = typename detail::ScalarOf<Modules...>::type;
  static_assert((detail::same_scalar<Modules, Scalar>() && ...), "Parallel: all modules must share one scalar type");
  static constexpr std::string_view name = "Parallel";
  static constexpr Index static_in = width_before();
  static constexpr Index static_out = width_after();
  static constexpr ImageShape static_in_image = image_before();
  static constexpr ImageShape static_out_image = together({detail::static_out_image<Modules>(static_in_image)...});
  static_assert((detail::MatchingWidths<0, static_in, detail::static_in<Modules>()>::value && ...));
  static_assert((detail::matching_images<0, static_in_image, detail::static_in_image<Modules>()> && ...));

  static constexpr bool rows_independent = (detail::rows_independent<Modules> && ...);
  static constexpr Index row_group = std::max({detail::row_group<Modules>()...});
  using LastActivation = void;  // each module has its own

  struct Cache {
    std::tuple<typename detail::CacheOf<Scalar, Modules>::type...> modules;
    Matrix<Scalar> values;                        // (max_batch, out)
    std::array<Matrix<Scalar>, count> gradients;  // (max_batch, out_i)
    Matrix<Scalar> input_gradient;                // (max_batch, in): that of one module after the first

    [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return first_rows(values, rows); }
    [[nodiscard]] std::size_t bytes() const noexcept {
      Index own = values.size() + input_gradient.size();
      for (const Matrix<Scalar>& gradient : gradients) own += gradient.size();
      const std::size_t total = static_cast<std::size_t>(own) * sizeof(Scalar);
      return std::apply([&](const auto&... module) { return (total + ... + module.bytes()); }, modules);
    }
  };

  Parallel() = default;
  /// Throws ShapeError when the modules expect different numbers of features, or images of different shapes.
  explicit Parallel(Modules... modules) : modules_{std::move(modules)...} {
    const Index in = in_features();
    ImageShape image;
    for_each_child(*this, [&](Index index, const auto& module) {
      const Index expected = detail::in_features(module);
      if (!compatible(in, expected))
        throw ShapeError(detail::message("Parallel: module ", index, " (", detail::layer_name(module), ") expects ",
                                         expected, " features, one before it ", in, "; make the two numbers equal"));
      const ImageShape expected_image = detail::in_image(module);
      if (!compatible(image, expected_image))
        throw ShapeError(detail::message("Parallel: module ", index, " (", detail::layer_name(module),
                                         ") expects images of shape ", expected_image.str(), ", one before it ",
                                         image.str(), "; make the two shapes equal"));
      image = merged(image, expected_image);
    });
  }

  template <std::size_t index>
  [[nodiscard]] auto& module() noexcept {
    return std::get<index>(modules_);
  }
  template <std::size_t index>
  [[nodiscard]] const auto& module() const noexcept {
    return std::get<index>(modules_);
  }

  template <class Self, class Visit>
  static void for_each_child(Self& self, Visit&& visit) {
    std::apply(
        [&](auto&... module) {
          Index index = 0;
          (visit(index++, module), ...);
        },
        self.modules_);
  }

  /// Features that the modules expect; Dynamic when all of them take any number.
  [[nodiscard]] Index in_features() const {
    Index in = Dynamic;
    for_each_child(*this, [&](Index, const auto& module) { in = in == Dynamic ? detail::in_features(module) : in; });
    return in;
  }
  [[nodiscard]] Index out_features(Index in) const {
    Index out = 0;
    for_each_child(*this, [&](Index, const auto& module) { out += detail::out_features(module, in); });
    return out;
  }

  /// What is known of the images that the modules expect.
  [[nodiscard]] ImageShape in_image() const {
    ImageShape image;
    for_each_child(*this, [&](Index, const auto& module) { image = merged(image, detail::in_image(module)); });
    return image;
  }
  /// Channels of the images that all modules give for those of shape `in`, or any_image where they make none.
  [[nodiscard]] ImageShape out_image(const ImageShape& in = any_image) const {
    std::array<ImageShape, count> images;
    for_each_child(*this, [&](Index index, const auto& module) {
      images[static_cast<std::size_t>(index)] = detail::out_image(module, in);
    });
    return together(images);
  }
  /// See nn/shape_flow.hpp.
  template <class Visit>
  detail::RowShape follow_shapes(const ParameterName& parent, const detail::RowShape& in, Visit& visit) const {
    for_each_child(*this, [&](Index index, const auto& module) {
      (void)detail::follow_shapes(module, ParameterName{parent, index}, in, visit);
    });
    return detail::shape_after(*this, in);
  }

  [[nodiscard]] Cache plan(Index max_batch, Index in, Purpose purpose) const {
    Cache cache;
    cache.values = Matrix<Scalar>(max_batch, out_features(in));
    if (purpose == Purpose::training && count > 1) cache.input_gradient = Matrix<Scalar>(max_batch, in);
    each([&](auto index) {
      const auto& module = std::get<index>(modules_);
      std::get<index>(cache.modules) = detail::plan<Scalar>(module, max_batch, in, purpose);
      if (purpose == Purpose::training)
        cache.gradients[index] = Matrix<Scalar>(max_batch, detail::out_features(module, in));
    });
    return cache;
  }

  // The passes of a container, see nn/container.hpp.
  template <Mode M>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode, RowRange rows) const {
    MatrixView<Scalar> values = rows_of(cache.values, rows);
    Index first = 0;
    each([&](auto index) {
      const auto y =
          detail::propagate<Scalar>(std::get<index>(modules_), x, std::get<index>(cache.modules), mode, rows);
      values.middleCols(first, y.cols()) = y;
      first += y.cols();
    });
    return values;
  }
  void backward_inputs(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>& dy, Cache& cache,
                       Scalar* gradient, MatrixView<Scalar> dx, RowRange rows) const {
    Index first = 0;
    each([&](auto index) {
      const auto& module = std::get<index>(modules_);
      auto& own = std::get<index>(cache.modules);
      MatrixView<Scalar> part = rows_of(cache.gradients[index], rows);
      part = dy.middleCols(first, part.cols());
      first += part.cols();
      detail::before_last_activation<Scalar>(module, own, rows, part);
      const bool adds = index > 0 && dx.data() != nullptr;
      const MatrixView<Scalar> to = adds ? rows_of(cache.input_gradient, rows) : dx;
      detail::backward_inputs<Scalar>(module, x, ConstMatrixView<Scalar>(part), own, gradient, to, rows);
      if (adds) dx += to;
      gradient += slots_size<Scalar>(module);
    });
  }
  template <class Self, class Sink>
  static void backward_parameters(Self& self, const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>&,
                                  Cache& cache, const Sink& sink, WorkPart part) {
    Index slots = 0;
    each([&](auto index) {
      auto& module = std::get<index>(self.modules_);
      const ConstMatrixView<Scalar> dy(first_rows(cache.gradients[index], x.rows()));
      detail::backward_parameters<Scalar>(module, x, dy, std::get<index>(cache.modules), sink.at_slot(slots), part);
      slots += slots_size<Scalar>(module);
    });
  }
  void update_buffers(const Cache& cache) {
    each(
        [&](auto index) { detail::update_buffers<Scalar>(std::get<index>(modules_), std::get<index>(cache.modules)); });
  }

 private:
  /// body(index) for each module, with an index that the compiler knows.
  template <class Body>
  static void each(const Body& body) {
    [&]<std::size_t... index>(std::index_sequence<index...>) {
      (body(std::integral_constant<std::size_t, index>{}), ...);
    }
    (std::make_index_sequence<count>{});
  }

  std::tuple<Modules...> modules_;
};

}  // namespace hourglass
