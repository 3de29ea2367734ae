// expect: images_match<1L?, 2L?, 4L?, 4L?, 8L?, 2L?, 2L?>
// The decoder must take images of the shape that the encoder gives, not only as many features.
#include <hourglass/models/autoencoder.hpp>
#include <hourglass/nn/conv2d.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
using Decoder = Sequential<Conv2d<ImageShape{2, 4, 4}, 1, 1>>;
#else
using Decoder = Sequential<Conv2d<ImageShape{8, 2, 2}, 4, 1>>;
#endif

[[maybe_unused]] const Autoencoder model{Sequential{Conv2d<ImageShape{1, 4, 4}, 2, 1>{}}, Decoder{}};
