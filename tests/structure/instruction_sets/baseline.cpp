#ifdef __AVX2__
#error "this unit is meant for any x86-64"
#endif
#define HOURGLASS_SIDE baseline
#include "crossing.ipp"
