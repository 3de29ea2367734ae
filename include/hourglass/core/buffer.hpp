// Buffers: tensors of a model that files hold and training does not train, such as the running mean of BatchNorm1d.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "hourglass/core/parameter.hpp"
#include "hourglass/core/storage.hpp"

namespace hourglass {

/// A tensor with a name and no gradient, as PyTorch's register_buffer makes it: listed in `fields()` beside the
/// parameters, row-major, of float, double or std::int64_t. Optimisers, penalties, clipping, initialisers and
/// parameter_count() pass over it; save() and load() do not.
template <class Scalar_>
class Buffer {
 public:
  using Scalar = Scalar_;

  /// An absent tensor; for_each_tensor passes over it.
  Buffer() = default;
  /// `shape` may be empty: PyTorch's shape of a single number.
  explicit Buffer(const Shape& shape, Scalar value = Scalar(0))
      : shape_{shape}, values_(shape.rank() == 0 ? 1 : static_cast<std::size_t>(shape.size()), value) {}

  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(values_.size()); }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }

  [[nodiscard]] Scalar* data() noexcept { return values_.data(); }
  [[nodiscard]] const Scalar* data() const noexcept { return values_.data(); }
  [[nodiscard]] std::span<Scalar> values() noexcept { return values_; }
  [[nodiscard]] std::span<const Scalar> values() const noexcept { return values_; }

  /// As for parameters: position in storage of element `i` of the order that files use.
  [[nodiscard]] Index offset_of_row_major(Index i) const noexcept { return i; }

 private:
  Shape shape_;
  AlignedVector<Scalar> values_;
};

template <class T>
inline constexpr bool is_buffer = false;
template <class Scalar>
inline constexpr bool is_buffer<Buffer<Scalar>> = true;

namespace detail {

template <class Module, class Visit>
void for_each_tensor(Module& module, Visit& visit, const ParameterName& parent) {
  for_each_child(module, [&](const auto& key, auto& child) {
    using Child = std::remove_cvref_t<decltype(child)>;
    const ParameterName name{parent, key};
    if constexpr (!is_parameter<Child> && !is_buffer<Child>)
      for_each_tensor(child, visit, name);
    else if (!child.empty())
      visit(name, child);
  });
}

}  // namespace detail

/// Calls `visit(name, tensor)` for each parameter and each buffer of `module`, in the order in which PyTorch's
/// state_dict has them within a layer when its fields() do. Const modules give const tensors; absent ones are passed
/// over.
template <class Module, class Visit>
void for_each_tensor(Module& module, Visit&& visit) {
  detail::for_each_tensor(module, visit, ParameterName{});
}

/// The same for the buffers alone.
template <class Module, class Visit>
void for_each_buffer(Module& module, Visit&& visit) {
  for_each_tensor(module, [&](const ParameterName& name, auto& tensor) {
    if constexpr (is_buffer<std::remove_cvref_t<decltype(tensor)>>) visit(name, tensor);
  });
}

/// Number of values in buffers.
template <class Module>
[[nodiscard]] Index buffer_count(const Module& module) {
  Index count = 0;
  for_each_buffer(module, [&](const ParameterName&, const auto& buffer) { count += buffer.size(); });
  return count;
}

}  // namespace hourglass
