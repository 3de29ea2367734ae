// expect: a static width is at least 1
#include <hourglass/nn/linear.hpp>

#ifdef FIXED
[[maybe_unused]] const hourglass::Linear<4, 1> layer{};
#else
[[maybe_unused]] const hourglass::Linear<4, 0> layer{};
#endif
