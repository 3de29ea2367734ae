// Internal: the templates of the product core that no epilogue enters into, for programs of many translation units that
// want to compile them once. With HOURGLASS_EXTERN_KERNELS, gemm.hpp declares them here, and one translation unit,
// without that macro, has to instantiate them:
//
//     #define HOURGLASS_INSTANCE template
//     #include "hourglass/gemm/gemm.hpp"
//     #include "hourglass/gemm/instances.hpp"
#include "hourglass/gemm/block.hpp"
#include "hourglass/gemm/kernels.hpp"

namespace hourglass::detail {

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
#undef HOURGLASS_KERNELS

}  // namespace hourglass::detail
