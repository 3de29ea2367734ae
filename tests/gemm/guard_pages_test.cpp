// Products whose matrices lie between pages that may not be touched: nothing outside of them is read or written.
#include <doctest/doctest.h>

#include "guarded.hpp"

#if __has_include(<sys/mman.h>)

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/gemm/gemm.hpp"

namespace hg = hourglass;

namespace {

// The same bytes between guard pages, not to be written.
template <class Scalar>
struct GuardedCopy : Guarded<Scalar> {
  GuardedCopy(const std::vector<Scalar>& values, Guard guard)
      : Guarded<Scalar>(static_cast<std::ptrdiff_t>(values.size()), guard) {
    std::copy(values.begin(), values.end(), this->data());
    this->forbid_writing();
  }
};

template <class Scalar, class Epilogue>
std::string check(const Product<Scalar>& product, const Epilogue& epilogue, Guard guard, int threads, bool with_sums) {
  const std::ptrdiff_t m = product.m;
  const std::ptrdiff_t n = product.n;
  const GuardedCopy<Scalar> a(product.a.memory, guard);
  const GuardedCopy<Scalar> b(product.b.memory, guard);
  const Guarded<Scalar> c(m == 0 || n == 0 ? 0 : (m - 1) * product.leading + n, guard);
  const Guarded<Scalar> sums(n, guard);
  for (std::ptrdiff_t i = 0; i < m; ++i)
    for (std::ptrdiff_t j = 0; j < n; ++j) c[i * product.leading + j] = product.at(product.start, i, j);
  hg::gemm(m, n, product.k, hg::Operand<Scalar>{a.data(), product.a.strides.row, product.a.strides.col},
           hg::Operand<Scalar>{b.data(), product.b.strides.row, product.b.strides.col},
           hg::Output<Scalar>{c.data(), product.leading}, epilogue,
           {.threads = threads, .column_sums = with_sums ? sums.data() : nullptr});
  // The place of memory has no influence either.
  const std::vector<Scalar> expected = product.run(epilogue);
  for (std::ptrdiff_t i = 0; i < m && n > 0; ++i)
    if (std::memcmp(&c[i * product.leading], &product.at(expected, i, 0),
                    static_cast<std::size_t>(n) * sizeof(Scalar)) != 0)
      return product.text() + ": C differs";
  const std::vector<Scalar> expected_sums = product.column_sums();
  for (std::ptrdiff_t j = 0; j < n && with_sums; ++j)
    if (sums[j] != expected_sums[static_cast<std::size_t>(j)]) return product.text() + ": sums differ";
  return "";
}

template <class Scalar, class MakeEpilogue>
std::string check_shapes(std::uint64_t seed, int rounds, const MakeEpilogue& make_epilogue) {
  std::string failure;
  for_each_isa([&] {
    INFO("on " << hg::isa_name(hg::isa()));
    hg::Rng rng{seed};
    for (int round = 0; round < rounds && failure.empty(); ++round) {
      const auto product = random_product<Scalar>(rng);
      INFO(product.text());  // printed after a violation
      const int threads = 1 + static_cast<int>(rng.below(2)) * static_cast<int>(rng.below(3));
      for (const Guard guard : {Guard::before, Guard::behind}) {
        // What the epilogue reads lies between guard pages too.
        const GuardedCopy<Scalar> bias(random_numbers<Scalar>(product.n, rng), guard);
        const GuardedCopy<Scalar> y(random_numbers<Scalar>(product.m * product.n, rng), guard);
        failure += check(product, make_epilogue(product, bias.data(), y.data()), guard, threads, round % 2 == 0);
      }
    }
  });
  return failure;
}

}  // namespace

TEST_CASE_TEMPLATE("products touch nothing outside of their matrices", Scalar, SCALARS_OF_KERNELS) {
  CHECK(check_shapes<Scalar>(1, 200, [](auto&&...) { return hg::epilogue::Store{}; }) == "");
  CHECK(check_shapes<Scalar>(2, 200, [](auto&&...) { return hg::epilogue::Accumulate{}; }) == "");
}

TEST_CASE_TEMPLATE("epilogues touch nothing outside of what they are given", Scalar, SCALARS_OF_KERNELS) {
  CHECK(check_shapes<Scalar>(3, 100, [](const auto&, const Scalar* bias, const Scalar*) {
          return hg::epilogue::BiasActivation<Scalar, Hump>{bias, {}};
        }) == "");
  CHECK(check_shapes<Scalar>(4, 100, [](const auto& product, const Scalar*, const Scalar* y) {
          return hg::epilogue::TimesDerivative<Scalar, NumberHump>{y, product.n, {}};
        }) == "");
  CHECK(check_shapes<Scalar>(5, 100, [](const auto& product, const Scalar*, const Scalar* y) {
          const std::ptrdiff_t n = product.n;
          return hg::epilogue::Elementwise{[y, n](Scalar sum, Scalar old, std::ptrdiff_t i, std::ptrdiff_t j) {
            return sum - (old + y[i * n + j]);
          }};
        }) == "");
}

#else

TEST_CASE("products touch nothing outside of their matrices") { MESSAGE("SKIPPED: no guard pages on this system"); }

#endif
