#include "hourglass/gemm/epilogue.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/gemm/gemm.hpp"

namespace hg = hourglass;

namespace {

// Calls `test(product, epilogue for its n, leading dimension)` for random shapes: short and long sums, few rows and
// many.
template <class Scalar, class Test>
std::string over_shapes(std::uint64_t seed, const Test& test) {
  hg::Rng rng{seed};
  for (int round = 0; round < 40; ++round) {
    const std::string failure = test(random_product<Scalar>(rng), rng);
    if (!failure.empty()) return failure;
  }
  return "";
}

}  // namespace

TEST_CASE_TEMPLATE("Accumulate adds to C", Scalar, SCALARS_OF_KERNELS) {
  CHECK(over_shapes<Scalar>(1, [](const auto& product, hg::Rng&) {
          return mismatch(product, hg::epilogue::Accumulate{}, {1, 3});
        }) == "");
}

TEST_CASE_TEMPLATE("Scale multiplies the product and C", Scalar, SCALARS_OF_KERNELS) {
  // Products with powers of two are exact, and so the same where multiply and add are not fused.
  CHECK(over_shapes<Scalar>(2, [](const auto& product, hg::Rng&) {
          return mismatch(product, hg::epilogue::Scale<Scalar>{Scalar(0.5), Scalar(-2)}, {1, 4});
        }) == "");
  CHECK(over_shapes<Scalar>(3, [](const auto& product, hg::Rng&) {
          return mismatch(product, hg::epilogue::Scale<Scalar>{Scalar(0.3), Scalar(0.7)}, {2}, false);
        }) == "");
  CHECK(over_shapes<Scalar>(4, [](const auto& product, hg::Rng&) {
          return mismatch(product, hg::epilogue::Scale<Scalar>{Scalar(-3), Scalar(0)}, {1});
        }) == "");
}

TEST_CASE_TEMPLATE("Scale with beta = 0 overwrites NaN, with alpha = 0 scales C", Scalar, SCALARS_OF_KERNELS) {
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
  hg::Rng rng{5};
  for (const std::ptrdiff_t k : {3, 1100})
    for (const std::ptrdiff_t n : {1, 16, 40}) {
      const Product<Scalar> product(9, n, k, {k, 1}, {n, 1}, rng);
      for_each_isa([&] {
        std::vector<Scalar> c(static_cast<std::size_t>(9 * n), nan);
        const hg::Output<Scalar> output{c.data(), n};
        hg::gemm(9, n, k, product.a.operand(), product.b.operand(), output, hg::epilogue::Scale<Scalar>{2, 0});
        int wrong = 0;
        for (const Scalar value : c) wrong += std::isnan(value);
        CHECK(wrong == 0);
        std::fill(c.begin(), c.end(), Scalar(3));
        hg::gemm(9, n, k, product.a.operand(), product.b.operand(), output, hg::epilogue::Scale<Scalar>{0, 2});
        CHECK(c == std::vector<Scalar>(c.size(), Scalar(6)));
      });
    }
}

TEST_CASE_TEMPLATE("Bias adds a row", Scalar, SCALARS_OF_KERNELS) {
  CHECK(over_shapes<Scalar>(6, [](const auto& product, hg::Rng& rng) {
          const std::vector<Scalar> bias = random_numbers<Scalar>(product.n, rng);
          return mismatch(product, hg::epilogue::Bias<Scalar>{bias.data()}, {1, 5});
        }) == "");
}

TEST_CASE_TEMPLATE("BiasActivation, with activations over vectors and over numbers", Scalar, SCALARS_OF_KERNELS) {
  CHECK(over_shapes<Scalar>(7, [](const auto& product, hg::Rng& rng) {
          const std::vector<Scalar> bias = random_numbers<Scalar>(product.n, rng);
          return mismatch(product, hg::epilogue::BiasActivation<Scalar, Hump>{bias.data(), {}}, {1, 2}) +
                 mismatch(product, hg::epilogue::BiasActivation<Scalar, NumberHump>{bias.data(), {}}, {1, 2}) +
                 mismatch(product, hg::epilogue::BiasActivation<Scalar, Parabola>{bias.data(), {}}, {1}, false);
        }) == "");
}

TEST_CASE_TEMPLATE("Activate has no bias", Scalar, SCALARS_OF_KERNELS) {
  CHECK(over_shapes<Scalar>(8, [](const auto& product, hg::Rng&) {
          return mismatch(product, hg::epilogue::Activate<Hump>{}, {1, 2});
        }) == "");
}

TEST_CASE_TEMPLATE("TimesDerivative reads the output at the same place", Scalar, SCALARS_OF_KERNELS) {
  CHECK(over_shapes<Scalar>(9, [](const auto& product, hg::Rng& rng) {
          const std::ptrdiff_t leading = product.n + rng.below(3);
          const std::vector<Scalar> y = random_numbers<Scalar>(product.m * leading, rng);
          return mismatch(product, hg::epilogue::TimesDerivative<Scalar, Hump>{y.data(), leading, {}}, {1, 2}) +
                 mismatch(product, hg::epilogue::TimesDerivative<Scalar, NumberHump>{y.data(), leading, {}}, {1, 2}) +
                 mismatch(product, hg::epilogue::TimesDerivative<Scalar, Parabola>{y.data(), leading, {}}, {1}, false);
        }) == "");
}

TEST_CASE_TEMPLATE("Elementwise knows the product, C and the place", Scalar, SCALARS_OF_KERNELS) {
  CHECK(over_shapes<Scalar>(10, [](const auto& product, hg::Rng&) {
          const hg::epilogue::Elementwise place{[](Scalar sum, Scalar old, std::ptrdiff_t i, std::ptrdiff_t j) {
            return sum - (old + static_cast<Scalar>(i * 128 + j));
          }};
          return mismatch(product, place, {1, 3});
        }) == "");
}

TEST_CASE_TEMPLATE("Elementwise is called once for every element of C, and for nothing else", Scalar,
                   SCALARS_OF_KERNELS) {
  CHECK(over_shapes<Scalar>(12, [](const auto& product, hg::Rng&) {
          std::string failure;
          for_each_isa([&] {
            std::vector<int> calls(static_cast<std::size_t>(product.m * product.n));
            std::atomic<int> outside = 0;
            const auto count = [&](Scalar sum, Scalar old, std::ptrdiff_t i, std::ptrdiff_t j) {
              if (i < 0 || i >= product.m || j < 0 || j >= product.n || old != 0)
                ++outside;
              else
                ++calls[static_cast<std::size_t>(i * product.n + j)];
              return sum;
            };
            (void)product.run(hg::epilogue::Elementwise<decltype(count), false>{count}, {.threads = 2});
            if (calls != std::vector<int>(calls.size(), 1) || outside != 0)
              failure = hg::detail::message(product.text(), ": called ", outside.load(), " times outside of C");
          });
          return failure;
        }) == "");
}
