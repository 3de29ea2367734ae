// expect: (invalid initialization of reference|no matching function for call|could not convert|no viable conversion)
// A float model takes no double batch: a silent conversion would copy and round.
#include <hourglass/core/matrix.hpp>

#ifdef FIXED
using Batch = hourglass::Matrix<float>;
#else
using Batch = hourglass::Matrix<double>;
#endif

static hourglass::Index rows(const hourglass::ConstMatrixView<float>& batch) { return batch.rows(); }
[[maybe_unused]] static hourglass::Index use(const Batch& batch) { return rows(batch); }
