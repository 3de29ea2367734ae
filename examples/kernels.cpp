// What no epilogue enters into of the product core, compiled once for all programs of this folder.
#define HOURGLASS_INSTANTIATE_KERNELS
#include "hourglass/gemm/instances.hpp"
