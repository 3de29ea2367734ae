#include "hourglass/gemm/micro_kernel.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "each_isa.hpp"
#include "gemm/products.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/gemm/reference.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar, int height, int width, bool packs, class Epilogue>
struct RunTile {
  const hg::detail::Tile<Scalar>& tile;
  const Epilogue& epilogue;
  std::ptrdiff_t* lanes;  // where only these are wanted
  HOURGLASS_SIMD(void operator()() const, {
    if (lanes != nullptr)
      *lanes = V::lanes;
    else
      hg::detail::MicroKernel<height, width, packs>::template run<V>(tile, epilogue);
  })
};

// Tiles of one shape with random strides, in two slices of k; the second goes on from the sums of the first.
template <class Scalar, int height, int width, bool packs>
std::string check_tile() {
  hg::Rng rng{1};
  const hg::detail::Tile<Scalar> none{};
  using hg::epilogue::Store;
  std::ptrdiff_t lanes = 0;
  hg::simd::dispatch<Scalar>(RunTile<Scalar, height, width, packs, Store>{none, Store{}, &lanes});
  const std::ptrdiff_t n = width * lanes;
  for (int round = 0; round < 20; ++round) {
    const std::ptrdiff_t k = rng.below(20);
    const Strides a_strides = random_strides<Scalar>(height, k, rng);
    const Product<Scalar> product(height, n, k, a_strides, {n + rng.below(9), 1}, rng);
    const std::vector<Scalar> bias = random_numbers<Scalar>(5 + n, rng);

    std::vector<Scalar> c = product.start;
    std::vector<Scalar> packed(static_cast<std::size_t>(k * n), untouched<Scalar>());
    const std::ptrdiff_t half = k / 2;
    hg::detail::Tile<Scalar> tile{};
    tile.depth = half;
    tile.a = product.a.operand().data;
    tile.a_row = a_strides.row;
    tile.a_col = a_strides.col;
    tile.b = product.b.operand().data;
    tile.b_row = product.b.strides.row;
    tile.packed = packed.data();
    tile.c = product.output(c).data;
    tile.c_row = product.leading;
    tile.row = 1;
    tile.col = 5;
    hg::simd::dispatch<Scalar>(RunTile<Scalar, height, width, packs, Store>{tile, Store{}, nullptr});
    tile.depth = k - half;
    tile.a += half * tile.a_col;
    tile.b += half * tile.b_row;
    tile.packed += half * n;
    tile.partial = tile.c;
    const hg::epilogue::Bias<Scalar> epilogue{bias.data()};  // read from column 5 on
    hg::simd::dispatch<Scalar>(
        RunTile<Scalar, height, width, packs, hg::epilogue::Bias<Scalar>>{tile, epilogue, nullptr});

    const hg::epilogue::Bias<Scalar> shifted{bias.data() + 5};
    const auto terms = static_cast<double>(k);
    const double near = portable_may_fuse && !isa_fuses() ? (terms + 1) * (terms + 1) * 1e-7 : -1;
    std::string failure = difference_of_bits(c,
                                             isa_fuses() ? product.template reference<hg::Rounding::fused>(shifted)
                                                         : product.template reference<hg::Rounding::separate>(shifted),
                                             near);
    std::vector<Scalar> copy = packed;
    for (std::ptrdiff_t p = 0; packs && p < k; ++p)
      for (std::ptrdiff_t j = 0; j < n; ++j) copy[static_cast<std::size_t>(p * n + j)] = product.b.operand()(p, j);
    if (failure.empty()) failure = difference_of_bits(packed, copy);
    if (!failure.empty()) return hg::detail::message(height, " rows, ", width, " vectors, ", product.text(), failure);
  }
  return "";
}

}  // namespace

TEST_CASE_TEMPLATE("tiles of every kind equal the reference", Scalar, float, double) {
  for_each_isa([] {
    CAPTURE(hg::isa_name(hg::isa()));
    CHECK(check_tile<Scalar, 1, 1, false>() == "");
    CHECK(check_tile<Scalar, 1, 4, false>() == "");
    CHECK(check_tile<Scalar, 3, 4, true>() == "");
    CHECK(check_tile<Scalar, 4, 5, false>() == "");
    CHECK(check_tile<Scalar, 6, 2, true>() == "");
    CHECK(check_tile<Scalar, 8, 3, true>() == "");
    CHECK(check_tile<Scalar, 14, 2, true>() == "");
    CHECK(check_tile<Scalar, 14, 1, false>() == "");
  });
}
