// Random numbers: Philox4x32-10, a counter-based generator with its own portable distributions.
//
// Element i of a filled array never depends on how many threads filled it, and the whole state is four numbers.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/philox.hpp"
#include "hourglass/core/simd_math.hpp"

namespace hourglass {

namespace detail {

/// Values that the generator makes at a time.
inline constexpr std::size_t rng_chunk = 256;

/// out[i] = low + range * uniforms[i].
template <class Scalar>
struct ScaleUniform {
  Index count;
  const Scalar* uniforms;
  Scalar low;
  Scalar range;
  Scalar* out;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index i = 0; i < count; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, count - i);
      fma(V(range), V::load(uniforms + i, n), V(low)).store(out + i, n);
    }
  })
};

/// Box and Muller (1958): a pair of uniform numbers (u, v) becomes mean + deviation sqrt(-2 log u) (cos 2 pi v, sin 2
/// pi v).
template <class Scalar>
struct BoxMuller {
  Index count;  // even
  const Scalar* uniforms;
  Scalar mean;
  Scalar deviation;
  Scalar* out;
  HOURGLASS_SIMD(void operator()() const, {
    alignas(64) Scalar u[rng_chunk / 2];
    alignas(64) Scalar v[rng_chunk / 2];
    const Index pairs = count / 2;
    for (Index i = 0; i < pairs; ++i) {
      // Half a step above a multiple of 2^-24 (2^-53): never 0, so that the logarithm is finite.
      u[i] = uniforms[2 * i] + std::numeric_limits<Scalar>::epsilon() / 4;
      v[i] = uniforms[2 * i + 1];
    }
    for (Index i = 0; i < pairs; i += V::lanes) {
      const Index n = std::min<Index>(V::lanes, pairs - i);
      const V scale = V(deviation) * sqrt(V(-2) * simd::log(V::load(u + i, n)));
      V sine;
      V cosine;
      simd::sincos_turns(V::load(v + i, n), sine, cosine);
      fma(scale, cosine, V(mean)).store(u + i, n);
      fma(scale, sine, V(mean)).store(v + i, n);
    }
    for (Index i = 0; i < pairs; ++i) {
      out[2 * i] = u[i];
      out[2 * i + 1] = v[i];
    }
  })
};

}  // namespace detail

/// The library's generator. Satisfies std::uniform_random_bit_generator; the same seed gives the same numbers on
/// every machine and standard library, which std::normal_distribution and std::shuffle do not promise.
class Rng {
 public:
  using result_type = std::uint32_t;

  /// Everything that determines the numbers still to come; save it to resume a run.
  struct State {
    std::uint64_t seed = 0;
    std::uint64_t stream = 0;
    std::uint64_t block = 0;  ///< next block of four words
    std::uint32_t word = 4;   ///< next unused word of the block before it; 4: none is left
    friend bool operator==(const State&, const State&) = default;
  };

  /// Different streams under one seed are independent.
  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0) noexcept : state_{seed, stream, 0, 4} {}
  explicit Rng(const State& state) noexcept : state_{state} {
    if (state_.word < 4) words_ = block(state_.block - 1);
  }

  [[nodiscard]] const State& state() const noexcept { return state_; }

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

  /// Next 32 uniform bits.
  result_type operator()() noexcept {
    if (state_.word == 4) {
      words_ = block(state_.block++);
      state_.word = 0;
    }
    return words_[state_.word++];
  }

  /// A generator of its own for another task: its stream number is drawn from this one.
  [[nodiscard]] Rng split() noexcept {
    const std::uint64_t low = (*this)();
    return Rng{state_.seed, (std::uint64_t{(*this)()} << 32 | low) ^ state_.stream};
  }

  /// Uniform in [0, 1): 24 random bits for float, 53 for double.
  template <std::floating_point Scalar = float>
  [[nodiscard]] Scalar uniform() noexcept {
    if constexpr (sizeof(Scalar) == 4) {
      return detail::unit_interval<Scalar>((*this)(), 0);
    } else {
      const std::uint32_t high = (*this)();
      return detail::unit_interval<Scalar>(high, (*this)());
    }
  }

  /// Uniform integer in [0, count), without bias (Lemire 2019). Throws DataError unless 1 <= count <= 2^32.
  [[nodiscard]] Index below(Index count) {
    if (count < 1 || static_cast<std::uint64_t>(count) > std::uint64_t{1} << 32)
      throw DataError(detail::message("Rng::below: the number of choices must be between 1 and 2^32, not ", count));
    const auto n = static_cast<std::uint64_t>(count);
    const std::uint64_t threshold = (std::uint64_t{1} << 32) % n;
    for (;;) {
      const std::uint64_t product = std::uint64_t{(*this)()} * n;
      if ((product & 0xffffffffu) >= threshold) return static_cast<Index>(product >> 32);
    }
  }

  /// Standard normal deviate (Box-Muller).
  template <std::floating_point Scalar = float>
  [[nodiscard]] Scalar normal() noexcept {
    Scalar value{};
    fill_normal(std::span<Scalar>(&value, 1));
    return value;
  }

  /// Uniform in [low, high) for every element; starts at a fresh block.
  template <std::floating_point Scalar>
  void fill_uniform(std::span<Scalar> values, Scalar low = 0, Scalar high = 1) noexcept {
    fill(values, [&](const Scalar* uniforms, std::size_t count, Scalar* out) {
      simd::dispatch<Scalar>(detail::ScaleUniform<Scalar>{static_cast<Index>(count), uniforms, low, high - low, out});
    });
  }

  /// Normal with the given mean and standard deviation for every element; starts at a fresh block.
  template <std::floating_point Scalar>
  void fill_normal(std::span<Scalar> values, Scalar mean = 0, Scalar deviation = 1) noexcept {
    fill(values, [&](const Scalar* uniforms, std::size_t count, Scalar* out) {
      simd::dispatch<Scalar>(detail::BoxMuller<Scalar>{static_cast<Index>(count), uniforms, mean, deviation, out});
    });
  }

  /// Fisher-Yates shuffle.
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) {
      using std::swap;
      swap(values[i - 1], values[static_cast<std::size_t>(below(static_cast<Index>(i)))]);
    }
  }

  /// The numbers 0 .. count-1 in random order.
  [[nodiscard]] std::vector<Index> permutation(Index count) {
    if (count < 0) throw DataError(detail::message("Rng::permutation: the length is negative: ", count));
    std::vector<Index> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), Index{0});
    shuffle(std::span<Index>(order));
    return order;
  }

 private:
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint64_t number) const noexcept {
    return philox_block(state_.seed, state_.stream, number);
  }

  // `make(uniforms, count, out)` turns uniform numbers into the values wanted. One block makes four floats or two
  // doubles, and pairs of values never straddle a chunk.
  template <class Scalar, class Make>
  HOURGLASS_NOINLINE void fill(std::span<Scalar> values, const Make& make) noexcept {
    constexpr std::size_t per_block = 16 / sizeof(Scalar);
    alignas(64) std::array<Scalar, detail::rng_chunk> uniforms;
    alignas(64) std::array<Scalar, detail::rng_chunk> made;
    for (std::size_t i = 0; i < values.size(); i += detail::rng_chunk) {
      const std::size_t count = std::min(detail::rng_chunk, values.size() - i);
      const std::size_t blocks = (count + per_block - 1) / per_block;
      simd::dispatch<Scalar>(
          detail::PhiloxUniforms<Scalar>{state_.seed, state_.stream, state_.block, blocks, uniforms.data()});
      state_.block += blocks;
      make(uniforms.data(), blocks * per_block, made.data());
      std::copy_n(made.data(), count, values.data() + i);
    }
    state_.word = 4;
  }

  State state_;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace hourglass
