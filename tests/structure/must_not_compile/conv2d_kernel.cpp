// expect: window_places
#include <hourglass/nn/conv2d.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr Index added = 2;
#else
constexpr Index added = 1;
#endif

[[maybe_unused]] const Conv2d<ImageShape{1, 3, 3}, 16, 7, 1, added> layer;
