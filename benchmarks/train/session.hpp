// A network in training, whatever its type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cases.hpp"
#include "data.hpp"

namespace benchmark {

/// Seconds of a loop of training steps, which is that of fit, and of its parts, which follow each other without a gap.
struct Breakdown {
  double wall = 0;
  double data = 0;  // the permutation, and 8-bit pixels to floats
  double forward = 0;
  double loss = 0;
  double dx = 0;  // gradients between the layers
  double dw = 0;  // gradients of the weights, and the optimiser
};

struct Epoch {
  double seconds = 0;  // as fit reports them
  double loss = 0;     // mean while it trained
};

/// Which part of a network is timed in inference.
enum class Part { encoder, whole };

class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  /// One more epoch by hg::fit over the first `images` of the training set. Weights and moments go on from the last.
  [[nodiscard]] virtual Epoch fit(Index images) = 0;
  /// The same by a loop of one's own over forward, loss and both passes of backward.
  [[nodiscard]] virtual Breakdown loop(Index images) = 0;
  /// Seconds of `steps` times as many parallel regions as a step has, with nothing to do.
  [[nodiscard]] virtual double barriers(long steps) = 0;
  /// Mean loss over the test set.
  [[nodiscard]] virtual double evaluate() = 0;
  /// Seconds of `repeats` forward passes in inference for the first `batch` test images, with a workspace made before.
  [[nodiscard]] virtual double infer(Part part, Index batch, long repeats) = 0;
};

/// The network of that name with weights from DefaultInit and Adam at 1e-3, on BCELoss or, for a variational
/// autoencoder, NegativeELBO. Throws std::runtime_error where there is no such network. `data` must outlive it.
[[nodiscard]] std::unique_ptr<Session> start_session(const std::string& network, Index batch, const Data& data,
                                                     std::uint64_t seed);

}  // namespace benchmark
