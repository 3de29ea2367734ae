// expect: widths_match<1L?, 3L?, 2L?>
// An encoder that ends in 6 features makes a latent space of 3.
#include <hourglass/models/variational_autoencoder.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>

using namespace hourglass;

#ifdef FIXED
constexpr Index width = 3;
#else
constexpr Index width = 2;
#endif

[[maybe_unused]] const VariationalAutoencoder model{Sequential{Linear<8, 6>{}}, Sequential{Linear<width, 8>{}}};
