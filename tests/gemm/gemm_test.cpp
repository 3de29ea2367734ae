#include "hourglass/gemm/gemm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "hourglass/core/rng.hpp"
#include "hourglass/gemm/reference.hpp"

namespace hg = hourglass;

namespace {

// A matrix with room around it, in one of three layouts; the room is filled with NaN and must stay untouched.
template <class Scalar>
struct Stored {
  std::vector<Scalar> memory;
  hg::Operand<Scalar> operand;

  Stored(std::ptrdiff_t rows, std::ptrdiff_t cols, int layout, hg::Rng& rng) {
    const std::ptrdiff_t pad = rng.below(5);
    if (layout == 0) operand = {nullptr, cols + pad, 1};
    if (layout == 1) operand = {nullptr, 1, rows + pad};
    if (layout == 2) operand = {nullptr, (cols + pad) * 3, 3};
    const auto extent = (rows + pad) * (cols + pad) * 3 + 8;
    memory.assign(static_cast<std::size_t>(extent), std::numeric_limits<Scalar>::quiet_NaN());
    operand.data = memory.data();
    for (std::ptrdiff_t i = 0; i < rows; ++i)
      for (std::ptrdiff_t j = 0; j < cols; ++j)
        memory[static_cast<std::size_t>(i * operand.row_stride + j * operand.col_stride)] = rng.normal<Scalar>();
  }
};

struct Softsign {
  template <class Scalar>
  Scalar value(Scalar x) const {
    return x / (1 + std::abs(x));
  }
  template <class Scalar>
  Scalar derivative(Scalar, Scalar y) const {
    return (1 - std::abs(y)) * (1 - std::abs(y));
  }
};

template <class Scalar, class Epilogue>
void compare(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, hg::Rng& rng, const Epilogue& epilogue) {
  const Stored<Scalar> a(m, k, static_cast<int>(rng.below(3)), rng);
  const Stored<Scalar> b(k, n, static_cast<int>(rng.below(3)), rng);
  const std::ptrdiff_t leading = n + rng.below(4);
  std::vector<Scalar> expected(static_cast<std::size_t>(m * leading + 1));
  rng.fill_normal(std::span<Scalar>(expected));
  std::vector<Scalar> start = expected;
  const hg::Output<Scalar> reference{expected.data(), leading};
  if (hg::isa() == hg::Isa::portable)
    hg::gemm_reference(m, n, k, a.operand, b.operand, reference, epilogue);
  else
    hg::gemm_reference<hg::Rounding::fused>(m, n, k, a.operand, b.operand, reference, epilogue);
  for (const int threads : {1, 2, 5}) {
    CAPTURE(threads);
    std::vector<Scalar> actual = start;
    hg::gemm(m, n, k, a.operand, b.operand, hg::Output<Scalar>{actual.data(), leading}, epilogue, {.threads = threads});
    CHECK(actual == expected);  // bitwise, and nothing outside (m, n) was written
  }
}

// Every kernel that this machine has.
template <class Test>
void for_each_isa(const Test& test) {
  const hg::Isa before = hg::isa();
  for (const hg::Isa isa : {hg::Isa::portable, hg::Isa::avx2, hg::Isa::avx512}) {
    if (!hg::isa_supported(isa)) continue;
    hg::set_isa(isa);
    CAPTURE(hg::isa_name(isa));
    test();
  }
  hg::set_isa(before);
}

}  // namespace

TEST_CASE_TEMPLATE("gemm equals the reference bit for bit, on every instruction set", Scalar, float, double) {
  for_each_isa([] {
    hg::Rng rng{1};
    for (int round = 0; round < 60; ++round) {
      const std::ptrdiff_t m = rng.below(140);
      const std::ptrdiff_t n = rng.below(140);
      const std::ptrdiff_t k = round % 10 == 0 ? 400 + rng.below(300) : rng.below(90);
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      std::vector<Scalar> bias(static_cast<std::size_t>(n + 1));
      rng.fill_normal(std::span<Scalar>(bias));
      std::vector<Scalar> y(static_cast<std::size_t>(m * n + 1));
      rng.fill_uniform(std::span<Scalar>(y));
      switch (round % 6) {
        case 0:
          compare<Scalar>(m, n, k, rng, hg::epilogue::Store{});
          break;
        case 1:
          compare<Scalar>(m, n, k, rng, hg::epilogue::Accumulate{});
          break;
        case 2:
          compare<Scalar>(m, n, k, rng, hg::epilogue::Bias<Scalar>{bias.data()});
          break;
        case 3:
          compare<Scalar>(m, n, k, rng, hg::epilogue::BiasActivation<Scalar, Softsign>{bias.data(), {}});
          break;
        case 4:
          compare<Scalar>(m, n, k, rng, hg::epilogue::TimesDerivative<Scalar, Softsign>{y.data(), n, {}});
          break;
        default:
          compare<Scalar>(m, n, k, rng, hg::epilogue::Scale<Scalar>{Scalar(0.5), Scalar(-2)});
          break;
      }
    }
  });
}

TEST_CASE("sums in long products go on where the last slice ended, and every instruction set that fuses agrees") {
  hg::Rng rng{3};
  const std::ptrdiff_t k = 1500;
  std::vector<float> a(static_cast<std::size_t>(7 * k)), b(static_cast<std::size_t>(k * 70));
  rng.fill_normal(std::span<float>(a));
  rng.fill_normal(std::span<float>(b));
  std::vector<std::vector<float>> fused;
  for_each_isa([&] {
    std::vector<float> c(7 * 70);
    hg::gemm(7, 70, k, hg::row_major(a.data(), k), hg::row_major(b.data(), 70), hg::Output<float>{c.data(), 70});
    double exact = 0;
    for (std::ptrdiff_t p = 0; p < k; ++p)
      exact += double{a[static_cast<std::size_t>(3 * k + p)]} * double{b[static_cast<std::size_t>(p * 70 + 69)]};
    CHECK(c[3 * 70 + 69] == doctest::Approx(exact).epsilon(1e-4));
    if (hg::isa() != hg::Isa::portable) fused.push_back(c);
  });
  for (const auto& result : fused) CHECK(result == fused.front());
}

TEST_CASE("HOURGLASS_ISA in the environment chooses the kernels") {
  const char* wish = std::getenv("HOURGLASS_ISA");
  for (const hg::Isa isa : {hg::Isa::portable, hg::Isa::avx2, hg::Isa::avx512})
    if (wish && hg::isa_name(isa) == wish && hg::isa_supported(isa)) {
      CHECK(hg::isa() == isa);
    }
  if (!wish) {
    CHECK(hg::isa() == hg::detail::best_isa());
  }
}

TEST_CASE("an instruction set that the machine lacks is refused") {
  for (const hg::Isa isa : {hg::Isa::portable, hg::Isa::avx2, hg::Isa::avx512})
    if (!hg::isa_supported(isa)) {
      CHECK_THROWS_AS(hg::set_isa(isa), hg::Error);
    }
  CHECK(hg::isa_supported(hg::Isa::portable));
  CHECK(hg::isa_supported(hg::isa()));
}

TEST_CASE("gemm reference on numbers worked by hand") {
  const std::vector<float> a{1, 2, 3, 4, 5, 6};     // (2, 3)
  const std::vector<float> b{7, 8, 9, 10, 11, 12};  // (3, 2)
  std::vector<float> c(4, -1.0f);
  hg::gemm_reference(2, 2, 3, hg::row_major(a.data(), 3), hg::row_major(b.data(), 2), hg::Output<float>{c.data(), 2});
  CHECK(c == std::vector<float>{58, 64, 139, 154});
  // (3, 2) x (2, 3) through transposes of the same memory
  std::vector<float> d(9);
  hg::gemm(3, 3, 2, hg::transpose(hg::row_major(a.data(), 3)), hg::transpose(hg::row_major(b.data(), 2)),
           hg::Output<float>{d.data(), 3});
  CHECK(d == std::vector<float>{39, 49, 59, 54, 68, 82, 69, 87, 105});
}

TEST_CASE("k = 0 gives the epilogue of zero; m = 0 and n = 0 write nothing") {
  const std::vector<float> bias{1, 2, 3};
  std::vector<float> c(6, 9.0f);
  const hg::Operand<float> none{nullptr, 1, 1};
  hg::gemm(2, 3, 0, none, none, hg::Output<float>{c.data(), 3}, hg::epilogue::Bias<float>{bias.data()});
  CHECK(c == std::vector<float>{1, 2, 3, 1, 2, 3});
  const hg::Operand<float> wide{nullptr, 4, 1};
  hg::gemm(0, 3, 4, wide, wide, hg::Output<float>{c.data(), 3});
  hg::gemm(2, 0, 4, wide, wide, hg::Output<float>{c.data(), 3});
  CHECK(c == std::vector<float>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("beta = 0 overwrites NaN") {
  const float a = 2;
  const float b = 3;
  float c = std::numeric_limits<float>::quiet_NaN();
  hg::gemm(1, 1, 1, hg::row_major(&a, 1), hg::row_major(&b, 1), hg::Output<float>{&c, 1},
           hg::epilogue::Scale<float>{.alpha = 2, .beta = 0});
  CHECK(c == 12);
}

TEST_CASE("gemm refuses impossible arguments") {
  std::vector<float> memory(100);
  std::vector<float> out(100);
  const auto a = hg::row_major(memory.data(), 4);
  const hg::Output<float> c{out.data(), 4};
  CHECK_THROWS_WITH_AS(hg::gemm(-1, 4, 4, a, a, c), doctest::Contains("m = -1"), hg::ShapeError);
  CHECK_THROWS_WITH_AS(hg::gemm(4, 4, 4, hg::row_major(memory.data(), 3), a, c), doctest::Contains("too small"),
                       hg::ShapeError);
  CHECK_THROWS_WITH_AS(hg::gemm(4, 4, 4, a, a, hg::Output<float>{out.data(), 3}),
                       doctest::Contains("C of shape (4, 4)"), hg::ShapeError);
  CHECK_THROWS_WITH_AS(hg::gemm(4, 4, 4, a, hg::row_major(out.data() + 8, 4), c), doctest::Contains("overlaps"),
                       hg::ShapeError);
  const std::ptrdiff_t huge = std::numeric_limits<std::ptrdiff_t>::max() / 4;
  CHECK_THROWS_WITH_AS(hg::gemm(huge, 4, 4, a, a, c), doctest::Contains("address space"), hg::ShapeError);
  CHECK_THROWS_WITH_AS(hg::gemm(4, 4, 4, hg::Operand<float>{memory.data(), 0, 1}, a, c),
                       doctest::Contains("stride below 1"), hg::ShapeError);
}
