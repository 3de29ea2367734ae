// expect: no matching (function for call to|constructor for initialization of) .*Samples
// A view of a matrix that is gone at the end of the line.
#include <hourglass/core/matrix.hpp>
#include <hourglass/data/samples.hpp>

using namespace hourglass;

[[maybe_unused]] static Index rows() {
#ifdef FIXED
  const Matrix<float> images(4, 784);
  const Samples samples(images);
#else
  const Samples samples(Matrix<float>(4, 784));
#endif
  return samples.rows();
}
