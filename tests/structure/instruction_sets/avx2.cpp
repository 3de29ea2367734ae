#ifndef __AVX2__
#error "this unit is meant for AVX2"
#endif
#define HOURGLASS_SIDE avx2
#include "crossing.ipp"
