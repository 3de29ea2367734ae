#include <hourglass/hourglass.hpp>

long width(const hourglass::Matrix<float>& matrix) { return matrix.cols(); }
