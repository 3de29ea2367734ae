// expect: widths_match<1L?, 6L?, 5L?>
// The width of a normalising layer is checked as that of any other.
#include <hourglass/nn/batch_norm.hpp>
#include <hourglass/nn/linear.hpp>
#include <hourglass/nn/sequential.hpp>

namespace hg = hourglass;

#ifdef FIXED
using Network = hg::Sequential<hg::Linear<4, 6>, hg::BatchNorm1d<6>, hg::Linear<6, 2>>;
#else
using Network = hg::Sequential<hg::Linear<4, 6>, hg::BatchNorm1d<5>, hg::Linear<6, 2>>;
#endif
[[maybe_unused]] const Network network;
