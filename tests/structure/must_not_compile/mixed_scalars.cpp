// expect: Sequential: all layers must share one scalar type
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/relu.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
using Scalar = double;
#else
using Scalar = float;
#endif

[[maybe_unused]] const Sequential model{Linear<4, 2, double>{}, ReLU{}, Linear<2, 4, Scalar>{}};
