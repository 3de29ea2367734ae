#include "hourglass/optim/parameter_groups.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/loss/mse.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/schedule.hpp"
#include "hourglass/optim/sgd.hpp"

namespace hg = hourglass;

namespace {

hg::Matrix<float> batch_of(hg::Index rows, hg::Index cols) {
  hg::Matrix<float> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

auto model_of() {
  hg::Autoencoder model{hg::Sequential{hg::Linear{9, 7}, hg::ReLU{}, hg::Linear{7, 3}},
                        hg::Sequential{hg::Linear{3, 7}, hg::ReLU{}, hg::Linear{7, 9}}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  model.encoder().layer<0>().weight()(2, 3) = -0.0f;  // whose sign arithmetic with zeros would lose
  return model;
}

/// Values of the parameters whose names begin with `prefix`.
template <class Module>
std::vector<float> values(const Module& model, const std::string& prefix = "") {
  std::vector<float> all;
  hg::for_each_parameter(model, [&](const hg::ParameterName& name, const auto& p) {
    if (hg::detail::begins_with_components(name.str(), prefix))
      all.insert(all.end(), p.values().begin(), p.values().end());
  });
  return all;
}
bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Trains for `steps` steps: gradients first and then the step, or both in one.
template <class Module, class Optimizer>
void train(Module& model, Optimizer& optimizer, bool fused, int steps = 3) {
  const auto x = batch_of(40, 9);
  hg::Workspace workspace{model, 40};
  for (int i = 0; i < steps; ++i) {
    (void)hg::MSELoss{}(model.forward(x, workspace), x, workspace);
    if (fused) {
      model.backward(x, workspace, optimizer);
    } else {
      model.backward(x, workspace);
      optimizer.step(model, workspace);
    }
  }
}

/// `make(lr, groups)` gives an optimiser.
template <class Make>
void check_optimizer(const Make& make) {
  for (const bool fused : {false, true}) {
    CAPTURE(fused);
    // Frozen: one part, and one weight without its bias.
    auto model = model_of();
    const auto before = model;
    auto partly = make(1e-2, {hg::frozen("encoder"), hg::frozen("decoder.2.weight")});
    train(model, partly, fused);
    CHECK(same_bits(values(model, "encoder"), values(before, "encoder")));
    CHECK(same_bits(values(model, "decoder.2.weight"), values(before, "decoder.2.weight")));
    CHECK(values(model, "decoder.0.weight") != values(before, "decoder.0.weight"));
    CHECK(values(model, "decoder.0.bias") != values(before, "decoder.0.bias"));
    CHECK(values(model, "decoder.2.bias") != values(before, "decoder.2.bias"));
    // Only the moments of what moves are not zero.
    for (const auto& moment : partly.moments()) {
      if (moment.empty()) continue;
      hg::zip_parameters(
          model,
          [&](const hg::ParameterName& name, const auto& p, const float* m) {
            const std::string text = name.str();
            const bool zero = std::all_of(m, m + p.size(), [](float value) { return value == 0; });
            CHECK_MESSAGE(zero == (text.starts_with("encoder") || text == "decoder.2.weight"), text);
          },
          moment);
    }
    // Frozen parts leave everything else alone: the step is that of an optimiser that moves all of it.
    auto one = model_of();
    auto all = make(1e-2, {});
    train(one, all, fused, 1);
    auto other = model_of();
    auto some = make(1e-2, {hg::frozen("encoder")});
    train(other, some, fused, 1);
    CHECK(same_bits(values(other, "decoder"), values(one, "decoder")));

    // A rate of its own: each part moves as it does under an optimiser with that rate alone.
    auto grouped = model_of();
    auto both = make(1e-2, {{.prefix = "encoder", .lr = 3e-4}, {.prefix = "encoder.2", .lr = 7e-3}});
    train(grouped, both, fused, 1);
    for (const hg::ParameterGroup& part :
         {hg::ParameterGroup{"encoder.0", 3e-4}, {"encoder.2", 7e-3}, {"decoder", 1e-2}}) {
      auto plain = model_of();
      auto single = make(part.lr, {});
      train(plain, single, fused, 1);
      CHECK_MESSAGE(same_bits(values(grouped, part.prefix), values(plain, part.prefix)), part.prefix);
    }
  }

  // Over several steps: two optimisers in turn, each for its part, are one with two groups; and both paths agree.
  const auto x = batch_of(40, 9);
  auto twice = model_of();
  auto slow = make(1e-3, {hg::frozen("decoder")});
  auto fast = make(1e-2, {hg::frozen("encoder")});
  hg::Workspace workspace{twice, 40};
  for (int i = 0; i < 4; ++i) {
    (void)hg::MSELoss{}(twice.forward(x, workspace), x, workspace);
    twice.backward(x, workspace);
    slow.step(twice, workspace);
    fast.step(twice, workspace);
  }
  for (const bool fused : {false, true}) {
    auto once = model_of();
    auto groups = make(1e-2, {{.prefix = "encoder", .lr = 1e-3}});
    train(once, groups, fused, 4);
    CHECK(same_bits(values(once), values(twice)));
  }
}

}  // namespace

TEST_CASE("frozen parts keep their bits and groups their rate: SGD") {
  check_optimizer([](double lr, hg::ParameterGroups groups) { return hg::SGD<>{{.lr = lr}, std::move(groups)}; });
  check_optimizer([](double lr, hg::ParameterGroups groups) {
    return hg::SGD<>{{.lr = lr, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true}, std::move(groups)};
  });
}

TEST_CASE("frozen parts keep their bits and groups their rate: Adam") {
  check_optimizer([](double lr, hg::ParameterGroups groups) {
    return hg::Adam<>{{.lr = lr, .weight_decay = 0.1}, std::move(groups)};
  });
}

TEST_CASE("frozen parts keep their bits and groups their rate: AdamW") {
  check_optimizer([](double lr, hg::ParameterGroups groups) {
    return hg::AdamW<>{{.lr = lr, .weight_decay = 0.1}, std::move(groups)};
  });
}

TEST_CASE("a schedule scales the rates of all groups, and frozen parts stay frozen") {
  const auto before = model_of();
  auto scheduled = model_of();
  hg::SGD optimizer{{.lr = 0.1}, {{.prefix = "encoder", .lr = 0.02}, hg::frozen("encoder.2")}};
  hg::StepLR schedule{optimizer, 1, 0.5};
  schedule.step();
  train(scheduled, optimizer, true, 1);
  auto halved = model_of();
  hg::SGD small{{.lr = 0.05}, {{.prefix = "encoder", .lr = 0.01}}};
  train(halved, small, true, 1);
  CHECK(same_bits(values(scheduled, "decoder"), values(halved, "decoder")));
  CHECK(same_bits(values(scheduled, "encoder.0"), values(halved, "encoder.0")));
  CHECK(same_bits(values(scheduled, "encoder.2"), values(before, "encoder.2")));
}

TEST_CASE("groups can be exchanged between steps: gradual unfreezing") {
  const auto before = model_of();
  auto model = model_of();
  hg::Adam optimizer{{.lr = 1e-2}, {hg::frozen("encoder")}};
  train(model, optimizer, true);
  CHECK(same_bits(values(model, "encoder"), values(before, "encoder")));
  optimizer.set_groups({{.prefix = "encoder", .lr = 1e-3}});
  CHECK(optimizer.groups().size() == 1);
  train(model, optimizer, true);
  CHECK(values(model, "encoder.0") != values(before, "encoder.0"));
  CHECK(optimizer.steps() == 6);
}

TEST_CASE("gradients of frozen parameters can be cleared, for clipping") {
  const auto model = model_of();
  hg::ParameterBuffer<float> gradients{model};
  std::fill(gradients.values().begin(), gradients.values().end(), 2.0f);
  hg::SGD optimizer{{.lr = 0.1}, {hg::frozen("encoder.2")}};
  optimizer.clear_frozen(model, gradients);
  hg::zip_parameters(
      model,
      [](const hg::ParameterName& name, const auto& p, const float* g) {
        const float expected = name.str().starts_with("encoder.2") ? 0.0f : 2.0f;
        CHECK(std::all_of(g, g + p.size(), [&](float value) { return value == expected; }));
      },
      gradients);
  hg::SGD<> plain;
  plain.clear_frozen(model, gradients);
  CHECK(gradients.values()[0] == 2.0f);
}

TEST_CASE("a layer name is matched by whole components") {
  using hg::detail::begins_with_components;
  CHECK(begins_with_components("encoder.1.weight", "encoder.1"));
  CHECK(begins_with_components("encoder.1.weight", "encoder.1.weight"));
  CHECK(begins_with_components("encoder.1.weight", ""));
  CHECK(!begins_with_components("encoder.10.weight", "encoder.1"));
  CHECK(!begins_with_components("encoder", "encoder.1"));
}

TEST_CASE("groups that mean nothing are refused") {
  auto model = model_of();
  hg::Adam unknown{{.lr = 1e-3}, {hg::frozen("encodr")}};
  CHECK_THROWS_WITH_AS(unknown.prepare(model),
                       doctest::Contains("Adam: no parameter of the model begins with \"encodr\", the prefix of a "
                                         "parameter group; there are encoder.0.weight, encoder.0.bias, encoder.2"),
                       hg::DataError);
  hg::SGD everything{{.lr = 1e-3}, {hg::frozen("encoder"), hg::frozen("decoder")}};
  const auto before = values(model);
  CHECK_THROWS_WITH_AS(train(model, everything, true), doctest::Contains("SGD: all parameters are frozen"),
                       hg::DataError);
  CHECK(values(model) == before);
  hg::AdamW all{{.lr = 1e-3}, {hg::frozen("")}};
  CHECK_THROWS_WITH_AS(all.prepare(model), doctest::Contains("AdamW: all parameters are frozen"), hg::DataError);

  CHECK_THROWS_WITH_AS((hg::Adam<>{{.lr = 1e-3}, {{.prefix = "0", .lr = -1}}}),
                       doctest::Contains("the lr of parameter group \"0\" must not be negative, it is -1"),
                       hg::DataError);
  CHECK_THROWS_AS((hg::SGD<>{{}, {{.prefix = "0", .lr = std::numeric_limits<double>::quiet_NaN()}}}), hg::DataError);
  CHECK_THROWS_WITH_AS((hg::SGD<>{{}, {hg::frozen("0"), {.prefix = "0", .lr = 1e-3}}}),
                       doctest::Contains("2 parameter groups have the prefix \"0\""), hg::DataError);
  CHECK_THROWS_WITH_AS((hg::Adam<>{{.lr = 0}, {{.prefix = "0", .lr = 1e-3}}}), doctest::Contains("frozen(\"\")"),
                       hg::DataError);
}
