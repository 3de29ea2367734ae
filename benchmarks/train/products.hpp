// The products of a training step, alone: what the rest of a step is compared with.
#pragma once

#include <hourglass/core/storage.hpp>
#include <vector>

#include "cases.hpp"

namespace benchmark {

/// Seconds of the products by kind.
struct ProductTimes {
  double forward = 0;
  double dw = 0;
  double dx = 0;
};

/// Matrices of all layers of a network for one batch. Weights, activations and gradients have memory of their own, as
/// in training.
class Products {
 public:
  Products(const Network& network, Index batch);

  /// hg::gemm with the shapes and layouts of the layers, without biases and activations: x W^T, then x^T dy and, but
  /// for the first layer, dy W from the last layer to the first. `repeats` times.
  [[nodiscard]] ProductTimes time(long repeats);

 private:
  using Vector = hourglass::AlignedVector<float>;
  struct Entry {
    Layer layer;
    Vector x;   // (batch, in)
    Vector w;   // (in, out), which is W^T row-major
    Vector dw;  // (in, out)
  };

  Index batch_;
  std::vector<Entry> entries_;
  Vector y_;  // (batch, widest), for the output of the last layer and as dy
  Vector dx_;
};

}  // namespace benchmark
