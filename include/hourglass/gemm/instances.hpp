// Internal: the templates of the product core that no epilogue enters into, for programs of many translation units that
// want to compile them once. gemm.hpp declares them where HOURGLASS_EXTERN_KERNELS is defined, and one translation unit
// has to instantiate them:
//
//     #define HOURGLASS_INSTANTIATE_KERNELS
//     #include "hourglass/gemm/instances.hpp"
#pragma once

#include "hourglass/gemm/block.hpp"
#include "hourglass/gemm/kernels.hpp"

namespace hourglass::detail {

#ifdef HOURGLASS_INSTANTIATE_KERNELS
#define HOURGLASS_INSTANCE template
#else
#define HOURGLASS_INSTANCE extern template
#endif
#define HOURGLASS_KERNELS(Scalar, Tier) \
  HOURGLASS_INSTANCE const PlainKernels<Scalar>& plain_kernels<simd::Vector<Scalar, simd::Tier>>() noexcept
#ifdef HOURGLASS_X86
HOURGLASS_KERNELS(float, Avx512);
HOURGLASS_KERNELS(double, Avx512);
HOURGLASS_KERNELS(float, Avx2);
HOURGLASS_KERNELS(double, Avx2);
#endif
#ifdef HOURGLASS_ARM64
HOURGLASS_KERNELS(float, Neon);
HOURGLASS_KERNELS(double, Neon);
#endif
HOURGLASS_KERNELS(float, Baseline);
HOURGLASS_KERNELS(double, Baseline);
HOURGLASS_INSTANCE class Block<float>;
HOURGLASS_INSTANCE class Block<double>;
#undef HOURGLASS_INSTANCE
#undef HOURGLASS_KERNELS

}  // namespace hourglass::detail
