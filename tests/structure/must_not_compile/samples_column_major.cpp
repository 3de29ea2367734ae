// expect: a data set is row-major, one sample per row
#include <Eigen/Core>
#include <hourglass/data/samples.hpp>

#ifdef FIXED
using Data = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
#else
using Data = Eigen::MatrixXf;
#endif

[[maybe_unused]] static hourglass::Samples view(const Data& data) { return hourglass::Samples{data}; }
