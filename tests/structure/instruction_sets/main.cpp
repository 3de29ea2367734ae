// Matrices and models made, grown, trained and freed on both sides of a boundary between instruction sets.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "crossing.hpp"

namespace {

int failures = 0;

void check(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "failed: " << what << "\n";
  ++failures;
}

double difference(const Matrix<float>& a, const Matrix<float>& b) {
  return static_cast<double>((a - b).cwiseAbs().maxCoeff());
}

}  // namespace

int main() {
  if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0) {
    std::cout << "SKIPPED: this processor has no AVX2\n";
    return 77;
  }
  check(baseline::sizes() == avx2::sizes(), "types have one size");

  for (const hourglass::Index cols : {1, 3, 7, 8, 50, 129}) {
    const double expected = baseline::sum(baseline::make(9, cols)) + static_cast<double>(2 * cols);
    Matrix<float> a = avx2::grow(baseline::grow(avx2::make(9, cols)));
    Matrix<float> b = baseline::grow(avx2::grow(baseline::make(9, cols)));
    check(a.rows() == 11 && std::abs(avx2::sum(a) - expected) < 1e-4, "a matrix grown on both sides");
    check(std::abs(baseline::sum(b) - expected) < 1e-4 && difference(a, b) == 0, "in either order");
    a = std::move(b);
    check(baseline::sum(a) == avx2::sum(a), "a matrix moved");
  }

  const Matrix<float> images = baseline::make(31, 50);
  Network one = baseline::network();
  Network two = avx2::network();
  check(difference(avx2::run(one, images), baseline::run(two, images)) < 1e-5, "models made on the other side");
  baseline::train(one, images);
  avx2::train(one, images);
  avx2::train(two, images);
  baseline::train(two, images);
  check(difference(avx2::run(one, images), baseline::run(two, images)) < 1e-3, "models trained on both sides");
  one = two;
  check(difference(avx2::run(one, images), baseline::run(two, images)) < 1e-5, "a model copied");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
