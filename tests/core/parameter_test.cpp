#include "hourglass/core/parameter.hpp"

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <vector>

#include "hourglass/core/parameter_buffer.hpp"

namespace hg = hourglass;

namespace {

struct Leaf {
  using Scalar = float;
  hg::Parameter<float> weight{hg::Shape{2, 3}, hg::StorageOrder::column_major};
  hg::Parameter<float> bias;
  static constexpr auto fields() {
    return std::tuple{hg::Field{"weight", &Leaf::weight}, hg::Field{"bias", &Leaf::bias}};
  }
};

struct Plain {};

struct Chain {
  using Scalar = float;
  std::vector<Leaf> leaves{2};
  Plain nothing;
  template <class Self, class Visit>
  static void for_each_child(Self& self, Visit&& visit) {
    hg::Index index = 0;
    for (auto& leaf : self.leaves) visit(index++, leaf);
    visit(index, self.nothing);
  }
};

struct Model {
  using Scalar = float;
  Chain chain;
  Leaf head;
  static constexpr auto fields() {
    return std::tuple{hg::Field{"chain", &Model::chain}, hg::Field{"head", &Model::head}};
  }
};

}  // namespace

TEST_CASE("shapes") {
  CHECK(hg::Shape{4, 5, 6}.size() == 120);
  CHECK(hg::Shape{}.size() == 0);
  CHECK(hg::Shape{4, 5}.str() == "(4, 5)");
  CHECK(hg::Shape{4, 0}.size() == 0);
  CHECK_THROWS_AS((hg::Shape{1, 2, 3, 4, 5}), hg::ShapeError);
  CHECK_THROWS_AS((hg::Shape{-1}), hg::ShapeError);
}

TEST_CASE("column-major parameters map the row-major order of files") {
  hg::Parameter<float> p{hg::Shape{2, 3}, hg::StorageOrder::column_major};
  // row-major (0,0) (0,1) (0,2) (1,0) ... lies at 0, 2, 4, 1, ...
  const std::vector<hg::Index> expected{0, 2, 4, 1, 3, 5};
  for (hg::Index i = 0; i < 6; ++i) CHECK(p.offset_of_row_major(i) == expected[static_cast<std::size_t>(i)]);
  CHECK_THROWS_AS((hg::Parameter<float>{hg::Shape{3}, hg::StorageOrder::column_major}), hg::ShapeError);
}

TEST_CASE("for_each_parameter names every tensor and passes over absent ones") {
  Model model;
  model.head.bias = hg::Parameter<float>{hg::Shape{2}};
  std::vector<std::string> names;
  hg::for_each_parameter(model, [&](const hg::ParameterName& name, hg::Parameter<float>& p) {
    names.push_back(name.str() + p.shape().str());
  });
  CHECK(names ==
        std::vector<std::string>{"chain.0.weight(2, 3)", "chain.1.weight(2, 3)", "head.weight(2, 3)", "head.bias(2)"});
  CHECK(hg::parameter_count(model) == 20);
  const Model& constant = model;
  hg::for_each_parameter(
      constant, [](const auto&, auto& p) { static_assert(std::is_const_v<std::remove_reference_t<decltype(p)>>); });
}

TEST_CASE("a buffer has an aligned slot for every parameter") {
  Model model;
  hg::ParameterBuffer<float> buffer(model);
  CHECK(buffer.size() == 3 * 16);  // three tensors of 6 values, each padded to a cache line
  hg::Index expected = 0;
  hg::zip_parameters(
      model,
      [&](const hg::ParameterName&, hg::Parameter<float>& p, float* slot, const float* same) {
        CHECK(slot == buffer.data() + expected);
        CHECK(same == slot);
        CHECK(reinterpret_cast<std::uintptr_t>(slot) % 64 == 0);
        CHECK(p.size() == 6);
        expected += 16;
      },
      buffer, std::as_const(buffer));
  CHECK(expected == 48);
}

TEST_CASE("a buffer of another model is refused") {
  Model model;
  hg::ParameterBuffer<float> buffer(model);
  Leaf leaf;
  CHECK_THROWS_WITH_AS(hg::zip_parameters(
                           leaf, [](auto&&...) {}, buffer),
                       doctest::Contains("48"), hg::ShapeError);
}
