#include "hourglass/nn/convolution_run.hpp"

#include <doctest/doctest.h>

#include <span>
#include <utility>

#include "each_isa.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/storage.hpp"

namespace hg = hourglass;
using hg::ImageShape;
using hg::Index;
using hg::Size2d;

namespace {

using Values = hg::AlignedVector<double>;

Values random(Index size, hg::Rng& rng) {
  Values values(static_cast<std::size_t>(size));
  rng.fill_normal(std::span<double>(values));
  return values;
}

Values run(const hg::detail::ConvolutionPass& pass, const Values& weight, const Values& from) {
  Values memory(static_cast<std::size_t>(hg::detail::PassScratch<double>::size(pass)));
  const hg::detail::PassScratch<double> scratch(pass, memory.data());
  Values to(static_cast<std::size_t>(pass.to.size()));
  if (pass.line > 0) hg::simd::dispatch<double>(hg::detail::PackWeight<double>{pass, weight.data(), scratch.weight});
  hg::simd::dispatch<double>(hg::detail::RunPass<double, hg::epilogue::Store>{
      pass, weight.data(), nullptr, from.data(), scratch, to.data(), 0, {}});
  return to;
}

constexpr Index line = hg::detail::shifted_block<double>;

}  // namespace

TEST_CASE("both passes are sums over windows") {
  hg::Rng rng{3};
  for_each_isa([&] {
    for (const Index height : {1, 2, 6})
      for (const Index width : {1, 7, 40})  // a row of many vectors
        for (const Size2d kernel : {Size2d{1}, Size2d{2, 3}, Size2d{4}})
          for (const Size2d stride : {Size2d{1}, Size2d{2}, Size2d{3, 2}, Size2d{1, 5}})
            for (const Size2d padding : {Size2d{0}, Size2d{1}, Size2d{3, 2}}) {
              const ImageShape image{2, height, width};
              const Index down = height + 2 * padding.height - kernel.height;
              const Index right = width + 2 * padding.width - kernel.width;
              if (down < 0 || right < 0) continue;
              const ImageShape pixels{3, down / stride.height + 1, right / stride.width + 1};
              const Values weight = random(6 * kernel.height * kernel.width, rng);
              const Values x = random(image.size(), rng);
              const Values p = random(pixels.size(), rng);
              Values pixels_of_x(p.size());
              Values image_of_p(x.size());
              for (Index m = 0; m < 3; ++m)
                for (Index y = 0; y < pixels.height; ++y)
                  for (Index column = 0; column < pixels.width; ++column)
                    for (Index c = 0; c < 2; ++c)
                      for (Index i = 0; i < kernel.height; ++i)
                        for (Index j = 0; j < kernel.width; ++j) {
                          const Index row = y * stride.height + i - padding.height;
                          const Index col = column * stride.width + j - padding.width;
                          if (row < 0 || row >= height || col < 0 || col >= width) continue;
                          const auto pixel = static_cast<std::size_t>((m * pixels.height + y) * pixels.width + column);
                          const auto place = static_cast<std::size_t>((c * height + row) * width + col);
                          const double w =
                              weight[static_cast<std::size_t>(((m * 2 + c) * kernel.height + i) * kernel.width + j)];
                          pixels_of_x[pixel] += w * x[place];
                          image_of_p[place] += w * p[pixel];
                        }
              const Values to_pixels =
                  run(hg::detail::to_pixels_pass(image, pixels, kernel, stride, padding), weight, x);
              const Values to_image = run(hg::detail::to_image_pass(image, pixels, kernel, stride, padding), weight, p);
              for (std::size_t i = 0; i < p.size(); ++i) REQUIRE(to_pixels[i] == doctest::Approx(pixels_of_x[i]));
              for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(to_image[i] == doctest::Approx(image_of_p[i]));
              // Whatever is in the lanes, the terms come in the same order.
              REQUIRE(run(hg::detail::to_pixels_pass(image, pixels, kernel, stride, padding, line), weight, x) ==
                      to_pixels);
              REQUIRE(run(hg::detail::to_image_pass(image, pixels, kernel, stride, padding, line), weight, p) ==
                      to_image);
            }
  });
}

TEST_CASE("more channels than one block") {
  hg::Rng rng{4};
  for (const Index channels : {9, 16, 27})
    for (const Size2d stride : {Size2d{1}, Size2d{2, 3}}) {
      const ImageShape image{channels, 7, 9};
      const ImageShape pixels{channels + 1, 4 / stride.height + 1, 6 / stride.width + 1};
      const Values weight = random(channels * (channels + 1) * 9, rng);
      const Values x = random(image.size(), rng);
      const Values p = random(pixels.size(), rng);
      for_each_isa([&] {
        const auto both = [&](Index block) {
          return std::pair{
              run(hg::detail::to_pixels_pass(image, pixels, Size2d{3}, stride, Size2d{0}, block), weight, x),
              run(hg::detail::to_image_pass(image, pixels, Size2d{3}, stride, Size2d{0}, block), weight, p)};
        };
        REQUIRE(both(line) == both(0));
      });
    }
}
