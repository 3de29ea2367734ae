// Layers: what a part of a network must offer, and the few functions through which containers drive any of them.
//
// An activation is a struct with `value(x)`, `derivative(x, y)` (y = value(x)) and a `name`: see core/activation.hpp.
//
// Any other layer maps a batch x (batch, in) to y (batch, out) with
//     in_features()                              features it expects; Dynamic: any
//     out_features(in)                           features it gives for `in` of them
//     scratch_size(batch, in)                    scalars it keeps from forward to backward (optional)
//     forward(x, y, scratch, mode)               fills y
//     backward(x, y, dy, dx, scratch, gradient)  fills the slots of its parameters, and dx unless dx is empty
//     update_buffers(scratch)                    lets its buffers follow the last training pass (if it has any)
//     takes_rows_in_inference()                  forward() may get any rows of a batch in a mode that does not
//                                                train, and then without scratch memory
//                                                (optional: it may not)
// `static_in` and `static_out` state the widths that the compiler knows, `fields()` its parameters (parameter.hpp) and
// buffers (buffer.hpp). A layer of images also has in_image() and out_image(), and `static_in_image` and
// `static_out_image`. `preserves_width` says that it gives as many features as it gets, for any number, and in the same
// places if they are images (otherwise `preserves_image` is false).
//
// A layer that says `takes_rows` works on any range of the rows of a batch, so that threads may share one, and has
//     row_group                                              ranges begin at multiples of it (optional)
//     work_per_row()                                         multiplications for a row, about (optional)
//     scratch_size(batch, in, purpose)                       scalars for both passes, of the whole batch (optional)
//     forward(x, y, scratch, mode, rows)                     fills y
//     backward(x, y, dy, dx, scratch, rows, epilogue)        dx = epilogue(input gradient) unless dx is empty
//     parameter_gradient(self, rows, scratch, sink, part)    for all rows, after backward; if it has parameters
// where x, y, dy and dx are those of the range.
//
// What is made of other modules, such as Sequential, is a container: see nn/container.hpp.
// Layers are const while they compute: all that a pass writes lies in memory that the caller passes in.
#pragma once

#include <algorithm>
#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "hourglass/core/activation.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/storage.hpp"
#include "hourglass/core/threads.hpp"

namespace hourglass {

/// A module that is made of others and keeps a cache of its own shape; see nn/container.hpp.
template <class Module>
concept Container = requires {
  typename Module::Cache;
};

/// A layer whose forward pass is one product that can end in an activation. Linear has `product(x, y, epilogue)`,
/// `input_gradient(dy, dx, epilogue)`, `parameter_gradient(self, x, dy, sink, part)` and `bias_data()`; those that take
/// rows have `product(x, y, scratch, rows, epilogue)`, which adds their bias itself.
template <class Module>
concept Affine = requires {
  requires Module::is_affine;
};

/// A layer that is told which rows of a batch it works on; see above.
template <class Module>
concept TakesRows = requires {
  requires Module::takes_rows;
};

/// Rows [first, first + count) of a batch: what one thread works on.
struct RowRange {
  Index first;
  Index count;
};

/// What buffers are for: inference keeps nothing for a backward pass.
enum class Purpose { training, inference };

/// The first `rows` rows of a buffer.
template <class Scalar>
[[nodiscard]] MatrixView<Scalar> first_rows(Matrix<Scalar>& matrix, Index rows) noexcept {
  return {matrix.data(), rows, matrix.cols()};
}
template <class Scalar>
[[nodiscard]] ConstMatrixView<Scalar> first_rows(const Matrix<Scalar>& matrix, Index rows) noexcept {
  return {matrix.data(), rows, matrix.cols()};
}

/// The given rows of a buffer.
template <class Scalar>
[[nodiscard]] MatrixView<Scalar> rows_of(Matrix<Scalar>& matrix, RowRange rows) noexcept {
  return {matrix.data() + rows.first * matrix.cols(), rows.count, matrix.cols()};
}
template <class Scalar>
[[nodiscard]] ConstMatrixView<Scalar> rows_of(const Matrix<Scalar>& matrix, RowRange rows) noexcept {
  return {matrix.data() + rows.first * matrix.cols(), rows.count, matrix.cols()};
}
template <class Scalar>
[[nodiscard]] ConstMatrixView<Scalar> rows_of(const ConstMatrixView<Scalar>& matrix, RowRange rows) noexcept {
  return {matrix.data() + rows.first * matrix.cols(), rows.count, matrix.cols()};
}

/// What one layer leaves for the next one and for its own backward pass.
template <class Scalar>
struct LayerCache {
  Matrix<Scalar> values;          // (max_batch, out)
  AlignedVector<Scalar> scratch;  // scratch_size(max_batch, in)

  [[nodiscard]] ConstMatrixView<Scalar> output(Index rows) const noexcept { return first_rows(values, rows); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return (static_cast<std::size_t>(values.size()) + scratch.size()) * sizeof(Scalar);
  }
};

/// "No input gradient wanted", for backward.
template <class Scalar>
[[nodiscard]] MatrixView<Scalar> no_gradient() noexcept {
  return {nullptr, 0, 0};
}

namespace detail {

template <class Module>
constexpr Index static_in() noexcept {
  if constexpr (requires { Module::static_in; })
    return Module::static_in;
  else
    return Dynamic;
}

/// The module gives as many features as it gets, for any number.
template <class Module>
inline constexpr bool preserves_width = Activation<Module> || requires {
  requires Module::preserves_width;
};

/// Width after the module when `in` is the width before it, as far as the compiler knows.
template <class Module>
constexpr Index static_out(Index in) noexcept {
  if constexpr (preserves_width<Module>)
    return static_in<Module>() == Dynamic ? in : static_in<Module>();
  else if constexpr (requires { Module::static_out; })
    return Module::static_out;
  else
    return Dynamic;
}

/// Images keep their shape in the module.
template <class Module>
inline constexpr bool preserves_image = [] {
  if constexpr (requires { Module::preserves_image; })
    return Module::preserves_image;
  else
    return preserves_width<Module>;
}();

/// Shape of the images that the module expects and gives, as far as the compiler knows.
template <class Module>
constexpr ImageShape static_in_image() noexcept {
  if constexpr (requires { Module::static_in_image; })
    return Module::static_in_image;
  else
    return any_image;
}
template <class Module>
constexpr ImageShape static_out_image(const ImageShape& in) noexcept {
  if constexpr (preserves_image<Module>)
    return merged(in, static_in_image<Module>());
  else if constexpr (requires { Module::static_out_image; })
    return Module::static_out_image;
  else
    return any_image;
}

/// The same when the program runs.
template <class Module>
[[nodiscard]] ImageShape in_image(const Module& module) {
  if constexpr (requires { module.in_image(); })
    return module.in_image();
  else
    return any_image;
}
template <class Module>
[[nodiscard]] ImageShape out_image(const Module& module, const ImageShape& in) {
  if constexpr (requires { module.out_image(in); })
    return module.out_image(in);
  else if constexpr (preserves_image<Module>)
    return merged(in, in_image(module));
  else if constexpr (requires { module.out_image(); })
    return module.out_image();
  else
    return any_image;
}

/// Multiplications of a forward pass for one row, about.
template <class Module>
[[nodiscard]] double work_per_row(const Module& module) {
  if constexpr (is_parameter<Module>) {
    return static_cast<double>(module.size());
  } else if constexpr (requires { module.work_per_row(); }) {
    return module.work_per_row();
  } else {
    double work = 0;
    for_each_child(module, [&](const auto&, const auto& child) { work += work_per_row(child); });
    return work;
  }
}

template <class Module>
[[nodiscard]] std::string_view layer_name(const Module&) noexcept {
  if constexpr (requires { Module::name; })
    return Module::name;
  else
    return "layer";
}

template <class Module>
[[nodiscard]] Index in_features(const Module& module) {
  if constexpr (requires { module.in_features(); })
    return module.in_features();
  else
    return Dynamic;
}

template <class Module>
[[nodiscard]] Index out_features(const Module& module, Index in) {
  if constexpr (requires { module.out_features(in); })
    return module.out_features(in);
  else
    return in;
}

template <class Scalar, class Module>
struct CacheOf {
  using type = LayerCache<Scalar>;
};
template <class Scalar, Container Module>
struct CacheOf<Scalar, Module> {
  using type = typename Module::Cache;
};

template <class Scalar, class Module>
[[nodiscard]] typename CacheOf<Scalar, Module>::type plan(const Module& module, Index max_batch, Index in,
                                                          Purpose purpose, bool keeps_values = true) {
  if constexpr (Container<Module>) {
    return module.plan(max_batch, in, purpose);
  } else {
    LayerCache<Scalar> cache;
    if (keeps_values) cache.values = Matrix<Scalar>(max_batch, out_features(module, in));
    if constexpr (requires { module.scratch_size(max_batch, in, purpose); })
      cache.scratch.resize(static_cast<std::size_t>(module.scratch_size(max_batch, in, purpose)));
    if constexpr (requires { module.scratch_size(max_batch, in); })
      if (purpose == Purpose::training)
        cache.scratch.resize(static_cast<std::size_t>(module.scratch_size(max_batch, in)));
    return cache;
  }
}

/// y[i] = f(x[i]).
template <class Scalar, class Module>
struct ActivationForward {
  const Module& f;
  Index count;
  const Scalar* x;
  Scalar* y;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      activate(f, V::load(x + i, n)).store(y + i, n);
    }
  })
};

/// dx[i] = dy[i] f'(x[i]), where y[i] = f(x[i]).
template <class Scalar, class Module>
struct ActivationBackward {
  const Module& f;
  Index count;
  const Scalar* x;
  const Scalar* y;
  const Scalar* dy;
  Scalar* dx;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      (V::load(dy + i, n) * differentiate(f, V::load(x + i, n), V::load(y + i, n))).store(dx + i, n);
    }
  })
};

/// y = f(x) for the given rows, on as many threads as the caller has.
template <class Scalar, class Module>
void activation_forward(const Module& f, Index count, const Scalar* x, Scalar* y) {
  parallel_ranges(count, [&](Index begin, Index end) {
    simd::dispatch<Scalar>(ActivationForward<Scalar, Module>{f, end - begin, x + begin, y + begin});
  });
}

/// dx = dy f'(x); dx may be dy.
template <class Scalar, class Module>
void activation_backward(const Module& f, Index count, const Scalar* x, const Scalar* y, const Scalar* dy, Scalar* dx) {
  parallel_ranges(count, [&](Index begin, Index end) {
    simd::dispatch<Scalar>(
        ActivationBackward<Scalar, Module>{f, end - begin, x + begin, y + begin, dy + begin, dx + begin});
  });
}

/// The module's output for rows `rows` of a batch, of which x is the input.
template <class Scalar, class Module, class Cache, Mode M>
ConstMatrixView<Scalar> propagate(const Module& module, const ConstMatrixView<Scalar>& x, Cache& cache, const M& mode,
                                  RowRange rows) {
  if constexpr (Container<Module>) {
    return module.forward(x, cache, mode, rows);
  } else {
    MatrixView<Scalar> y = rows_of(cache.values, rows);
    if constexpr (Activation<Module>)
      activation_forward(module, y.size(), x.data(), y.data());
    else if constexpr (TakesRows<Module>)
      module.forward(x, y, std::span<Scalar>(cache.scratch), mode, rows);
    else
      module.forward(x, y, std::span<Scalar>(cache.scratch), mode);
    return y;
  }
}

/// Lets the buffers of a module, such as running statistics, follow the training pass that filled `cache`.
template <class Scalar, class Module, class Cache>
void update_buffers(Module& module, const Cache& cache) {
  if constexpr (Container<Module>)
    module.update_buffers(cache);
  else if constexpr (requires { module.update_buffers(std::span<const Scalar>(cache.scratch)); })
    module.update_buffers(std::span<const Scalar>(cache.scratch));
}

/// Scalar of a module: its own, or float when it has no parameters to tell.
template <class... Modules>
struct ScalarOf {
  using type = float;
};
template <class First, class... Rest>
struct ScalarOf<First, Rest...> : ScalarOf<Rest...> {};
template <class First, class... Rest>
requires requires { typename First::Scalar; }
struct ScalarOf<First, Rest...> {
  using type = typename First::Scalar;
};

template <class Module, class Scalar>
constexpr bool same_scalar() noexcept {
  if constexpr (requires { typename Module::Scalar; })
    return std::is_same_v<typename Module::Scalar, Scalar>;
  else
    return true;
}

}  // namespace detail
}  // namespace hourglass
