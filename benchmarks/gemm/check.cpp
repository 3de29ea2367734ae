#include "check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <vector>

namespace benchmark {
namespace {

std::size_t count(Index size) { return static_cast<std::size_t>(size); }

Index span(Index rows, Index cols, Index leading) { return (rows - 1) * leading + cols; }

// Numbers from [-1, 1) by a linear congruential generator (Knuth's MMIX constants): the same on every machine.
void fill(float* data, Index size, std::uint64_t seed) {
  for (Index i = 0; i < size; ++i) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    data[i] = static_cast<float>(static_cast<std::int32_t>(seed >> 32)) * 0x1p-31F;
  }
}

double activate(double x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::none:
      break;
  }
  return x;
}

}  // namespace

void Matrices::Free::operator()(float* memory) const noexcept { std::free(memory); }

Matrices::Buffer Matrices::allocate(Index size) {
  const std::size_t bytes = (count(size) * sizeof(float) + 63) / 64 * 64;
  auto* memory = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (!memory) throw std::bad_alloc();
  return Buffer(memory);
}

Matrices::Matrices(const Product& shape) : product_{shape} {
  Product& p = product_;
  const Index a = p.a_transposed ? span(p.k, p.m, p.lda) : span(p.m, p.k, p.lda);
  const Index b = p.b_transposed ? span(p.n, p.k, p.ldb) : span(p.k, p.n, p.ldb);
  a_ = allocate(a);
  b_ = allocate(b);
  bias_ = allocate(p.n);
  c_ = allocate(span(p.m, p.n, p.ldc));
  fill(a_.get(), a, 1);
  fill(b_.get(), b, 2);
  fill(bias_.get(), p.n, 3);
  p.a = a_.get();
  p.b = b_.get();
  p.bias = bias_.get();
  p.c = c_.get();
  forget_result();
}

void Matrices::forget_result() {
  std::fill_n(c_.get(), span(product_.m, product_.n, product_.ldc), std::numeric_limits<float>::quiet_NaN());
}

double Matrices::error() const {
  const Product& p = product_;
  std::vector<double> b(count(p.k * p.n));  // (k, n)
  std::vector<double> norms(count(p.n));    // squares of the norms of the columns of B
  for (Index l = 0; l < p.k; ++l)
    for (Index j = 0; j < p.n; ++j) {
      const double value = static_cast<double>(p.b_transposed ? p.b[j * p.ldb + l] : p.b[l * p.ldb + j]);
      b[count(l * p.n + j)] = value;
      norms[count(j)] += value * value;
    }

  // An odd step meets every row of a tile in turn.
  constexpr double affordable = 4e7;
  const Index rows = std::max<Index>(16, static_cast<Index>(affordable / static_cast<double>(p.k * p.n)));
  const Index step = rows >= p.m ? 1 : (p.m / rows) | 1;
  constexpr double epsilon = std::numeric_limits<float>::epsilon();
  const bool biased = p.activation != Activation::none;
  double worst = 0;
  std::vector<double> sums(count(p.n));
  for (Index i = 0; i < p.m; i = i == p.m - 1 ? p.m : std::min(i + step, p.m - 1)) {
    std::fill(sums.begin(), sums.end(), 0.0);
    double norm = 0;
    for (Index l = 0; l < p.k; ++l) {
      const double value = static_cast<double>(p.a_transposed ? p.a[l * p.lda + i] : p.a[i * p.lda + l]);
      norm += value * value;
      const double* row = b.data() + l * p.n;
      for (Index j = 0; j < p.n; ++j) sums[count(j)] += value * row[j];
    }
    for (Index j = 0; j < p.n; ++j) {
      const double expected = activate(sums[count(j)] + (biased ? static_cast<double>(p.bias[j]) : 0), p.activation);
      // No activation here is steeper than 1; a few more roundings are those of bias and activation.
      const double bound = static_cast<double>(p.k) * epsilon * std::sqrt(norm * norms[count(j)]) + 8 * epsilon;
      const double found = std::abs(static_cast<double>(p.c[i * p.ldc + j]) - expected) / bound;
      if (!(found <= worst)) worst = found;  // NaN too
      if (std::isnan(worst)) return worst;
    }
  }
  return worst;
}

}  // namespace benchmark
