// Denormal numbers in products: those that come in count as zero, and results are flushed, in every thread.
#include <doctest/doctest.h>

#include <cfenv>
#include <cmath>
#include <limits>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/gemm/gemm.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar>
constexpr Scalar smallest = std::numeric_limits<Scalar>::min();

// C = A B for a (96, 30) matrix of one number and a (30, 80) matrix of another, by three threads.
template <class Scalar, class Epilogue = hg::epilogue::Store>
std::vector<Scalar> product(Scalar a, Scalar b, Scalar before, int layout, std::vector<Scalar>& sums,
                            const Epilogue& epilogue = {}) {
  const std::vector<Scalar> as(96 * 30, a);
  const std::vector<Scalar> bs(30 * 80, b);
  std::vector<Scalar> c(96 * 80, before);
  sums.assign(80, Scalar(1));
  hg::gemm(96, 80, 30, layout % 2 == 0 ? hg::row_major(as.data(), 30) : hg::column_major(as.data(), 96),
           layout / 2 == 0 ? hg::row_major(bs.data(), 80) : hg::column_major(bs.data(), 30),
           hg::Output<Scalar>{c.data(), 80}, epilogue, {.threads = 3, .column_sums = sums.data()});
  return c;
}

template <class Scalar>
bool all_are(const std::vector<Scalar>& values, Scalar expected) {
  // In integers: whoever flushes denormals also compares them as zero.
  for (const Scalar value : values)
    if (bits_of(value) != bits_of(expected)) return false;
  return !values.empty();
}

}  // namespace

TEST_CASE_TEMPLATE("denormals count as zero wherever they appear", Scalar, SCALARS_OF_KERNELS) {
  const Scalar denormal = smallest<Scalar> / 2;
  const Scalar large = 1 / smallest<Scalar>;
  std::vector<Scalar> sums;
  for_each_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    for (int layout = 0; layout < 4; ++layout) {
      CAPTURE(layout);
      CHECK(all_are(product(denormal, large, Scalar(9), layout, sums), Scalar(0)));
      CHECK(all_are(product(large, denormal, Scalar(9), layout, sums), Scalar(0)));
      CHECK(all_are(sums, Scalar(0)));
      // The product, C and the bias on their way through an epilogue.
      const Scalar root = std::sqrt(smallest<Scalar>) / 16;
      CHECK(all_are(product(root, root, Scalar(9), layout, sums), Scalar(0)));
      CHECK(all_are(product(Scalar(0), Scalar(1), denormal, layout, sums, hg::epilogue::Accumulate{}), Scalar(0)));
      const std::vector<Scalar> bias(80, denormal);
      CHECK(all_are(product(Scalar(0), Scalar(1), Scalar(9), layout, sums, hg::epilogue::Bias<Scalar>{bias.data()}),
                    Scalar(0)));
      const Scalar small = 8 * smallest<Scalar>;  // thirty of them, divided by 1000
      CHECK(all_are(product(small, Scalar(1), Scalar(9), layout, sums, hg::epilogue::Scale<Scalar>{Scalar(1e-3), 0}),
                    Scalar(0)));
    }
  });
}

TEST_CASE_TEMPLATE("the smallest normal number is none", Scalar, SCALARS_OF_KERNELS) {
  std::vector<Scalar> sums;
  for_each_isa([&] {
    CAPTURE(hg::isa_name(hg::isa()));
    CHECK(all_are(product(smallest<Scalar>, Scalar(1), Scalar(0), 0, sums), 30 * smallest<Scalar>));
    CHECK(all_are(product(Scalar(1) / 32, smallest<Scalar>, Scalar(9), 3, sums, hg::epilogue::Scale<Scalar>{32, 0}),
                  Scalar(0)));
    CHECK(all_are(sums, 30 * smallest<Scalar>));
  });
}

TEST_CASE_TEMPLATE("a product leaves the threads' denormals and rounding as they were", Scalar, SCALARS_OF_KERNELS) {
  volatile Scalar denormal = smallest<Scalar> / 2;
  volatile Scalar small = smallest<Scalar>;
  std::vector<Scalar> sums;
  for_each_isa([&] {
    (void)product(Scalar(1), Scalar(1), Scalar(0), 0, sums);
    const Scalar doubled = denormal * 2;
    CHECK(doubled == small);
    const Scalar half = small / 2;
    CHECK(std::fpclassify(half) == FP_SUBNORMAL);
    int flushed = 0;
#ifdef _OPENMP
#pragma omp parallel num_threads(3) reduction(+ : flushed)
#endif
    {
      const Scalar here = small / 2;
      flushed += std::fpclassify(here) != FP_SUBNORMAL;
    }
    CHECK(flushed == 0);
  });
#ifdef FE_UPWARD
  // Kernels round as the user says.
  if (std::fesetround(FE_UPWARD) == 0) {
    for_each_isa([&] {
      (void)product(Scalar(0.1), Scalar(0.1), Scalar(0), 0, sums);
      CHECK(std::fegetround() == FE_UPWARD);
    });
    std::fesetround(FE_TONEAREST);
  }
#endif
}
