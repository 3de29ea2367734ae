// Handwritten-looking digits drawn by a program: strokes, a random hand, a pen, 28 x 28 pixels.
//
// image(i) = quantise(coverage(affine(elastic(curve through jittered knots)))), centred by its centre of mass as in
// MNIST. Image i of a set depends on (seed, set, i) alone. Only + - * / and square roots are used, so that the bytes
// do not depend on a mathematics library.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "glyphs.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/simd_math.hpp"

namespace hourglass::digits {

inline constexpr std::size_t side = 28;
inline constexpr std::size_t pixels = side * side;
inline constexpr std::uint64_t default_seed = 1998;
inline constexpr std::size_t train_count = 6000;
inline constexpr std::size_t test_count = 1000;

/// One image, row by row; 0 is paper, 255 is ink.
using Image = std::array<std::uint8_t, pixels>;

/// Which of the two committed sets.
enum class Set : std::uint64_t { train = 0, test = 1 };

namespace detail {

struct Point {
  double x = 0;
  double y = 0;
};

// A piece of the drawn line: pen positions and how hard the pen is pressed there.
struct Sample {
  Point at;
  double pressure = 1;
};
using Stroke = std::vector<Sample>;

// Nearly normal with the given deviation, never beyond 3.5 of them: a sum of four uniforms.
inline double spread(Rng& rng, double deviation) {
  double sum = -2;
  for (int i = 0; i < 4; ++i) sum += rng.uniform<double>();
  return sum * 1.7320508075688772 * deviation;
}

inline const Glyph& choose_glyph(int digit, Rng& rng) {
  Index ticket = rng.below(100);
  for (const Glyph& glyph : glyphs) {
    if (glyph.digit != digit) continue;
    if (ticket < glyph.percent) return glyph;
    ticket -= glyph.percent;
  }
  throw DataError(hourglass::detail::message("render_digit: there is no glyph for ", digit, "; digits are 0 to 9"));
}

// Uniform quadratic B-spline weights of three neighbouring lattice values at t in [0, 1].
inline std::array<double, 3> spline_weights(double t) {
  return {0.5 * (1 - t) * (1 - t), 0.5 + t * (1 - t), 0.5 * t * t};
}

// A smooth random function on [0, 1] that changes over a `cells`-th of it.
template <std::size_t cells>
class Wobble {
 public:
  Wobble(Rng& rng, double deviation) {
    for (double& value : values_) value = spread(rng, deviation);
  }

  [[nodiscard]] double operator()(double position) const {
    const double scaled = std::clamp(position, 0.0, 1.0) * (cells - 1e-9);
    const auto cell = static_cast<std::size_t>(scaled);
    const auto w = spline_weights(scaled - static_cast<double>(cell));
    return w[0] * values_[cell] + w[1] * values_[cell + 1] + w[2] * values_[cell + 2];
  }

 private:
  std::array<double, cells + 2> values_{};
};

// The elastic distortion: a smooth random displacement of the square [-20, 120]^2 that holds a glyph.
class Elastic {
 public:
  Elastic(Rng& rng, double deviation) {
    for (Point& value : values_) value = {spread(rng, deviation), spread(rng, deviation)};
  }

  [[nodiscard]] Point operator()(Point p) const {
    const double u = std::clamp((p.x + 20) / 140, 0.0, 1.0) * (cells - 1e-9);
    const double v = std::clamp((p.y + 20) / 140, 0.0, 1.0) * (cells - 1e-9);
    const auto column = static_cast<std::size_t>(u);
    const auto row = static_cast<std::size_t>(v);
    const auto across = spline_weights(u - static_cast<double>(column));
    const auto down = spline_weights(v - static_cast<double>(row));
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        const Point& value = values_[(row + i) * (cells + 2) + column + j];
        p.x += down[i] * across[j] * value.x;
        p.y += down[i] * across[j] * value.y;
      }
    }
    return p;
  }

 private:
  static constexpr std::size_t cells = 3;
  std::array<Point, (cells + 2) * (cells + 2)> values_{};
};

// Catmull-Rom curve from b to c at t in [0, 1].
inline double catmull_rom(double a, double b, double c, double d, double t) {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

// The pen's way through the knots, each moved a little; corners and starts interrupt the smooth curve.
inline std::vector<Stroke> trace(std::span<const Knot> glyph, Rng& rng, double jitter) {
  constexpr int samples = 8;
  std::vector<Knot> knots(glyph.begin(), glyph.end());
  for (std::size_t i = 0; i < knots.size(); ++i) {
    // A pen goes where it likes when it lands and leaves.
    const bool end = knots[i].turn == Turn::start || i + 1 == knots.size() || knots[i + 1].turn == Turn::start;
    const double deviation = end ? 2 * jitter : jitter;
    knots[i].x += spread(rng, deviation);
    knots[i].y += spread(rng, deviation);
  }
  const auto smooth = [&](std::size_t i) { return i < knots.size() && knots[i].turn == Turn::smooth; };
  std::vector<Stroke> strokes;
  for (std::size_t i = 0; i < knots.size(); ++i) {
    const Knot& c = knots[i];
    if (c.turn == Turn::start) {
      strokes.push_back({{{c.x, c.y}}});
      continue;
    }
    const Knot& b = knots[i - 1];
    const Knot& a = smooth(i - 1) ? knots[i - 2] : b;
    const Knot& d =
        c.turn == Turn::smooth && i + 1 < knots.size() && knots[i + 1].turn != Turn::start ? knots[i + 1] : c;
    for (int s = 1; s <= samples; ++s) {
      const double t = static_cast<double>(s) / samples;
      strokes.back().push_back({{catmull_rom(a.x, b.x, c.x, d.x, t), catmull_rom(a.y, b.y, c.y, d.y, t)}});
    }
  }
  return strokes;
}

// How one person writes: slant, rotation (in turns), proportions, and the radius of the pen in pixels.
struct Hand {
  double slant;
  double rotation;
  double aspect;
  double pen;

  // A one without a body to hold it upright leans further. Thick pens are rarer than thin ones.
  Hand(int digit, Rng& rng)
      : slant(0.17 + spread(rng, 0.22)),
        rotation(spread(rng, digit == 1 ? 0.03 : 0.016)),
        aspect(1.08 + spread(rng, 0.18)),
        pen(rng.uniform<double>()) {
    pen = 0.8 + 0.65 * pen + 0.75 * pen * pen * pen;
  }

  [[nodiscard]] Point operator()(Point p) const {
    const double x = aspect * p.x - slant * p.y;
    simd::Vector<double, simd::Single> sine;
    simd::Vector<double, simd::Single> cosine;
    simd::sincos_turns(decltype(sine)(rotation < 0 ? rotation + 1 : rotation), sine, cosine);
    return {cosine.value * x - sine.value * p.y, sine.value * x + cosine.value * p.y};
  }
};

// Scales and moves the strokes so that their ink fits a box of 20 pixels in the middle of the frame; the soft edge and
// the pen's pressure take the rest.
inline void fit(std::vector<Stroke>& strokes, double pen) {
  Point low{1e9, 1e9};
  Point high{-1e9, -1e9};
  for (const Stroke& stroke : strokes) {
    for (const Sample& s : stroke) {
      low = {std::min(low.x, s.at.x), std::min(low.y, s.at.y)};
      high = {std::max(high.x, s.at.x), std::max(high.y, s.at.y)};
    }
  }
  const double scale = (19.2 - 2 * pen) / std::max(high.x - low.x, high.y - low.y);
  for (Stroke& stroke : strokes) {
    for (Sample& s : stroke) {
      s.at = {14 + scale * (s.at.x - 0.5 * (low.x + high.x)), 14 + scale * (s.at.y - 0.5 * (low.y + high.y))};
    }
  }
}

// Depth of a pixel's centre inside the ink of one segment, in pixels; negative outside.
inline double depth(Point p, const Sample& a, const Sample& b, double pen) {
  const double dx = b.at.x - a.at.x;
  const double dy = b.at.y - a.at.y;
  const double length = dx * dx + dy * dy;
  const double along = length > 0 ? ((p.x - a.at.x) * dx + (p.y - a.at.y) * dy) / length : 0;
  const double t = std::clamp(along, 0.0, 1.0);
  const double ex = p.x - a.at.x - t * dx;
  const double ey = p.y - a.at.y - t * dy;
  return pen * (a.pressure + t * (b.pressure - a.pressure)) - std::sqrt(ex * ex + ey * ey);
}

// Ink from 0 to 1 of every pixel, with an edge that is `softness` pixels wide.
inline std::array<double, pixels> draw(const std::vector<Stroke>& strokes, double pen, double softness) {
  std::array<double, pixels> ink{};
  for (const Stroke& stroke : strokes) {
    for (std::size_t s = 0; s + 1 < stroke.size(); ++s) {
      const Point a = stroke[s].at;
      const Point b = stroke[s + 1].at;
      const double reach = pen * std::max(stroke[s].pressure, stroke[s + 1].pressure) + softness + 1;
      const auto from = [&](double value) { return static_cast<std::size_t>(std::clamp(value - reach, 0.0, 28.0)); };
      const auto to = [&](double value) { return static_cast<std::size_t>(std::clamp(value + reach, 0.0, 28.0)); };
      for (std::size_t y = from(std::min(a.y, b.y)); y < to(std::max(a.y, b.y)); ++y) {
        for (std::size_t x = from(std::min(a.x, b.x)); x < to(std::max(a.x, b.x)); ++x) {
          const Point p{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
          const double inside = depth(p, stroke[s], stroke[s + 1], pen) / softness + 0.5;
          double& pixel = ink[y * side + x];
          pixel = std::max(pixel, std::min(inside, 1.0));
        }
      }
    }
  }
  return ink;
}

// Moves the ink by whole pixels so that its centre of mass is the middle of the frame, and rounds it to `levels`.
inline Image centred(const std::array<double, pixels>& ink, int levels) {
  double mass = 0;
  Point centre;
  for (std::size_t i = 0; i < pixels; ++i) {
    mass += ink[i];
    centre.x += ink[i] * (static_cast<double>(i % side) + 0.5);
    centre.y += ink[i] * (static_cast<double>(i / side) + 0.5);
  }
  constexpr int size = static_cast<int>(side);
  const auto shift = [&](double sum) { return static_cast<int>(std::floor(14 - sum / mass + 0.5)); };
  const int right = shift(centre.x);
  const int down = shift(centre.y);
  Image image{};
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const int from_x = x - right;
      const int from_y = y - down;
      if (from_x < 0 || from_x >= size || from_y < 0 || from_y >= size) continue;
      const double value = ink[static_cast<std::size_t>(from_y * size + from_x)];
      const int level = static_cast<int>(value * (levels - 1) + 0.5);
      image[static_cast<std::size_t>(y * size + x)] = static_cast<std::uint8_t>(level * 255 / (levels - 1));
    }
  }
  return image;
}

}  // namespace detail

/// A digit 0 to 9 in a hand drawn from `rng`. Throws DataError for another number.
[[nodiscard]] inline Image render_digit(int digit, Rng& rng) {
  // Chosen by eye and by MNIST's statistics: mean 0.13, 19 % of the pixels lit, 13 % of them above the middle grey.
  const double bend = digit == 1 ? 5.0 : 8.5;  // a bent one looks like another digit
  constexpr double jitter = 2.0;
  constexpr double softness = 1.3;
  constexpr int levels = 32;

  const Glyph& glyph = detail::choose_glyph(digit, rng);
  const detail::Hand hand(digit, rng);
  const detail::Elastic elastic(rng, bend);
  std::vector<detail::Stroke> strokes = detail::trace(glyph.knots, rng, jitter);
  for (detail::Stroke& stroke : strokes) {
    const detail::Wobble<3> pressure(rng, 0.16);
    const detail::Wobble<16> tremor(rng, 0.11);
    for (std::size_t i = 0; i < stroke.size(); ++i) {
      const double way = static_cast<double>(i) / static_cast<double>(stroke.size());
      stroke[i].at = hand(elastic(stroke[i].at));
      stroke[i].pressure = 1 + pressure(way) + tremor(way);
    }
  }
  detail::fit(strokes, hand.pen);
  return detail::centred(detail::draw(strokes, hand.pen, softness), levels);
}

/// The labels of a set of `count` images: every digit equally often (give or take one), shuffled.
[[nodiscard]] inline std::vector<std::uint8_t> labels(Set set, std::size_t count, std::uint64_t seed = default_seed) {
  std::vector<std::uint8_t> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = static_cast<std::uint8_t>(i % 10);
  // Streams from 2^40 on are never those of an image.
  Rng rng{seed, (std::uint64_t{1} << 40) + static_cast<std::uint64_t>(set)};
  rng.shuffle(std::span<std::uint8_t>(result));
  return result;
}

/// Image number `index` of a set, showing `label`: a function of its arguments alone.
[[nodiscard]] inline Image image(Set set, std::size_t index, int label, std::uint64_t seed = default_seed) {
  Rng rng{seed, (static_cast<std::uint64_t>(set) << 32) + index};
  return render_digit(label, rng);
}

}  // namespace hourglass::digits
