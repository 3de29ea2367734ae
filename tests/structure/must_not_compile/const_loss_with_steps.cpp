// expect: pass it as a temporary or a variable that is not const
// A loss that changes with the steps would stay as it is without a word.
#include <cstdint>
#include <hourglass/core/rng.hpp>
#include <hourglass/data/samples.hpp>
#include <hourglass/loss/mse.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>
#include <hourglass/optim/sgd.hpp>
#include <hourglass/train/fit.hpp>

using namespace hourglass;

struct Scheduled : MSELoss {
  void begin_step(std::int64_t step) { reduction = step < 100 ? Reduction::sum : Reduction::mean; }
};

[[maybe_unused]] static void train(Sequential<Linear<8, 8>>& model, const Samples& data, Rng& rng) {
#ifdef FIXED
  Scheduled loss;
#else
  const Scheduled loss;
#endif
  (void)fit(model, data, loss, SGD<>{}, {}, rng);
}
