#include "hourglass/nn/convolution_gradient.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/storage.hpp"

namespace hg = hourglass;
using hg::Index;

TEST_CASE("sums of channels are exact where floats are, whatever is left over from the blocks") {
  for_each_isa([] {
    for (const Index width : {1, 15, 64, 65, 200}) {
      const hg::ImageShape shape{2, 1, width};
      std::vector<float> image;
      for (Index i = 0; i < shape.size(); ++i) image.push_back(static_cast<float>(i));
      std::vector<float> sums{5.0f, 5.0f};
      for (const bool add : {false, true})
        hg::simd::dispatch<float>(hg::detail::AddPlanes<float>{shape, image.data(), sums.data(), add});
      const Index first = width * (width - 1) / 2;
      CHECK(sums == std::vector<float>{static_cast<float>(2 * first), static_cast<float>(2 * (first + width * width))});
    }
  });
}

TEST_CASE("sums of groups go to the layout of the weight") {
  constexpr Index line = hg::detail::shifted_block<float>;
  constexpr Index height = 6;  // 3 channels, 2 taps
  constexpr Index columns = 18;
  hg::AlignedVector<float> sums(2 * 2 * height * line);  // 2 groups, 2 blocks
  for (Index group = 0; group < 2; ++group)
    for (Index column = 0; column < columns; ++column)
      for (Index i = 0; i < height; ++i)
        sums[static_cast<std::size_t>(((group * 2 + column / line) * height + i) * line + column % line)] =
            static_cast<float>(1000 * group + 10 * column + i);
  for_each_isa([&] {
    std::vector<float> gradient(columns * height, -1.0f);
    for (const Index first : {Index{0}, line})
      hg::simd::dispatch<float>(hg::detail::AddGroups<float>{sums.data(), 2 * height * line, 2, height, 2, first,
                                                             std::min(columns, first + line), gradient.data(), 2,
                                                             height});
    for (Index column = 0; column < columns; ++column)
      for (Index i = 0; i < height; ++i)
        REQUIRE(gradient[static_cast<std::size_t>(column * height + i)] ==
                static_cast<float>(1000 + 2 * (10 * column + i)));
  });
}
