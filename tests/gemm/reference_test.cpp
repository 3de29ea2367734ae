#include "hourglass/gemm/reference.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace hg = hourglass;

TEST_CASE_TEMPLATE("numbers worked by hand", Scalar, float, double) {
  const std::vector<Scalar> a{1, 2, 3, 4, 5, 6};     // (2, 3)
  const std::vector<Scalar> b{7, 8, 9, 10, 11, 12};  // (3, 2)
  std::vector<Scalar> c(6, Scalar(-1));
  const hg::Output<Scalar> output{c.data(), 3};
  hg::gemm_reference(2, 2, 3, hg::row_major(a.data(), 3), hg::row_major(b.data(), 2), output);
  CHECK(c == std::vector<Scalar>{58, 64, -1, 139, 154, -1});
  hg::gemm_reference<hg::Rounding::fused>(2, 2, 3, hg::row_major(a.data(), 3), hg::row_major(b.data(), 2), output,
                                          hg::epilogue::Accumulate{});
  CHECK(c == std::vector<Scalar>{116, 128, -1, 278, 308, -1});
  const std::vector<Scalar> bias{1, 2};
  hg::gemm_reference(2, 2, 0, hg::row_major(a.data(), 3), hg::row_major(b.data(), 2), output,
                     hg::epilogue::Bias<Scalar>{bias.data()});
  CHECK(c == std::vector<Scalar>{1, 2, -1, 1, 2, -1});
  hg::gemm_reference(0, 2, 3, hg::row_major(a.data(), 3), hg::row_major(b.data(), 2), output);
  hg::gemm_reference(2, 0, 3, hg::row_major(a.data(), 3), hg::row_major(b.data(), 2), output);
  CHECK(c == std::vector<Scalar>{1, 2, -1, 1, 2, -1});
}

TEST_CASE_TEMPLATE("a product and a sum are rounded once or twice", Scalar, float, double) {
  // -(1 + e)(1 - e) = e^2 - 1: rounded by itself it is -1.
  // Volatile: a compiler that computes it in advance may fuse where the machine cannot.
  const volatile Scalar e = sizeof(Scalar) == 4 ? Scalar(0x1p-13) : Scalar(0x1p-27);
  const std::vector<Scalar> a{1, 1 + e};
  const std::vector<Scalar> b{1, e - 1};
  Scalar c = 0;
  hg::gemm_reference<hg::Rounding::fused>(1, 1, 2, hg::row_major(a.data(), 2), hg::row_major(b.data(), 1),
                                          hg::Output<Scalar>{&c, 1});
  CHECK(c == e * e);
#if !defined(__FMA__) && !defined(__aarch64__)  // otherwise compilers may fuse here too
  hg::gemm_reference<hg::Rounding::separate>(1, 1, 2, hg::row_major(a.data(), 2), hg::row_major(b.data(), 1),
                                             hg::Output<Scalar>{&c, 1});
  CHECK(c == 0);
#endif
}
