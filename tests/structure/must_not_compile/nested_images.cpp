// expect: images_match<2L?, 16L?, 14L?, 14L?, 8L?, 28L?, 14L?>
// Images are followed through a network that keeps their shape, and into one that expects another.
#include <hourglass/nn/batch_norm.hpp>
#include <hourglass/nn/conv2d.hpp>
#include <hourglass/nn/max_pool2d.hpp>
#include <hourglass/nn/relu.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr ImageShape pooled{16, 14, 14};
#else
constexpr ImageShape pooled{8, 28, 14};
#endif

[[maybe_unused]] const Sequential model{Conv2d<ImageShape{1, 28, 28}, 16, 3, 2, 1>{},
                                        Sequential{BatchNorm2d<16>{}, ReLU{}},
                                        Sequential{ReLU{}, MaxPool2d<pooled, 2>{}}};
