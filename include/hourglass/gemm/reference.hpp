// The matrix product as its definition says it: the oracle that every kernel is tested against.
#pragma once

#include <cmath>
#include <cstddef>

#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/operand.hpp"

namespace hourglass {

/// How a product and a sum become one number: rounded twice, or once as fused kernels do it.
enum class Rounding { separate, fused };

/// C(i, j) = epilogue(sum over p of A(i, p) B(p, j)), summed in the order of p; A is (m, k), B (k, n), C (m, n).
template <Rounding rounding = Rounding::separate, class Scalar, class Epilogue = epilogue::Store>
void gemm_reference(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, const Operand<Scalar>& a,
                    const Operand<Scalar>& b, const Output<Scalar>& c, const Epilogue& epilogue = {}) {
  for (std::ptrdiff_t i = 0; i < m; ++i)
    for (std::ptrdiff_t j = 0; j < n; ++j) {
      Scalar sum = 0;
      for (std::ptrdiff_t p = 0; p < k; ++p)
        sum = rounding == Rounding::fused ? std::fma(a(i, p), b(p, j), sum) : sum + a(i, p) * b(p, j);
      Scalar& out = c.data[i * c.leading + j];
      using Number = simd::Vector<Scalar, simd::Single>;
      out = epilogue(Number(sum), Number(Epilogue::reads_output ? out : Scalar(0)), epilogue::Whole{i, j}).value;
    }
}

}  // namespace hourglass
