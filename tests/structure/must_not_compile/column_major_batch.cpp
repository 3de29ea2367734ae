// expect: a batch is row-major, one sample per row
// Eigen's default is column-major; converting it silently would copy on every call.
#include <Eigen/Core>
#include <hourglass/core/matrix.hpp>

using hourglass::ConstMatrixView;
using hourglass::Index;

#ifdef FIXED
using Batch = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
#else
using Batch = Eigen::MatrixXf;
#endif

static Index rows(const ConstMatrixView<float>& batch) { return batch.rows(); }
[[maybe_unused]] static Index use(const Batch& batch) { return rows(batch); }
