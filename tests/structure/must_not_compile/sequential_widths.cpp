// expect: widths_match<2L?, 4L?, 3L?>
// The first number is the index of the layer in the Sequential, then what comes before it, then what it expects.
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/relu.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr Index width = 4;
#else
constexpr Index width = 3;
#endif

[[maybe_unused]] const Sequential model{Linear<2, 4>{}, ReLU{}, Linear<width, 2>{}};
