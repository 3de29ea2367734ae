// expect: Autoencoder: encoder and decoder must share one scalar type
#include <hourglass/models/autoencoder.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
using Scalar = double;
#else
using Scalar = float;
#endif

[[maybe_unused]] const Autoencoder model{Sequential{Linear<4, 2, double>{}}, Sequential{Linear<2, 4, Scalar>{}}};
