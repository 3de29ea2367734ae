#include <hourglass/hourglass.hpp>

#include "program.hpp"

hourglass::Matrix<float> first_half(const Network& model, const hourglass::Matrix<float>& images) {
  return model.encode(images);
}
