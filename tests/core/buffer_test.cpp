#include "hourglass/core/buffer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "hourglass/core/parameter_buffer.hpp"

namespace hg = hourglass;

namespace {

struct Leaf {
  using Scalar = float;
  hg::Parameter<float> weight{hg::Shape{2}};
  hg::Buffer<float> mean{hg::Shape{3}, 0.5F};
  hg::Buffer<double> absent;
  hg::Buffer<std::int64_t> steps{hg::Shape{}, 7};
  hg::Parameter<float> bias{hg::Shape{4}};
  static constexpr auto fields() {
    return std::tuple{hg::Field{"weight", &Leaf::weight}, hg::Field{"mean", &Leaf::mean},
                      hg::Field{"absent", &Leaf::absent}, hg::Field{"steps", &Leaf::steps},
                      hg::Field{"bias", &Leaf::bias}};
  }
};

struct Model {
  using Scalar = float;
  Leaf first, second;
  static constexpr auto fields() {
    return std::tuple{hg::Field{"first", &Model::first}, hg::Field{"second", &Model::second}};
  }
};

}  // namespace

TEST_CASE("buffers start at a value, and an empty shape is that of one number") {
  const Leaf leaf;
  CHECK(leaf.mean.size() == 3);
  for (const float value : leaf.mean.values()) CHECK(value == 0.5F);
  CHECK(leaf.steps.size() == 1);
  CHECK(leaf.steps.data()[0] == 7);
  CHECK(leaf.absent.empty());
  CHECK(hg::Buffer<float>{hg::Shape{2, 2}}.values()[3] == 0);
}

TEST_CASE("parameters and buffers are visited in the order of fields, and each kind alone") {
  Model model;
  std::vector<std::string> tensors, parameters, buffers;
  hg::for_each_tensor(model, [&](const auto& name, auto& tensor) {
    tensors.push_back(name.str() + tensor.shape().str());
    static_assert(!std::is_const_v<std::remove_reference_t<decltype(tensor)>>);
  });
  CHECK(tensors == std::vector<std::string>{"first.weight(2)", "first.mean(3)", "first.steps()", "first.bias(4)",
                                            "second.weight(2)", "second.mean(3)", "second.steps()", "second.bias(4)"});
  hg::for_each_parameter(model, [&](const auto& name, auto&) { parameters.push_back(name.str()); });
  CHECK(parameters == std::vector<std::string>{"first.weight", "first.bias", "second.weight", "second.bias"});
  hg::for_each_buffer(std::as_const(model), [&](const auto& name, auto& buffer) {
    static_assert(std::is_const_v<std::remove_reference_t<decltype(buffer)>>);
    buffers.push_back(name.str());
  });
  CHECK(buffers == std::vector<std::string>{"first.mean", "first.steps", "second.mean", "second.steps"});
}

TEST_CASE("buffers have no slot and do not count as parameters") {
  const Model model;
  CHECK(hg::parameter_count(model) == 12);
  CHECK(hg::buffer_count(model) == 8);
  CHECK(hg::ParameterBuffer<float>(model).size() == 4 * 16);
}
