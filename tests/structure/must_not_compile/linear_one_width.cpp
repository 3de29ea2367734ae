// expect: no matching (function for call to|constructor for initialization of) .*Linear<784L?, 256L?
// Widths are given in the type, or both at run time; one number alone is a slip.
#include <hourglass/nn/linear.hpp>

#ifdef FIXED
[[maybe_unused]] const hourglass::Linear<784, 256> layer{};
#else
[[maybe_unused]] const hourglass::Linear<784, 256> layer{784};
#endif
