// All 2^32 floats through every function of simd_math.hpp, on every instruction set that this machine has: some twenty
// minutes of two cores. Prints the largest errors and where they are.
#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "core/simd_math_cases.hpp"
#include "hourglass/core/isa.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/threads.hpp"

namespace hg = hourglass;
namespace cases = simd_math_cases;

namespace {

constexpr std::ptrdiff_t chunk = std::ptrdiff_t{1} << 22;
constexpr std::ptrdiff_t piece = std::ptrdiff_t{1} << 16;

// Calls `body(begin, count)` on the pieces of a chunk.
template <class Body>
void for_each_piece(const Body& body) {
  hg::parallel_for(chunk / piece, hg::num_threads(), [&](std::ptrdiff_t i) { body(i * piece, piece); });
}

struct Worst {
  double error = 0;
  float argument = 0;
  void see(double e, float x) {
    if (!(e <= error)) *this = {e, x};
  }
};

struct Findings {
  Worst fused;
  Worst rounded;
  std::int64_t different = 0;
  float different_at = 0;
  void add(const Findings& other) {
    fused.see(other.fused.error, other.fused.argument);
    rounded.see(other.rounded.error, other.rounded.argument);
    if (other.different != 0) different_at = other.different_at;
    different += other.different;
  }
};

struct Run {
  hg::Isa isa;
  bool fuses;
  std::vector<float> y;
};

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("every float", Function, every_float) {
  const hg::Isa before = hg::isa();
  std::vector<Run> runs;
  for (const hg::Isa isa : hg::all_isas) {
    if (!hg::isa_supported(isa)) continue;
    hg::set_isa(isa);
    runs.push_back({isa, cases::fuses(), std::vector<float>(chunk)});
  }
  std::vector<float> x(chunk);
  std::vector<float> single(chunk);
  std::vector<Findings> found(chunk / piece);
  for (std::int64_t first = 0; first < std::int64_t{1} << 32; first += chunk) {
    for_each_piece([&](std::ptrdiff_t begin, std::ptrdiff_t count) {
      for (std::ptrdiff_t i = begin; i < begin + count; ++i)
        x[static_cast<std::size_t>(i)] = std::bit_cast<float>(static_cast<std::uint32_t>(first + i));
      cases::transform_singly<Function>(count, x.data() + begin, single.data() + begin);
    });
    for (Run& run : runs) {
      hg::set_isa(run.isa);
      for_each_piece([&](std::ptrdiff_t begin, std::ptrdiff_t count) {
        hg::simd::transform(count, x.data() + begin, run.y.data() + begin, Function{});
      });
    }
    for_each_piece([&](std::ptrdiff_t begin, std::ptrdiff_t count) {
      Findings& here = found[static_cast<std::size_t>(begin / piece)];
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(begin + count); ++i) {
        const double error = cases::error_in_ulp<Function>(x[i], single[i]);
        here.fused.see(error, x[i]);
        for (const Run& run : runs) {
          const bool same = cases::same(run.y[i], single[i]);
          if (!run.fuses) here.rounded.see(same ? error : cases::error_in_ulp<Function>(x[i], run.y[i]), x[i]);
          if (run.fuses && !same) {
            ++here.different;
            here.different_at = x[i];
          }
        }
      }
    });
  }
  hg::set_isa(before);
  Findings all;
  for (const Findings& some : found) all.add(some);
  std::printf("%-16s fused %.3f ULP at %.9g", std::string(Function::name).c_str(), all.fused.error,
              double{all.fused.argument});
  if (all.rounded.error > 0)
    std::printf(", products rounded %.3f ULP at %.9g", all.rounded.error, double{all.rounded.argument});
  std::printf(", different bits %lld\n", static_cast<long long>(all.different));
  std::fflush(stdout);
  CHECK(all.fused.error <= Function::fused);
  CHECK(all.rounded.error <= Function::rounded);
  CAPTURE(all.different_at);
  CHECK(all.different == 0);
}
TEST_CASE_TEMPLATE_APPLY(every_float, cases::Cases);
