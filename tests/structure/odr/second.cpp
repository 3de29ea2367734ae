#include <hourglass/hourglass.hpp>

#include "program.hpp"

hourglass::Matrix<float> second_half(const Network& model, const hourglass::Matrix<float>& code) {
  return model.decode(code);
}
