// expect: no matching (function for call to|constructor for initialization of) .*Linear<(-1L?|hourglass::Dynamic),
// A layer of run-time widths has no size until somebody says it.
#include <hourglass/nn/linear.hpp>

#ifdef FIXED
[[maybe_unused]] const hourglass::Linear<hourglass::Dynamic, hourglass::Dynamic> layer{784, 256};
#else
[[maybe_unused]] const hourglass::Linear<hourglass::Dynamic, hourglass::Dynamic> layer{};
#endif
