// Two translation units that include everything share one model.
#include <cstdlib>
#include <iostream>

#include "program.hpp"

int main() {
  Network model;
  hourglass::Rng rng{1};
  hourglass::initialize(model, rng);
  hourglass::Matrix<float> images(5, 8);
  images.setConstant(0.5f);

  const hourglass::Matrix<float> halves = second_half(model, first_half(model, images));
  const hourglass::Matrix<float> whole = model.reconstruct(images);
  const bool sensible = whole.rows() == 5 && whole.cols() == 8 && whole.minCoeff() > 0 && whole.maxCoeff() < 1;
  if (!sensible || halves != whole) {
    std::cerr << "the units disagree:\n" << halves << "\n\n" << whole << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
