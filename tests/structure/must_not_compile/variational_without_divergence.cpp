// expect: a variational autoencoder trains on NegativeELBO
// A reconstruction loss alone would leave the KL term out without a word.
#include <hourglass/core/rng.hpp>
#include <hourglass/data/samples.hpp>
#include <hourglass/loss/bce.hpp>
#include <hourglass/models/negative_elbo.hpp>
#include <hourglass/models/variational_autoencoder.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>
#include <hourglass/train/evaluate.hpp>

using namespace hourglass;

#ifdef FIXED
using Loss = NegativeELBO<BCELoss>;
#else
using Loss = BCELoss;
#endif

[[maybe_unused]] static void score(const Samples& data, Rng& rng) {
  const VariationalAutoencoder model{Sequential{Linear<8, 4>{}}, Sequential{Linear<2, 8>{}}};
  (void)evaluate(model, data, Loss{}, rng);
}
