// expect: images_match<1L?, 16L?, 14L?, 14L?, 8L?, -1L?, -1L?>
// 8 divides the features of 16 channels, but these are not the channels; -1 is any number.
#include <hourglass/nn/batch_norm.hpp>
#include <hourglass/nn/conv2d.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr Index channels = 16;
#else
constexpr Index channels = 8;
#endif

[[maybe_unused]] const Sequential model{Conv2d<ImageShape{1, 28, 28}, 16, 3, 2, 1>{}, BatchNorm2d<channels>{}};
