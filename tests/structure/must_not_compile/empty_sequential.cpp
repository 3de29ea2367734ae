// expect: Sequential needs at least one layer
#include <hourglass/nn/relu.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
[[maybe_unused]] const Sequential<ReLU> model{};
#else
[[maybe_unused]] const Sequential<> model{};
#endif
