// One flat block with a slot for every parameter of a model: gradients, and the moments that optimisers keep.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "hourglass/core/error.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/storage.hpp"

namespace hourglass {

/// Elements that a slot of `size` values occupies: whole cache lines, so that every slot starts on one.
template <class Scalar>
[[nodiscard]] constexpr Index slot_size(Index size) noexcept {
  constexpr auto line = static_cast<Index>(alignment / sizeof(Scalar));
  return (size + line - 1) / line * line;
}

/// Elements that the slots of all parameters of `module` occupy together.
template <class Scalar, class Module>
[[nodiscard]] Index slots_size(const Module& module) {
  Index total = 0;
  for_each_parameter(module, [&](const ParameterName&, const auto& p) { total += slot_size<Scalar>(p.size()); });
  return total;
}

/// Values parallel to the parameters of a model, in for_each_parameter's order and each parameter's own storage
/// order, slot after slot. Starts as zeros.
template <class Scalar_>
class ParameterBuffer {
 public:
  using Scalar = Scalar_;

  ParameterBuffer() = default;
  template <class Module>
  requires(!std::same_as<Module, ParameterBuffer>) explicit ParameterBuffer(const Module& module)
      : values_(static_cast<std::size_t>(slots_size<Scalar>(module))) {}

  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(values_.size()); }
  [[nodiscard]] Scalar* data() noexcept { return values_.data(); }
  [[nodiscard]] const Scalar* data() const noexcept { return values_.data(); }
  /// All slots; the padding between them is always zero, so sums over all of it are sums over the parameters.
  [[nodiscard]] std::span<Scalar> values() noexcept { return values_; }
  [[nodiscard]] std::span<const Scalar> values() const noexcept { return values_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return values_.size() * sizeof(Scalar); }

  void set_zero() noexcept { std::fill(values_.begin(), values_.end(), Scalar(0)); }

 private:
  AlignedVector<Scalar> values_;
};

namespace detail {

/// Throws ShapeError unless a buffer of `size` elements is as large as the slots of the model.
template <class Scalar, class Module>
void check_slots(const Module& module, Index size) {
  const Index total = slots_size<Scalar>(module);
  if (size != total)
    throw ShapeError(message("zip_parameters: the model has slots for ", total, " values, the buffer for ", size,
                             "; make one buffer (workspace, optimiser) per model"));
}

}  // namespace detail

/// Calls `visit(name, parameter, slot...)` for each parameter of `module` together with its slot (a pointer to
/// parameter.size() values) in each of `buffers`. Throws ShapeError when a buffer was made for another model.
template <class Module, class Visit, class... Buffers>
void zip_parameters(Module& module, Visit&& visit, Buffers&... buffers) {
  using Scalar = typename Module::Scalar;
  (detail::check_slots<Scalar>(module, buffers.size()), ...);
  Index offset = 0;
  for_each_parameter(module, [&](const ParameterName& name, auto& parameter) {
    visit(name, parameter, (buffers.data() + offset)...);
    offset += slot_size<Scalar>(parameter.size());
  });
}

}  // namespace hourglass
