// Random products in every layout, and their comparison with the reference. Without doctest: tests/cross uses it too.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/denormals.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/gemm/gemm.hpp"
#include "hourglass/gemm/operand.hpp"
#include "hourglass/gemm/reference.hpp"

/// Scalars of tests with many epilogues. Sanitizers make each kernel slow to compile, and what they find in those of
/// float would be the same in those of double.
#if defined(__SANITIZE_ADDRESS__)
#define SCALARS_OF_KERNELS float
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCALARS_OF_KERNELS float
#endif
#endif
#ifndef SCALARS_OF_KERNELS
#define SCALARS_OF_KERNELS float, double
#endif

/// The bits of a number.
template <class Scalar>
[[nodiscard]] auto bits_of(Scalar value) noexcept {
  return std::bit_cast<std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>>(value);
}

/// A NaN that arithmetic does not make: it marks memory that must not be written.
template <class Scalar>
[[nodiscard]] Scalar untouched() noexcept {
  if constexpr (sizeof(Scalar) == 4)
    return std::bit_cast<Scalar>(std::uint32_t{0x7fc0beef});
  else
    return std::bit_cast<Scalar>(std::uint64_t{0x7ff80000c0ffee00});
}

/// "" when both hold the same bits, or numbers that are no more than `tolerance` apart; else the first difference.
template <class Scalar>
[[nodiscard]] std::string difference_of_bits(const std::vector<Scalar>& actual, const std::vector<Scalar>& expected,
                                             double tolerance = -1) {
  if (actual.size() != expected.size()) return "sizes differ";
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (bits_of(actual[i]) == bits_of(expected[i])) continue;
    if (std::abs(double{actual[i]} - double{expected[i]}) <= tolerance) continue;
    return hourglass::detail::message("element ", i, " of ", actual.size(), " is ", actual[i], ", not ", expected[i],
                                      "; they differ by ", double{actual[i]} - double{expected[i]});
  }
  return "";
}

/// Uniform in [-1, 1).
template <class Scalar>
[[nodiscard]] Scalar random_number(hourglass::Rng& rng) noexcept {
  return 2 * rng.uniform<Scalar>() - 1;
}
template <class Scalar>
[[nodiscard]] std::vector<Scalar> random_numbers(std::ptrdiff_t count, hourglass::Rng& rng) {
  std::vector<Scalar> numbers(static_cast<std::size_t>(count));
  for (Scalar& number : numbers) number = random_number<Scalar>(rng);
  return numbers;
}

struct Strides {
  std::ptrdiff_t row;
  std::ptrdiff_t col;
};

/// Strides of a (rows, cols) matrix: either order with or without gaps, gaps between all elements, and rows or columns
/// whose distance is a multiple of half a page.
template <class Scalar>
[[nodiscard]] Strides random_strides(std::ptrdiff_t rows, std::ptrdiff_t cols, hourglass::Rng& rng) {
  constexpr std::ptrdiff_t half_page = 2048 / sizeof(Scalar);
  const std::ptrdiff_t gap = rng.below(2) * rng.below(20);
  const auto up = [](std::ptrdiff_t size) {
    return (std::max<std::ptrdiff_t>(size, 1) + half_page - 1) / half_page * half_page;
  };
  const std::ptrdiff_t wide = std::max<std::ptrdiff_t>(cols + gap, 1);
  const std::ptrdiff_t high = std::max<std::ptrdiff_t>(rows + gap, 1);
  switch (rng.below(8)) {
    case 0:
      return {3 * wide, 3};
    case 1:
      return {2, 2 * high};
    case 2:
      return {up(cols), 1};
    case 3:
      return {1, up(rows)};
    case 4:
    case 5:
      return {1, high};
    default:
      return {wide, 1};
  }
}

/// Elements from the first to one past the last.
[[nodiscard]] inline std::ptrdiff_t extent_of(std::ptrdiff_t rows, std::ptrdiff_t cols, Strides strides) noexcept {
  return rows == 0 || cols == 0 ? 0 : (rows - 1) * strides.row + (cols - 1) * strides.col + 1;
}

/// A matrix of random numbers whose memory ends where it does; what lies between its elements is NaN.
template <class Scalar>
struct Stored {
  std::vector<Scalar> memory;
  Strides strides;

  Stored(std::ptrdiff_t rows, std::ptrdiff_t cols, Strides layout, hourglass::Rng& rng)
      : memory(static_cast<std::size_t>(extent_of(rows, cols, layout)), untouched<Scalar>()), strides{layout} {
    for (std::ptrdiff_t i = 0; i < rows; ++i)
      for (std::ptrdiff_t j = 0; j < cols; ++j)
        memory[static_cast<std::size_t>(i * layout.row + j * layout.col)] = random_number<Scalar>(rng);
  }
  [[nodiscard]] hourglass::Operand<Scalar> operand() const noexcept {
    return {memory.data(), strides.row, strides.col};
  }
};

/// A product and the memory of C, in which the gaps and a margin on both sides are untouched().
template <class Scalar>
struct Product {
  static constexpr std::ptrdiff_t margin = 40;
  std::ptrdiff_t m;
  std::ptrdiff_t n;
  std::ptrdiff_t k;
  Stored<Scalar> a;  // (m, k)
  Stored<Scalar> b;  // (k, n)
  std::ptrdiff_t leading;
  std::vector<Scalar> start;  // what C and its surroundings hold before

  Product(std::ptrdiff_t m_, std::ptrdiff_t n_, std::ptrdiff_t k_, Strides a_strides, Strides b_strides,
          hourglass::Rng& rng)
      : m{m_},
        n{n_},
        k{k_},
        a(m, k, a_strides, rng),
        b(k, n, b_strides, rng),
        leading{n + std::max<std::ptrdiff_t>(rng.below(8) - 3, 0)},
        start(static_cast<std::size_t>(m * leading + 2 * margin), untouched<Scalar>()) {
    for (std::ptrdiff_t i = 0; i < m; ++i)
      for (std::ptrdiff_t j = 0; j < n; ++j) at(start, i, j) = random_number<Scalar>(rng);
  }
  Product(std::ptrdiff_t m_, std::ptrdiff_t n_, std::ptrdiff_t k_, hourglass::Rng& rng)
      : Product(m_, n_, k_, random_strides<Scalar>(m_, k_, rng), random_strides<Scalar>(k_, n_, rng), rng) {}

  [[nodiscard]] Scalar& at(std::vector<Scalar>& memory, std::ptrdiff_t i, std::ptrdiff_t j) const {
    return memory[static_cast<std::size_t>(margin + i * leading + j)];
  }
  [[nodiscard]] const Scalar& at(const std::vector<Scalar>& memory, std::ptrdiff_t i, std::ptrdiff_t j) const {
    return memory[static_cast<std::size_t>(margin + i * leading + j)];
  }
  [[nodiscard]] hourglass::Output<Scalar> output(std::vector<Scalar>& memory) const {
    return {memory.data() + margin, leading};
  }

  /// C and its surroundings, as the definition has it and as gemm makes them.
  template <hourglass::Rounding rounding, class Epilogue = hourglass::epilogue::Store>
  [[nodiscard]] std::vector<Scalar> reference(const Epilogue& epilogue = {}) const {
    const hourglass::FlushDenormals guard;
    std::vector<Scalar> memory = start;
    hourglass::gemm_reference<rounding>(m, n, k, a.operand(), b.operand(), output(memory), epilogue);
    return memory;
  }
  template <class Epilogue = hourglass::epilogue::Store>
  [[nodiscard]] std::vector<Scalar> run(const Epilogue& epilogue = {},
                                        const hourglass::GemmOptions<Scalar>& options = {}) const {
    std::vector<Scalar> memory = start;
    hourglass::gemm(m, n, k, a.operand(), b.operand(), output(memory), epilogue, options);
    return memory;
  }

  /// The sums of B's columns in ascending order.
  [[nodiscard]] std::vector<Scalar> column_sums() const {
    std::vector<Scalar> sums(static_cast<std::size_t>(n), Scalar(0));
    for (std::ptrdiff_t p = 0; p < k; ++p)
      for (std::ptrdiff_t j = 0; j < n; ++j) sums[static_cast<std::size_t>(j)] += b.operand()(p, j);
    return sums;
  }

  [[nodiscard]] std::string text() const {
    return hourglass::detail::message("(", m, ", ", k, ") x (", k, ", ", n, "), strides of A ", a.strides.row, " and ",
                                      a.strides.col, ", of B ", b.strides.row, " and ", b.strides.col, ", of C ",
                                      leading);
  }
};

/// Rows of A contiguous, and rows or columns of B; their distance has no gap, some gap, or is a multiple of half a
/// page.
template <class Scalar>
[[nodiscard]] Product<Scalar> few_rows(std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k, hourglass::Rng& rng) {
  constexpr std::ptrdiff_t half_page = 2048 / sizeof(Scalar);
  const auto apart = [&](std::ptrdiff_t length) {
    length = std::max<std::ptrdiff_t>(length, 1);
    const std::ptrdiff_t kind = rng.below(4);
    return kind == 0 ? (length + half_page - 1) / half_page * half_page : kind == 1 ? length + rng.below(9) : length;
  };
  const Strides b_strides = rng.below(2) == 0 ? Strides{apart(n), 1} : Strides{1, apart(k)};
  return {m, n, k, {apart(k), 1}, b_strides, rng};
}

/// A product of moderate size, now and then of few rows, many rows, many columns or long sums, or with the columns of a
/// B that is worth reading transposed; or few rows and a B of contiguous rows or columns, of any size.
template <class Scalar>
[[nodiscard]] Product<Scalar> random_product(hourglass::Rng& rng) {
  std::ptrdiff_t m = rng.below(70);
  std::ptrdiff_t n = rng.below(100);
  std::ptrdiff_t k = rng.below(50);
  switch (rng.below(12)) {
    case 0:
    case 1:
      m = rng.below(8);
      break;
    case 2:
      m = rng.below(300);
      break;
    case 3:
      n = rng.below(600);
      break;
    case 4:
      k = 1000 + rng.below(700);
      break;
    case 5:
    case 6:
      m = 8 * (1 + rng.below(8)) - rng.below(2);
      k = 120 + rng.below(100);
      return {m, n, k, random_strides<Scalar>(m, k, rng), {1, k + rng.below(3)}, rng};
    case 7:
    case 8:
      m = 1 + (rng.below(2) == 0 ? 0 : rng.below(9));
      n = 1 + rng.below(700);
      k = 1 + rng.below(rng.below(4) == 0 ? 700 : 40);
      return few_rows<Scalar>(m, n, k, rng);
    default:
      break;
  }
  return {m, n, k, rng};
}

/// "" when gemm gives the reference's bits on every instruction set and with each of these numbers of threads, writes
/// nothing but C, and sums the columns of B. The portable kernels need only be close where their compiler may fuse, or
/// where the epilogue does (`portable_bits` is false).
template <class Scalar, class Epilogue = hourglass::epilogue::Store>
[[nodiscard]] std::string mismatch(const Product<Scalar>& product, const Epilogue& epilogue = {},
                                   std::initializer_list<int> threads = {1}, bool portable_bits = true) {
  const std::vector<Scalar> fused = product.template reference<hourglass::Rounding::fused>(epilogue);
  const std::vector<Scalar> separate = product.template reference<hourglass::Rounding::separate>(epilogue);
  const std::vector<Scalar> sums = product.column_sums();
  const auto terms = static_cast<double>(product.k + 4);
  const double near = 8 * terms * terms * double{std::numeric_limits<Scalar>::epsilon()};
  std::string report;
  const auto run = [&](int count, bool with_sums) {
    std::vector<Scalar> actual_sums(sums.size(), untouched<Scalar>());
    const bool close = !isa_fuses() && (portable_may_fuse || !portable_bits);
    const std::vector<Scalar> actual =
        product.run(epilogue, {.threads = count, .column_sums = with_sums ? actual_sums.data() : nullptr});
    std::string found = difference_of_bits(actual, isa_fuses() ? fused : separate, close ? near : -1);
    if (found.empty() && with_sums) found = difference_of_bits(actual_sums, sums);
    if (!found.empty() && report.empty())
      report = hourglass::detail::message(hourglass::isa_name(hourglass::isa()), ", threads ", count,
                                          with_sums ? ", with sums of columns, " : ", ", product.text(), ": ", found);
  };
  for_each_isa([&] {
    for (const int count : threads) {
      run(count, false);
      run(count, true);
    }
  });
  return report;
}

/// "" when every element of C = A B is within k eps sum |a| |b| of the exact one, on every instruction set.
template <class Scalar>
[[nodiscard]] std::string beyond_bound(const Product<Scalar>& product) {
  std::string report;
  for_each_isa([&] {
    const std::vector<Scalar> c = product.run();
    for (std::ptrdiff_t i = 0; i < product.m; ++i)
      for (std::ptrdiff_t j = 0; j < product.n; ++j) {
        using Wide = std::conditional_t<sizeof(Scalar) == 4, double, long double>;
        Wide exact = 0;
        Wide magnitude = 0;
        for (std::ptrdiff_t p = 0; p < product.k; ++p) {
          const Wide term = Wide{product.a.operand()(i, p)} * Wide{product.b.operand()(p, j)};
          exact += term;
          magnitude += std::abs(term);
        }
        const Wide bound = static_cast<Wide>(product.k) * Wide{std::numeric_limits<Scalar>::epsilon()} * magnitude;
        if (!(std::abs(Wide{product.at(c, i, j)} - exact) <= bound) && report.empty())
          report =
              hourglass::detail::message(hourglass::isa_name(hourglass::isa()), ", ", product.text(), ": (", i, ", ", j,
                                         ") is off by ", static_cast<double>(Wide{product.at(c, i, j)} - exact));
      }
  });
  return report;
}

/// Activations without a product that goes into a sum: the same bits whether or not the machine fuses.
struct Hump {  // over vectors
  HOURGLASS_SIMD(V value(V x) const, { return x / (abs(x) + V(1)); })
  HOURGLASS_SIMD(V derivative(V, V y) const, { return (V(1) - abs(y)) * (V(1) - abs(y)); })
};
struct NumberHump {  // the same over numbers
  template <class Scalar>
  Scalar value(Scalar x) const {
    return x / (std::abs(x) + 1);
  }
  template <class Scalar>
  Scalar derivative(Scalar, Scalar y) const {
    return (1 - std::abs(y)) * (1 - std::abs(y));
  }
};
/// x + 0.3 x^2 and 1 + 0.7 y, with fused multiply-adds.
struct Parabola {
  HOURGLASS_SIMD(V value(V x) const, { return fma(x * V(typename V::Scalar(0.3)), x, x); })
  HOURGLASS_SIMD(V derivative(V, V y) const, { return fma(y, V(typename V::Scalar(0.7)), V(1)); })
};
