#include "hourglass/core/isa.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "each_isa.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/simd.hpp"

namespace hg = hourglass;

namespace {

hg::Isa best() {
  hg::Isa isa = hg::Isa::portable;
  for (const hg::Isa other : hg::all_isas)
    if (hg::isa_supported(other)) isa = other;
  return isa;
}

template <class V>
constexpr hg::Isa isa_of = hg::Isa::portable;
template <class Scalar>
constexpr hg::Isa isa_of<hg::simd::Vector<Scalar, hg::simd::Neon>> = hg::Isa::neon;
template <class Scalar>
constexpr hg::Isa isa_of<hg::simd::Vector<Scalar, hg::simd::Avx2>> = hg::Isa::avx2;
template <class Scalar>
constexpr hg::Isa isa_of<hg::simd::Vector<Scalar, hg::simd::Avx512>> = hg::Isa::avx512;

struct WhichIsa {
  hg::Isa* isa;
  HOURGLASS_SIMD(void operator()() const, { *isa = isa_of<V>; })
};

}  // namespace

TEST_CASE("every instruction set has a name of its own") {
  std::set<std::string_view> names;
  for (const hg::Isa isa : hg::all_isas) names.insert(hg::isa_name(isa));
  CHECK(names.size() == hg::all_isas.size());
  CHECK(hg::isa_name(hg::Isa::portable) == "portable");
  CHECK(hg::isa_name(hg::Isa::neon) == "neon");
  CHECK(hg::isa_name(hg::Isa::avx2) == "avx2");
  CHECK(hg::isa_name(hg::Isa::avx512) == "avx512");
}

TEST_CASE("every machine runs the portable kernels, and each its own kind of others") {
  CHECK(hg::isa_supported(hg::Isa::portable));
  CHECK(hg::isa_supported(hg::isa()));
  CHECK_FALSE((hg::isa_supported(hg::Isa::neon) && hg::isa_supported(hg::Isa::avx2)));
  if (hg::isa_supported(hg::Isa::avx512)) CHECK(hg::isa_supported(hg::Isa::avx2));
#ifdef HOURGLASS_ARM64
  CHECK(hg::isa_supported(hg::Isa::neon));
#endif
#ifdef __AVX2__  // this very program would not run without
  CHECK(hg::isa_supported(hg::Isa::avx2));
#endif
}

TEST_CASE("set_isa chooses the kernels, and refuses those that this machine cannot run") {
  const hg::Isa before = hg::isa();
  for (const hg::Isa isa : hg::all_isas) {
    CAPTURE(hg::isa_name(isa));
    if (hg::isa_supported(isa)) {
      const IsaSetting setting(isa);
      CHECK(hg::isa() == isa);
      hg::Isa chosen{};
      hg::simd::dispatch<float>(WhichIsa{&chosen});
      CHECK(chosen == isa);
      hg::simd::dispatch<double>(WhichIsa{&chosen});
      CHECK(chosen == isa);
    } else {
      CHECK_THROWS_WITH_AS(hg::set_isa(isa), doctest::Contains(std::string(hg::isa_name(isa)).c_str()), hg::Error);
    }
    CHECK(hg::isa() == before);
  }
}

TEST_CASE("HOURGLASS_ISA in the environment chooses the kernels that a program starts with") {
  const char* wish = std::getenv("HOURGLASS_ISA");
  const auto* found = std::find_if(hg::all_isas.begin(), hg::all_isas.end(),
                                   [&](hg::Isa isa) { return wish && hg::isa_name(isa) == wish; });
  CHECK(hg::isa() == (found != hg::all_isas.end() && hg::isa_supported(*found) ? *found : best()));
}

#if __has_include(<unistd.h>)  // setenv is POSIX

TEST_CASE("wishes that cannot be met are ignored") {
  const char* value = std::getenv("HOURGLASS_ISA");
  const std::string before = value ? value : "";
  for (const hg::Isa isa : hg::all_isas) {
    setenv("HOURGLASS_ISA", std::string(hg::isa_name(isa)).c_str(), 1);
    CHECK(hg::detail::initial_isa() == (hg::isa_supported(isa) ? isa : best()));
  }
  for (const char* nonsense : {"", "AVX2", "avx", "avx2 ", "avx1024"}) {
    setenv("HOURGLASS_ISA", nonsense, 1);
    CHECK(hg::detail::initial_isa() == best());
  }
  unsetenv("HOURGLASS_ISA");
  CHECK(hg::detail::initial_isa() == best());
  if (value) setenv("HOURGLASS_ISA", before.c_str(), 1);
}

#endif
