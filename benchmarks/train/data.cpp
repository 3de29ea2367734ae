#include "data.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <hourglass/data/mnist.hpp>
#include <utility>
#include <vector>

namespace benchmark {
namespace {

constexpr int side = 28;

// Numbers from [0, 1) by a linear congruential generator (Knuth's MMIX constants).
class Uniform {
 public:
  explicit Uniform(std::uint64_t seed) : state_{seed} {}
  float operator()() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<float>(state_ >> 40) * 0x1p-24F;
  }

 private:
  std::uint64_t state_;
};

// A line from one point to another by a pen of radius 1.5 pixels: ink = 2 - distance to the line, from [0, 1].
void draw_stroke(std::array<float, 2> from, std::array<float, 2> to, std::uint8_t* image) {
  const float dx = to[0] - from[0];
  const float dy = to[1] - from[1];
  const float length = dx * dx + dy * dy + 1e-6F;
  const auto first = [](float a, float b) { return std::max(0, static_cast<int>(std::min(a, b)) - 2); };
  const auto last = [](float a, float b) { return std::min(side - 1, static_cast<int>(std::max(a, b)) + 2); };
  for (int y = first(from[1], to[1]); y <= last(from[1], to[1]); ++y)
    for (int x = first(from[0], to[0]); x <= last(from[0], to[0]); ++x) {
      const float px = static_cast<float>(x) - from[0];
      const float py = static_cast<float>(y) - from[1];
      const float along = std::clamp((px * dx + py * dy) / length, 0.0F, 1.0F);
      const float distance = std::sqrt((px - along * dx) * (px - along * dx) + (py - along * dy) * (py - along * dy));
      const auto ink = static_cast<std::uint8_t>(255 * std::clamp(2 - distance, 0.0F, 1.0F));
      std::uint8_t& pixel = image[y * side + x];
      pixel = std::max(pixel, ink);
    }
}

hourglass::Images draw(hourglass::Index count, std::uint64_t seed) {
  Uniform uniform(seed);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count * side * side));
  const auto point = [&] { return std::array{4 + 20 * uniform(), 4 + 20 * uniform()}; };
  for (hourglass::Index i = 0; i < count; ++i) {
    auto from = point();
    for (int stroke = 0; stroke < 4; ++stroke) {
      const auto to = point();
      draw_stroke(from, to, pixels.data() + i * side * side);
      from = to;
    }
  }
  return hourglass::Images(std::move(pixels), count, side, side);
}

}  // namespace

Data load_data() {
  if (const char* folder = std::getenv("HOURGLASS_MNIST_DIR"); folder && *folder) {
    hourglass::Mnist mnist = hourglass::load_mnist(folder);
    return {"MNIST", std::move(mnist.train.images), std::move(mnist.test.images)};
  }
  return {"drawn strokes", draw(60000, 1), draw(10000, 2)};
}

}  // namespace benchmark
