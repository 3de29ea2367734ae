// expect: images_match<1L?, 16L?, 14L?, 14L?, 8L?, 28L?, 14L?>
// The index of the layer in the Sequential, the channels, height and width before it, and those that it expects.
#include <hourglass/nn/conv2d.hpp>
#include <hourglass/nn/max_pool2d.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr ImageShape pooled{16, 14, 14};
#else
constexpr ImageShape pooled{8, 28, 14};
#endif

[[maybe_unused]] const Sequential model{Conv2d<ImageShape{1, 28, 28}, 16, 3, 2, 1>{}, MaxPool2d<pooled, 2>{}};
