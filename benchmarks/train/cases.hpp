// Cases: which networks are trained, with which batches, and what that costs at least.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace benchmark {

using Index = std::ptrdiff_t;

/// Images of an epoch: those of MNIST.
inline constexpr Index epoch_images = 60000;

/// A fully connected layer.
struct Layer {
  Index in;
  Index out;
};

struct Network {
  std::string name;  // "vae-784-512-256-20"
  std::vector<Layer> encoder;
  std::vector<Layer> decoder;
};
[[nodiscard]] const std::vector<Network>& networks();

/// Floating-point operations of the products for one sample. Training: forward and dW of every layer, dX of every layer
/// but the first, 2 in out each.
[[nodiscard]] double training_operations(const Network& network);
[[nodiscard]] double operations(const std::vector<Layer>& layers);
/// Weights and biases, in float.
[[nodiscard]] double parameter_bytes(const std::vector<Layer>& layers);

/// How much is measured.
enum class Effort { quick, usual };

struct Case {
  std::string name;  // "vae-784-512-256-20 batch 128"
  Network network;
  Index batch = 0;
  Effort effort = Effort::usual;
};

/// Every case, in the order of the report.
[[nodiscard]] std::vector<Case> all_cases();

/// Those of `effort` whose name holds `filter`, or matches it as a regular expression; those of more effort where none
/// of `effort` does. Throws std::runtime_error where nothing matches.
[[nodiscard]] std::vector<Case> select_cases(Effort effort, const std::string& filter);

}  // namespace benchmark
