// expect: labels are for losses that take them
// The labels would be ignored without a word.
#include <hourglass/core/rng.hpp>
#include <hourglass/data/dataset.hpp>
#include <hourglass/loss/cross_entropy.hpp>
#include <hourglass/loss/mse.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>
#include <hourglass/optim/sgd.hpp>
#include <hourglass/train/fit.hpp>

using namespace hourglass;

#ifdef FIXED
using Loss = CrossEntropyLoss;
#else
using Loss = MSELoss;
#endif

[[maybe_unused]] static void train(Sequential<Linear<8, 8>>& model, const Samples& data, const Labels& labels,
                                   Rng& rng) {
  (void)fit(model, data, labels, Loss{}, SGD<>{}, {}, rng);
}
