// expect: no matching (function for call to|constructor for initialization of) .*Training
// There is no generator to fall back on: dropout without one does not compile.
#include <hourglass/core/mode.hpp>
#include <hourglass/core/rng.hpp>

[[maybe_unused]] static void train([[maybe_unused]] hourglass::Rng& rng) {
#ifdef FIXED
  [[maybe_unused]] const hourglass::Training mode{rng};
#else
  [[maybe_unused]] const hourglass::Training mode{};
#endif
}
