// Functions that exist twice: compiled for any x86-64, and for AVX2.
#pragma once

#include <hourglass/hourglass.hpp>

using Encoder = hourglass::Sequential<hourglass::Linear<50, 7>, hourglass::ReLU>;
using Decoder = hourglass::Sequential<hourglass::Linear<7, 50>, hourglass::Sigmoid>;
using Network = hourglass::Autoencoder<Encoder, Decoder>;
using hourglass::Matrix;

#define HOURGLASS_CROSSING(side)                                        \
  namespace side {                                                      \
  /* Allocates here; the caller may free it. */                         \
  Matrix<float> make(hourglass::Index rows, hourglass::Index cols);     \
  /* Takes memory over, makes it larger, and frees what it replaced. */ \
  Matrix<float> grow(Matrix<float> matrix);                             \
  double sum(const Matrix<float>& matrix);                              \
  Network network();                                                    \
  Matrix<float> run(const Network& model, const Matrix<float>& images); \
  void train(Network& model, const Matrix<float>& images);              \
  std::size_t sizes();                                                  \
  }
HOURGLASS_CROSSING(baseline)
HOURGLASS_CROSSING(avx2)
