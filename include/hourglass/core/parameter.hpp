// Parameters: the trained tensors of a model, their names, and how to visit them.
//
// A module lists its members once:
//
//     static constexpr auto fields() {
//       return std::tuple{Field{"weight", &Linear::weight_}, Field{"bias", &Linear::bias_}};
//     }
//
// and initialisers, optimisers and penalties all reach its tensors through for_each_parameter, and files those of
// core/buffer.hpp too. A container whose parts have numbers instead of names offers `for_each_child(self, visit)`,
// which calls visit(index, part).
#pragma once

#include <array>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/storage.hpp"

namespace hourglass {

/// Sizes of a tensor of rank 1 to 4, outermost first, as PyTorch writes them.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Index> sizes) {
    if (sizes.size() > sizes_.size()) throw ShapeError(detail::message("Shape: rank ", sizes.size(), " is above 4"));
    for (const Index size : sizes) {
      if (size < 0) throw ShapeError(detail::message("Shape: negative size ", size));
      sizes_[rank_++] = size;
    }
  }
  [[nodiscard]] std::size_t rank() const noexcept { return rank_; }
  [[nodiscard]] Index operator[](std::size_t axis) const noexcept { return sizes_[axis]; }
  [[nodiscard]] const Index* begin() const noexcept { return sizes_.data(); }
  [[nodiscard]] const Index* end() const noexcept { return sizes_.data() + rank_; }
  /// Number of elements; 0 for the empty shape of an absent tensor.
  [[nodiscard]] Index size() const noexcept {
    Index product = rank_ == 0 ? 0 : 1;
    for (const Index size : *this) product *= size;
    return product;
  }
  /// "(256, 784)".
  [[nodiscard]] std::string str() const {
    std::string text = "(";
    for (std::size_t axis = 0; axis < rank_; ++axis) text += detail::message(axis ? ", " : "", sizes_[axis]);
    return text + ")";
  }
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<Index, 4> sizes_{};
  std::size_t rank_ = 0;
};

/// How a tensor lies in memory: last axis contiguous, or first axis contiguous (matrices only).
enum class StorageOrder { row_major, column_major };

/// A trained tensor: zeros until it is initialised or loaded.
template <class Scalar_>
class Parameter {
 public:
  using Scalar = Scalar_;

  /// An absent tensor, as the bias of a layer without one; for_each_parameter passes over it.
  Parameter() = default;
  explicit Parameter(const Shape& shape, StorageOrder order = StorageOrder::row_major)
      : shape_{shape}, order_{order}, values_(static_cast<std::size_t>(shape.size())) {
    if (order == StorageOrder::column_major && shape.rank() != 2)
      throw ShapeError(detail::message("Parameter: column-major order is for matrices, not for shape ", shape.str()));
  }

  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(values_.size()); }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] StorageOrder order() const noexcept { return order_; }

  /// Elements in storage order.
  [[nodiscard]] Scalar* data() noexcept { return values_.data(); }
  [[nodiscard]] const Scalar* data() const noexcept { return values_.data(); }
  [[nodiscard]] std::span<Scalar> values() noexcept { return values_; }
  [[nodiscard]] std::span<const Scalar> values() const noexcept { return values_; }

  /// Position in storage of element `i` of the row-major order that files use.
  [[nodiscard]] Index offset_of_row_major(Index i) const noexcept {
    if (order_ == StorageOrder::row_major) return i;
    return i % shape_[1] * shape_[0] + i / shape_[1];
  }

 private:
  Shape shape_;
  StorageOrder order_ = StorageOrder::row_major;
  AlignedVector<Scalar> values_;
};

template <class T>
inline constexpr bool is_parameter = false;
template <class Scalar>
inline constexpr bool is_parameter<Parameter<Scalar>> = true;

/// A named data member of a module.
template <class Class, class Member>
struct Field {
  std::string_view name;
  Member Class::*member;
};
template <class Class, class Member>
Field(const char*, Member Class::*) -> Field<Class, Member>;

/// Hierarchical name such as "encoder.0.weight", linked on the stack: visiting allocates nothing until str().
class ParameterName {
 public:
  ParameterName() = default;
  ParameterName(const ParameterName& parent, std::string_view leaf) noexcept : parent_{&parent}, leaf_{leaf} {}
  ParameterName(const ParameterName& parent, Index number) noexcept : parent_{&parent}, number_{number} {}

  [[nodiscard]] std::string str() const {
    std::string text;
    append_to(text);
    return text;
  }
  /// Last component: "weight".
  [[nodiscard]] std::string_view leaf() const noexcept { return leaf_; }

 private:
  void append_to(std::string& text) const {
    if (!parent_) return;
    parent_->append_to(text);
    if (!text.empty()) text += '.';
    if (number_ < 0)
      text += leaf_;
    else
      text += std::to_string(number_);
  }

  const ParameterName* parent_ = nullptr;
  std::string_view leaf_;
  Index number_ = -1;
};

namespace detail {

/// "encoder.1" begins "encoder.1.weight" and not "encoder.10.weight"; the empty prefix begins every name.
[[nodiscard]] inline bool begins_with_components(std::string_view name, std::string_view prefix) noexcept {
  return prefix.empty() || (name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.'));
}

template <class Module, class Visit>
void for_each_child(Module& module, Visit&& visit) {
  using Plain = std::remove_const_t<Module>;
  if constexpr (requires { Plain::fields(); })
    std::apply([&](const auto&... field) { (visit(field.name, module.*field.member), ...); }, Plain::fields());
  else if constexpr (requires { Plain::for_each_child(module, visit); })
    Plain::for_each_child(module, visit);
}

template <class Module, class Visit>
void for_each_parameter(Module& module, Visit& visit, const ParameterName& parent) {
  for_each_child(module, [&](const auto& key, auto& child) {
    const ParameterName name{parent, key};
    if constexpr (!is_parameter<std::remove_cvref_t<decltype(child)>>)
      for_each_parameter(child, visit, name);
    else if (!child.empty())
      visit(name, child);
  });
}

}  // namespace detail

/// Calls `visit(name, parameter)` for each tensor of `module`, in a fixed order (that of the layers). Const modules
/// give const parameters. Absent tensors and buffers (core/buffer.hpp) are passed over.
template <class Module, class Visit>
void for_each_parameter(Module& module, Visit&& visit) {
  detail::for_each_parameter(module, visit, ParameterName{});
}

/// Number of trained values.
template <class Module>
[[nodiscard]] Index parameter_count(const Module& module) {
  Index count = 0;
  for_each_parameter(module, [&](const ParameterName&, const auto& parameter) { count += parameter.size(); });
  return count;
}

}  // namespace hourglass
