#define HOURGLASS_INSTANCE template
#include "hourglass/gemm/gemm.hpp"
#include "hourglass/gemm/instances.hpp"
