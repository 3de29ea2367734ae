#define HOURGLASS_INSTANTIATE_KERNELS
#include "hourglass/gemm/instances.hpp"
