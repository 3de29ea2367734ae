// Small modules and hand-written files for the tests of io/.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "hourglass/core/parameter.hpp"
#include "hourglass/core/rng.hpp"

namespace hourglass_test {

/// Parameters called "0", "1", ...
template <class Scalar_>
struct Bag {
  using Scalar = Scalar_;
  std::vector<hourglass::Parameter<Scalar>> parts;

  template <class Self, class Visit>
  static void for_each_child(Self& self, Visit&& visit) {
    hourglass::Index i = 0;
    for (auto& part : self.parts) visit(i++, part);
  }
};

/// weight (out, in), column-major as in Linear, and bias (out).
template <class Scalar_ = float>
struct Dense {
  using Scalar = Scalar_;
  hourglass::Parameter<Scalar> weight;
  hourglass::Parameter<Scalar> bias;

  Dense(hourglass::Index in, hourglass::Index out)
      : weight({out, in}, hourglass::StorageOrder::column_major), bias({out}) {}
  static constexpr auto fields() {
    return std::tuple{hourglass::Field{"weight", &Dense::weight}, hourglass::Field{"bias", &Dense::bias}};
  }
};

/// Dense layers with a gap after each, where a model has its activation: "0", "2", "4", ...
template <class Scalar_ = float>
struct Stack {
  using Scalar = Scalar_;
  std::vector<Dense<Scalar>> layers;

  template <class Self, class Visit>
  static void for_each_child(Self& self, Visit&& visit) {
    hourglass::Index i = 0;
    for (auto& layer : self.layers) visit(2 * i++, layer);
  }
};

/// "encoder.0.weight", ..., "decoder.2.bias".
template <class Scalar_ = float>
struct Coder {
  using Scalar = Scalar_;
  Stack<Scalar> encoder;
  Stack<Scalar> decoder;

  static constexpr auto fields() {
    return std::tuple{hourglass::Field{"encoder", &Coder::encoder}, hourglass::Field{"decoder", &Coder::decoder}};
  }
};

/// Random bits, with NaNs, infinities and denormals among them.
template <class Model>
void scramble(Model& model, hourglass::Rng& rng) {
  hourglass::for_each_parameter(model, [&](const hourglass::ParameterName&, auto& parameter) {
    for (auto& value : parameter.values()) {
      using Value = std::remove_reference_t<decltype(value)>;
      const auto bits =
          static_cast<std::uint64_t>(rng.below(1LL << 32)) << 32 | static_cast<std::uint64_t>(rng.below(1LL << 32));
      if constexpr (sizeof(Value) == 8)
        value = std::bit_cast<Value>(bits);
      else
        value = std::bit_cast<Value>(static_cast<std::uint32_t>(bits));
    }
  });
}

/// All values in storage order, as bytes.
template <class Model>
std::string bits_of(const Model& model) {
  std::string bits;
  hourglass::for_each_parameter(model, [&](const hourglass::ParameterName&, const auto& parameter) {
    bits.append(reinterpret_cast<const char*>(parameter.data()), parameter.values().size_bytes());
  });
  return bits;
}

/// The bytes of `value`, lowest first.
template <class Value>
std::string little_endian(Value value) {
  return {reinterpret_cast<const char*>(&value), sizeof(Value)};
}

/// A file as written by hand: the length of `header`, `header`, `data`.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  return little_endian(static_cast<std::uint64_t>(header.size())) + std::string{header} + std::string{data};
}

}  // namespace hourglass_test
