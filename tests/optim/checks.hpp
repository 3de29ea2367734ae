// A model with two layers of parameters, and what the tests of every optimiser have in common.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "golden.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"

namespace optim_checks {

namespace hg = hourglass;

/// A weight held as Linear holds it, column-major, and a bias.
template <class Scalar_>
struct Model {
  using Scalar = Scalar_;
  explicit Model(hg::Index out = 5, hg::Index in = 7)
      : weight(hg::Shape{out, in}, hg::StorageOrder::column_major), bias(hg::Shape{out}) {}
  static constexpr auto fields() {
    return std::tuple{hg::Field{"weight", &Model::weight}, hg::Field{"bias", &Model::bias}};
  }
  hg::Parameter<Scalar> weight;
  hg::Parameter<Scalar> bias;
};

template <class Scalar>
struct Workspace {
  hg::ParameterBuffer<Scalar> buffer;
  [[nodiscard]] hg::ParameterBuffer<Scalar>& gradients() { return buffer; }
  [[nodiscard]] const hg::ParameterBuffer<Scalar>& gradients() const { return buffer; }
};

template <class Scalar>
void fill(std::span<Scalar> values, std::uint64_t seed, double deviation = 1) {
  hg::Rng rng{seed};
  rng.fill_normal(values, Scalar(0), static_cast<Scalar>(deviation));
}
template <class Scalar>
void randomize(Model<Scalar>& model, std::uint64_t seed) {
  fill(model.weight.values(), seed);
  fill(model.bias.values(), seed + 1);
}
/// Random gradients; the padding between slots stays zero, as the library keeps it.
template <class Scalar>
void randomize(hg::ParameterBuffer<Scalar>& buffer, Model<Scalar>& model, std::uint64_t seed, double deviation = 1) {
  hg::zip_parameters(
      model,
      [&](const hg::ParameterName&, auto& p, Scalar* g) {
        fill(std::span<Scalar>(g, static_cast<std::size_t>(p.size())), seed++, deviation);
      },
      buffer);
}

/// Copies row-major values, from element `first` on, to the storage of `parameter` (or of its slot).
template <class Scalar>
void store(const std::vector<Scalar>& values, std::size_t first, const hg::Parameter<Scalar>& parameter, Scalar* to) {
  for (hg::Index i = 0; i < parameter.size(); ++i)
    to[parameter.offset_of_row_major(i)] = values.at(first + static_cast<std::size_t>(i));
}
template <class Scalar>
std::vector<Scalar> row_major(const hg::Parameter<Scalar>& parameter) {
  std::vector<Scalar> values;
  for (hg::Index i = 0; i < parameter.size(); ++i) values.push_back(parameter.data()[parameter.offset_of_row_major(i)]);
  return values;
}
template <class Scalar>
std::string difference_to(const hg::Parameter<Scalar>& parameter, const std::vector<Scalar>& expected) {
  const std::vector<Scalar> actual = row_major(parameter);
  return difference(std::span<const Scalar>(actual), std::span<const Scalar>(expected));
}

/// The model and the gradients that the golden optimiser cases start from.
template <class Scalar>
struct GoldenRun {
  Golden golden{"optimizers"};
  std::string suffix = golden_suffix<Scalar>;
  Model<Scalar> model;
  hg::ParameterBuffer<Scalar> gradients{model};
  std::vector<Scalar> weight_gradients = golden.values<Scalar>("gradients_" + suffix + ".weight");
  std::vector<Scalar> bias_gradients = golden.values<Scalar>("gradients_" + suffix + ".bias");

  GoldenRun() {
    store(golden.values<Scalar>("start_" + suffix + ".weight"), 0, model.weight, model.weight.data());
    store(golden.values<Scalar>("start_" + suffix + ".bias"), 0, model.bias, model.bias.data());
  }
  void set_gradients(std::size_t step) {
    store(weight_gradients, step * 35, model.weight, gradients.data());
    store(bias_gradients, step * 5, model.bias, gradients.data() + hg::slot_size<Scalar>(35));
  }
};

/// Twelve steps, the last four with clipped gradients, against the golden case; `clip(gradients, max_norm)` returns
/// the norm.
template <class Optimizer, class Clip>
void match_golden(Optimizer optimizer, const std::string& name, const Clip& clip) {
  using Scalar = typename Optimizer::Scalar;
  GoldenRun<Scalar> run;
  const std::vector<Scalar> norms = run.golden.template values<Scalar>("norms_" + run.suffix);
  for (std::size_t step = 0; step < 12; ++step) {
    run.set_gradients(step);
    if (step >= 8)
      CHECK(difference(static_cast<Scalar>(clip(run.gradients, step == 8 ? 20.0 : 1.5)), norms.at(step - 8)) == "");
    optimizer.step(run.model, run.gradients);
    const std::string suffix = "." + std::to_string(step + 1);
    const std::string key = name + "_" + run.suffix;
    CAPTURE(key);
    CAPTURE(step);
    if (!run.golden.contains(key + ".weight" + suffix)) continue;
    CHECK(difference_to(run.model.weight, run.golden.template values<Scalar>(key + ".weight" + suffix)) == "");
    CHECK(difference_to(run.model.bias, run.golden.template values<Scalar>(key + ".bias" + suffix)) == "");
  }
  CHECK(optimizer.steps() == 12);
}

/// Three steps on a long parameter: the same bits with one thread and with several.
template <class Optimizer>
void ignores_threads(const Optimizer& fresh) {
  using Scalar = typename Optimizer::Scalar;
  const int before = hg::num_threads();
  std::vector<std::vector<Scalar>> results;
  for (const int threads : {1, 2, 5}) {
    hg::set_num_threads(threads);
    Model<Scalar> model(311, 207);
    randomize(model, 1);
    Optimizer optimizer = fresh;
    Workspace<Scalar> workspace{hg::ParameterBuffer<Scalar>(model)};
    for (std::uint64_t step = 0; step < 3; ++step) {
      randomize(workspace.buffer, model, 10 + step);
      optimizer.step(model, workspace);
    }
    results.push_back(row_major(model.weight));
  }
  hg::set_num_threads(before);
  CHECK(results[1] == results[0]);
  CHECK(results[2] == results[0]);
}

/// Gradients, or a model, that the moments were not made for.
template <class Optimizer>
void refuses_other_models(Optimizer optimizer) {
  using Scalar = typename Optimizer::Scalar;
  Model<Scalar> model;
  Model<Scalar> other(50, 7);
  const hg::ParameterBuffer<Scalar> gradients(model);
  const hg::ParameterBuffer<Scalar> other_gradients(other);
  optimizer.step(model, gradients);
  CHECK_THROWS_AS(optimizer.step(model, other_gradients), hg::ShapeError);
  CHECK_THROWS_AS(optimizer.step(other, gradients), hg::ShapeError);
  CHECK(optimizer.steps() == 1);
}

/// Moments shrink towards zero when gradients of the given size stop, and never rest at a denormal number.
template <class Optimizer>
void flushes_denormals(Optimizer optimizer, double deviation) {
  using Scalar = typename Optimizer::Scalar;
  Model<Scalar> model;
  randomize(model, 1);
  hg::ParameterBuffer<Scalar> gradients(model);
  randomize(gradients, model, 2, deviation);
  bool flushed = false;
  for (int step = 0; step < 200; ++step) {
    optimizer.step(model, gradients);
    gradients.set_zero();
    for (const auto& moment : optimizer.moments())
      for (const Scalar value : moment.values()) {
        REQUIRE(std::fpclassify(value) != FP_SUBNORMAL);
        flushed = flushed || value == 0;
      }
  }
  CHECK(flushed);
}

/// The text of the DataError, "" when there was none.
template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const hg::DataError& error) {
    return error.what();
  }
  return "";
}

}  // namespace optim_checks
