// Measuring training and inference: each in a process of its own, round after round.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "../common/spread.hpp"
#include "cases.hpp"
#include "products.hpp"
#include "session.hpp"

namespace benchmark {

struct Protocol {
  int rounds = 30;  // at most; at least `fewest`, where that does not take four times `seconds`
  int fewest = 5;
  double seconds = 30;  // for one case
  double turn = 0.3;    // seconds that training in a turn lasts at least, but for the steps of one epoch
};

/// Training of one case. Seconds are those of an epoch of `epoch_images`, scaled from the images of a turn.
struct TrainResult {
  Case of;
  int threads = 1;
  std::string isa;
  std::string data;
  int rounds = 0;
  Index images = 0;        // of a turn
  Spread seconds;          // of hg::fit
  Spread loop;             // of a loop of one's own
  Breakdown breakdown;     // of the loop, in the round with the median time
  ProductTimes products;   // medians, of the products alone
  double barriers = 0;     // of the parallel regions alone
  double peak_memory = 0;  // bytes, 55 MB of images among them
};

/// One forward pass of one batch.
struct InferenceResult {
  Network network;
  Part part = Part::whole;
  Index batch = 0;
  int threads = 1;
  std::string isa;
  int rounds = 0;
  Spread seconds;

  [[nodiscard]] const char* task() const { return part == Part::encoder ? "encode" : "reconstruct"; }
  [[nodiscard]] double operations() const;       // of the batch
  [[nodiscard]] double parameter_bytes() const;  // read once for a batch
};

/// Throws std::runtime_error where the process fails, or cannot run the kernels of `isa`.
[[nodiscard]] TrainResult measure_training(const Case& of, int threads, const std::string& isa,
                                           const Protocol& protocol, std::mt19937_64& random);

/// Encoding and reconstructing batches of 1, 128 and 1,024 images.
[[nodiscard]] std::vector<InferenceResult> measure_inference(const Network& network, int threads,
                                                             const std::string& isa, const Protocol& protocol,
                                                             std::mt19937_64& random);

}  // namespace benchmark
