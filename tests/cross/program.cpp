// Compiled for this machine and for AArch64: checks products against the reference on every instruction set, and prints
// a hash of the bits of fixed products and of elementary functions, which must be the same on every machine that fuses
// multiply and add. Without doctest, so that nothing but a compiler and the standard library is needed.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/simd_math_cases.hpp"
#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/gemm/gemm.hpp"

namespace hg = hourglass;

namespace {

int failures = 0;

void report(const std::string& failure) {
  if (failure.empty()) return;
  std::printf("FAILED: %s\n", failure.c_str());
  ++failures;
}

// Numbers k / 2^23 from a linear congruential generator: integers and exact conversions only.
struct Numbers {
  std::uint64_t state = 1;
  std::uint32_t bits() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state >> 32);
  }
  template <class Scalar>
  std::vector<Scalar> make(std::ptrdiff_t count) {
    std::vector<Scalar> numbers(static_cast<std::size_t>(count));
    for (Scalar& number : numbers)
      number = static_cast<Scalar>(static_cast<std::int32_t>(bits() >> 8) - (1 << 23)) * Scalar(0x1p-23);
    return numbers;
  }
};

// FNV-1a over the bits; every NaN counts as the same one.
struct Hash {
  std::uint64_t value = 14695981039346656037u;
  template <class Scalar>
  void add(const std::vector<Scalar>& numbers) {
    for (const Scalar number : numbers) {
      const std::uint64_t bits = std::isnan(number) ? 0x7fc00000u : std::uint64_t{bits_of(number)};
      value = (value ^ bits) * 1099511628211u;
    }
  }
};

// One line for each thing that was hashed, after every instruction set that fuses has given the same.
std::map<std::string, std::uint64_t> hashes;
void record(const std::string& what, const Hash& hash) {
  const auto [entry, added] = hashes.try_emplace(what, hash.value);
  if (entry->second != hash.value) report(what + " differs on " + std::string(hg::isa_name(hg::isa())));
}

struct Gelu {
  HOURGLASS_SIMD(V value(V x) const, { return hg::simd::gelu(x); })
  HOURGLASS_SIMD(V derivative(V x, V) const, { return hg::simd::gelu_derivative(x); })
};

// Shapes that take every way through the loops, in different layouts, with every epilogue.
template <class Scalar>
void hash_products(const std::string& type) {
  constexpr std::ptrdiff_t shapes[][3]{{1, 1, 1},     {1, 130, 70},   {3, 21, 1030}, {4, 64, 5},    {7, 19, 33},
                                       {13, 97, 2},   {33, 40, 61},   {70, 35, 50},  {9, 77, 1100}, {8, 37, 130},
                                       {32, 70, 140}, {64, 21, 1100}, {1, 300, 40},  {2, 45, 30},   {5, 70, 261}};
  Numbers numbers;
  Hash plain;
  Hash sums;
  Hash others;
  for (const auto& [m, n, k] : shapes)
    for (int layout = 0; layout < 4; ++layout) {
      const auto a_memory = numbers.make<Scalar>(m * k);
      const auto b_memory = numbers.make<Scalar>(k * n);
      const auto a = layout % 2 == 0 ? hg::row_major(a_memory.data(), k) : hg::column_major(a_memory.data(), m);
      const auto b = layout / 2 == 0 ? hg::row_major(b_memory.data(), n) : hg::column_major(b_memory.data(), k);
      const auto bias = numbers.make<Scalar>(n);
      const auto y = numbers.make<Scalar>(m * n);
      auto c = numbers.make<Scalar>(m * n);
      std::vector<Scalar> columns(static_cast<std::size_t>(n));
      const hg::Output<Scalar> output{c.data(), n};
      using namespace hg::epilogue;
      hg::gemm(m, n, k, a, b, output, Accumulate{}, {.column_sums = columns.data()});
      plain.add(c);
      sums.add(columns);
      hg::gemm(m, n, k, a, b, output, Store{});
      plain.add(c);
      hg::gemm(m, n, k, a, b, output, Scale<Scalar>{Scalar(0.3), Scalar(0.7)});
      others.add(c);
      hg::gemm(m, n, k, a, b, output, BiasActivation<Scalar, Parabola>{bias.data(), {}});
      others.add(c);
      hg::gemm(m, n, k, a, b, output, TimesDerivative<Scalar, Parabola>{y.data(), n, {}});
      others.add(c);
      hg::gemm(m, n, k, a, b, output, Elementwise{[](Scalar sum, Scalar old, std::ptrdiff_t i, std::ptrdiff_t j) {
                 return sum - (old + static_cast<Scalar>(i * 128 + j));
               }});
      others.add(c);
      if constexpr (sizeof(Scalar) == 4) {
        hg::gemm(m, n, k, a, b, output, BiasActivation<Scalar, Gelu>{bias.data(), {}});
        others.add(c);
      }
    }
  record("products of " + type, plain);
  record("sums of columns of " + type, sums);
  record("epilogues of " + type, others);
}

// Products so small that sums turn denormal, and denormal inputs: both count as zero.
template <class Scalar>
void hash_denormals(const std::string& type) {
  constexpr Scalar smallest = std::numeric_limits<Scalar>::min();
  Numbers numbers;
  std::vector<Scalar> a = numbers.make<Scalar>(20 * 30);
  std::vector<Scalar> b = numbers.make<Scalar>(30 * 40);
  for (Scalar& value : a) value *= 4 * smallest;
  for (std::size_t i = 0; i < b.size(); i += 3) b[i] *= smallest;
  std::vector<Scalar> c(20 * 40);
  hg::gemm(20, 40, 30, hg::row_major(a.data(), 30), hg::row_major(b.data(), 40), hg::Output<Scalar>{c.data(), 40});
  int denormals = 0;
  int zeros = 0;
  for (const Scalar value : c) {
    zeros += value == 0;
    denormals += std::fpclassify(value) == FP_SUBNORMAL;
  }
  if (denormals != 0) report(std::string(hg::isa_name(hg::isa())) + " leaves denormals");
  if (zeros == 0) report("no result was small enough");
  Hash hash;
  hash.add(c);
  record("denormals of " + type, hash);
}

// Minimum and maximum with zero on either side: which of two zeros, and what of NaN and denormals.
struct Ramp {
  HOURGLASS_SIMD(V operator()(V x) const, { return max(x, V(0)); })
};
struct RampOfZero {
  HOURGLASS_SIMD(V operator()(V x) const, { return max(V(0), x); })
};
struct Fall {
  HOURGLASS_SIMD(V operator()(V x) const, { return min(x, V(0)); })
};
struct FallOfZero {
  HOURGLASS_SIMD(V operator()(V x) const, { return min(V(0), x); })
};
struct Chosen {
  HOURGLASS_SIMD(V operator()(V x) const, { return select(x > V(0), x, V(0)) + select(V(1) < x, V(1), x); })
};

struct Sine {
  HOURGLASS_SIMD(V operator()(V t) const, {
    V sine;
    V cosine;
    hg::simd::sincos_turns(t, sine, cosine);
    return sine - cosine;
  })
};

// Floats of all signs and exponents, and a fine row of moderate ones.
template <class Function>
void hash_function(const std::string& name, bool turns) {
  Numbers numbers;
  std::vector<float> x = numbers.make<float>(20000);
  for (float& value : x) value = turns ? std::abs(value) : value * 100;
  for (int i = 0; i < 20000 && !turns; ++i) x.push_back(std::bit_cast<float>(numbers.bits()));
  for (const float value : {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1.0f, -1.0f, 3.4e38f, 1e-45f})
    if (!turns) x.push_back(value);
  std::vector<float> y(x.size());
  hg::simd::transform(static_cast<std::ptrdiff_t>(x.size()), x.data(), y.data(), Function{});
  Hash hash;
  hash.add(y);
  record(name, hash);

  // Numbers one by one have the bits of those in vectors.
  const hg::FlushDenormals guard;
  std::vector<float> alone;
  for (const float value : x) alone.push_back(Function{}(hg::simd::Vector<float, hg::simd::Single>(value)).value);
  Hash hash_alone;
  hash_alone.add(alone);
  record(name, hash_alone);
}

template <class Scalar>
void check_products() {
  using namespace hg::epilogue;
  hg::Rng rng{1};
  for (int round = 0; round < 60; ++round) {
    const auto product = random_product<Scalar>(rng);
    const std::vector<Scalar> bias = random_numbers<Scalar>(product.n, rng);
    const std::vector<Scalar> y = random_numbers<Scalar>(product.m * product.n, rng);
    report(mismatch(product, Accumulate{}, {1, 2 + static_cast<int>(rng.below(3))}));
    report(mismatch(product, BiasActivation<Scalar, Hump>{bias.data(), {}}));
    report(mismatch(product, TimesDerivative<Scalar, Parabola>{y.data(), product.n, {}}, {2}, false));
    if (round % 5 == 0) report(beyond_bound(product));
    if (failures > 10) return;
  }
}

}  // namespace

int main() {
  check_products<float>();
  check_products<double>();
  for_each_isa([] {
    if (!isa_fuses()) return;
    hash_products<float>("float");
    hash_products<double>("double");
    hash_denormals<float>("float");
    hash_denormals<double>("double");
    std::apply(
        [](const auto&... function) {
          (hash_function<std::decay_t<decltype(function)>>(std::string(function.name), false), ...);
        },
        simd_math_cases::Cases{});
    hash_function<Ramp>("max", false);
    hash_function<RampOfZero>("max of zero", false);
    hash_function<Fall>("min", false);
    hash_function<FallOfZero>("min of zero", false);
    hash_function<Chosen>("select", false);
    hash_function<Sine>("sincos_turns", true);
  });
  for (const auto& [what, hash] : hashes)
    std::printf("%-24s %016llx\n", what.c_str(), static_cast<unsigned long long>(hash));
  return failures == 0 ? 0 : 1;
}
