// Eigen as a contender, compiled for one instruction set. No other file of the program includes Eigen: the same
// templates compiled with different flags must never meet in one program.
#include <Eigen/Core>

#include "../product.hpp"

#define HOURGLASS_TEXT(x) #x
#define HOURGLASS_VERSION(world, major, minor) \
  "Eigen " HOURGLASS_TEXT(world) "." HOURGLASS_TEXT(major) "." HOURGLASS_TEXT(minor)

namespace {

template <int Order>
using Operand = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Order>, Eigen::Unaligned,
                           Eigen::OuterStride<>>;
using Result = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                          Eigen::OuterStride<>>;

// A matrix whose transpose lies row-major in memory is a column-major one.
template <int OrderA, int OrderB>
void multiply(const benchmark::Product& p) {
  const Operand<OrderA> a(p.a, p.m, p.k, Eigen::OuterStride<>(p.lda));
  const Operand<OrderB> b(p.b, p.k, p.n, Eigen::OuterStride<>(p.ldb));
  Result c(p.c, p.m, p.n, Eigen::OuterStride<>(p.ldc));
  c.noalias() = a * b;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) benchmark::Module benchmark_start(int threads, const char*) {
  Eigen::setNbThreads(threads);
  return {HOURGLASS_VERSION(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION),
          Eigen::SimdInstructionSetsInUse(), Eigen::nbThreads()};
}

extern "C" __attribute__((visibility("default"))) void benchmark_multiply(const benchmark::Product& p) {
  if (p.a_transposed)
    p.b_transposed ? multiply<Eigen::ColMajor, Eigen::ColMajor>(p) : multiply<Eigen::ColMajor, Eigen::RowMajor>(p);
  else
    p.b_transposed ? multiply<Eigen::RowMajor, Eigen::ColMajor>(p) : multiply<Eigen::RowMajor, Eigen::RowMajor>(p);
}
