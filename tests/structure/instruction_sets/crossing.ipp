// Definitions of crossing.hpp for the side that HOURGLASS_SIDE names.
#include <cstdint>

#include "crossing.hpp"

namespace HOURGLASS_SIDE {

Matrix<float> make(hourglass::Index rows, hourglass::Index cols) {
  Matrix<float> matrix(rows, cols);
  for (hourglass::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = static_cast<float>(i % 11) / 11;
  return matrix;
}

Matrix<float> grow(Matrix<float> matrix) {
  Matrix<float> larger(matrix.rows() + 1, matrix.cols());
  larger.topRows(matrix.rows()) = matrix;
  larger.bottomRows(1).setConstant(1);
  matrix = larger;
  return matrix;
}

double sum(const Matrix<float>& matrix) {
  if (reinterpret_cast<std::uintptr_t>(matrix.data()) % hourglass::alignment != 0) return -1;
  return matrix.cast<double>().sum();
}

Network network() {
  Network model;
  hourglass::Rng rng{7};
  hourglass::initialize(model, rng);
  return model;
}

Matrix<float> run(const Network& model, const Matrix<float>& images) { return model.reconstruct(images); }

void train(Network& model, const Matrix<float>& images) {
  hourglass::Workspace workspace{model, images.rows()};
  hourglass::Adam optimizer{{.lr = 1e-2f}};
  hourglass::Rng rng{3};
  for (int step = 0; step < 20; ++step) {
    const auto output = model.forward(images, workspace, hourglass::Training{rng});
    (void)hourglass::BCELoss{}(output, images, workspace);
    model.backward(images, workspace);
    optimizer.step(model, workspace);
  }
}

std::size_t sizes() {
  return sizeof(Matrix<float>) + 1000 * sizeof(Network) + 1000000 * sizeof(hourglass::Workspace<Network>) +
         1000000000 * alignof(Network);
}

}  // namespace HOURGLASS_SIDE
