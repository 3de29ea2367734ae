// expect: RowwiseLoss
// A loss whose value for one row depends on the others is no likelihood of that row.
#include <hourglass/loss/fixed_gaussian.hpp>
#include <hourglass/loss/optimal_gaussian.hpp>
#include <hourglass/models/importance_weighted_bound.hpp>

using namespace hourglass;

#ifdef FIXED
using Loss = FixedGaussianLoss;
#else
using Loss = OptimalGaussianLoss;
#endif

[[maybe_unused]] static const ImportanceWeightedBound<Loss> bound{};
