// Epilogues: what happens to an element of the product on its way to memory.
//
// An epilogue is a functor `Scalar operator()(Scalar product, Scalar previous, row, col) const`: `product` is the
// finished sum over k, `previous` the value now in C (zero, and C is not read, unless `reads_output`), and the result
// is what C becomes. Kernels call it once for every element.
#pragma once

#include <cstddef>

namespace hourglass::epilogue {

/// C = A B.
struct Store {
  static constexpr bool reads_output = false;
  template <class Scalar>
  Scalar operator()(Scalar product, Scalar, std::ptrdiff_t, std::ptrdiff_t) const noexcept {
    return product;
  }
};

/// C = C + A B.
struct Accumulate {
  static constexpr bool reads_output = true;
  template <class Scalar>
  Scalar operator()(Scalar product, Scalar previous, std::ptrdiff_t, std::ptrdiff_t) const noexcept {
    return previous + product;
  }
};

/// C = alpha A B + beta C; with beta = 0, C is overwritten even where it holds NaN.
template <class Scalar>
struct Scale {
  Scalar alpha = 1;
  Scalar beta = 0;
  static constexpr bool reads_output = true;
  Scalar operator()(Scalar product, Scalar previous, std::ptrdiff_t, std::ptrdiff_t) const noexcept {
    return beta == Scalar(0) ? alpha * product : alpha * product + beta * previous;
  }
};

/// C(i, j) = (A B)(i, j) + bias(j).
template <class Scalar>
struct Bias {
  const Scalar* bias;  // (n)
  static constexpr bool reads_output = false;
  Scalar operator()(Scalar product, Scalar, std::ptrdiff_t, std::ptrdiff_t col) const noexcept {
    return product + bias[col];
  }
};

/// C(i, j) = f((A B)(i, j) + bias(j)) for an activation with `value(x)`.
template <class Scalar, class Activation>
struct BiasActivation {
  const Scalar* bias;  // (n)
  Activation activation;
  static constexpr bool reads_output = false;
  Scalar operator()(Scalar product, Scalar, std::ptrdiff_t, std::ptrdiff_t col) const noexcept {
    return activation.value(product + bias[col]);
  }
};

/// C(i, j) = (A B)(i, j) * f'(y(i, j)) for an activation whose derivative follows from its output y.
template <class Scalar, class Activation>
struct TimesDerivative {
  const Scalar* y;  // (m, n)
  std::ptrdiff_t leading;
  Activation activation;
  static constexpr bool reads_output = false;
  Scalar operator()(Scalar product, Scalar, std::ptrdiff_t row, std::ptrdiff_t col) const noexcept {
    const Scalar out = y[row * leading + col];
    return product * activation.derivative(out, out);
  }
};

}  // namespace hourglass::epilogue
