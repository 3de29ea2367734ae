// The images that networks are trained on.
#pragma once

#include <hourglass/data/images.hpp>
#include <string>

namespace benchmark {

struct Data {
  std::string name;         // "MNIST", or "drawn strokes"
  hourglass::Images train;  // 60,000 of 28 x 28 pixels
  hourglass::Images test;   // 10,000
};

/// MNIST from the folder that HOURGLASS_MNIST_DIR names, else as many drawn images of the same size, the same on every
/// machine: strokes of a pen on paper, with some 80 % of the pixels 0, as in MNIST. Throws what load_mnist throws.
[[nodiscard]] Data load_data();

}  // namespace benchmark
