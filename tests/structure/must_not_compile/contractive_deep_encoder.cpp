// expect: the penalty has a closed form only for an encoder Sequential{Linear, Sigmoid}
// The Jacobian of two layers is a product of matrices.
#include <hourglass/core/rng.hpp>
#include <hourglass/data/samples.hpp>
#include <hourglass/models/autoencoder.hpp>
#include <hourglass/models/contractive_loss.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>
#include <hourglass/train/evaluate.hpp>

using namespace hourglass;

#ifdef FIXED
using Encoder = Sequential<Linear<8, 4>, Sigmoid>;
#else
using Encoder = Sequential<Linear<8, 6>, Sigmoid, Linear<6, 4>, Sigmoid>;
#endif

[[maybe_unused]] static void score(const Samples& data, Rng& rng) {
  const Autoencoder model{Encoder{}, Sequential{Linear<4, 8>{}, Sigmoid{}}};
  (void)evaluate(model, data, ContractiveLoss{}, rng);
}
