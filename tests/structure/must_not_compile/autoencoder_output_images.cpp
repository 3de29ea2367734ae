// expect: images_match<2L?, 4L?, 2L?, 2L?, 1L?, 4L?, 4L?>
// An output as wide as the input is images of the same shape.
#include <hourglass/models/autoencoder.hpp>
#include <hourglass/nn/conv2d.hpp>
#include <hourglass/nn/flatten.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
using Last = Conv2d<ImageShape{2, 4, 4}, 1, 1>;
#else
using Last = Conv2d<ImageShape{8, 2, 2}, 4, 1>;
#endif

[[maybe_unused]] const Autoencoder model{Sequential{Conv2d<ImageShape{1, 4, 4}, 2, 1>{}, Flatten{}},
                                         Sequential{Last{}}};
