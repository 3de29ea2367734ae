// expect: the encoder gives mean and log-variance, so an even number of features
#include <hourglass/models/variational_autoencoder.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr Index width = 4;
#else
constexpr Index width = 5;
#endif

[[maybe_unused]] const VariationalAutoencoder model{Sequential{Linear<8, width>{}}, Sequential{Linear<2, 8>{}}};
