// expect: widths_match<1L?, 2L?, 3L?>
// The decoder must take the code that the encoder gives.
#include <hourglass/models/autoencoder.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr Index width = 2;
#else
constexpr Index width = 3;
#endif

[[maybe_unused]] const Autoencoder model{Sequential{Linear<4, 2>{}}, Sequential{Linear<width, 4>{}}};
