#include "hourglass/core/simd_pairs.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "each_isa.hpp"

namespace hg = hourglass;
using std::ptrdiff_t;

namespace {

/// There and back for every number of pairs that a vector can hold.
template <class Scalar>
struct CheckPairs {
  bool* good;
  HOURGLASS_SIMD(void operator()() const, {
    for (ptrdiff_t pairs = 1; pairs <= V::lanes; ++pairs) {
      std::vector<Scalar> from(static_cast<std::size_t>(2 * pairs));  // no longer than what may be read
      for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<Scalar>(i + 1);
      V first;
      V second;
      hg::simd::load_pairs(from.data(), pairs, first, second);
      Scalar firsts[V::lanes];
      Scalar seconds[V::lanes];
      first.store(firsts);
      second.store(seconds);
      for (ptrdiff_t i = 0; i < V::lanes; ++i) {
        *good = *good && firsts[i] == (i < pairs ? static_cast<Scalar>(2 * i + 1) : Scalar(0));
        *good = *good && seconds[i] == (i < pairs ? static_cast<Scalar>(2 * i + 2) : Scalar(0));
      }
      std::vector<Scalar> to(static_cast<std::size_t>(2 * pairs + 1), Scalar(-1));
      hg::simd::store_pairs(first, second, to.data(), pairs);
      *good = *good && to.back() == Scalar(-1);
      to.pop_back();
      *good = *good && to == from;
    }
  })
};

template <class Scalar>
bool check() {
  bool good = true;
  hg::simd::dispatch<Scalar>(CheckPairs<Scalar>{&good});
  return good;
}

}  // namespace

TEST_CASE("pairs are taken apart and put together, and nothing beyond them is touched") {
  for_each_isa([] {
    CHECK(check<float>());
    CHECK(check<double>());
  });
}
