// What fit() trains towards when that is not the input: clean batches, labels; and what it tells the loss.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/data/corrupt.hpp"
#include "hourglass/loss/cross_entropy.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/optim/sgd.hpp"
#include "hourglass/train/fit.hpp"

namespace hg = hourglass;

namespace {

hg::Matrix<float> pixels(hg::Index rows, hg::Index cols) {
  hg::Matrix<float> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())), 0.1f, 0.9f);
  return x;
}

// One type of model and of optimiser for all tests: each pair with a loss costs seconds to compile.
using Net = hg::Sequential<hg::Linear<>, hg::ReLU, hg::Linear<>>;

Net net(hg::Index in, hg::Index hidden, hg::Index out) {
  Net model{hg::Linear{in, hidden}, hg::ReLU{}, hg::Linear{hidden, out}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  return model;
}

std::vector<float> weights(const Net& model) {
  std::vector<float> all;
  hg::for_each_parameter(
      model, [&](const auto&, const auto& p) { all.insert(all.end(), p.values().begin(), p.values().end()); });
  return all;
}

/// MSE that writes down the targets it is called with and the steps it is told.
struct Watching {
  std::vector<hg::Matrix<float>>* targets;
  std::vector<std::int64_t>* steps = nullptr;
  hg::Reduction reduction = hg::Reduction::mean;

  void begin_step(std::int64_t step) {
    if (steps != nullptr) steps->push_back(step);
  }
  template <class... Workspace>
  float operator()(const hg::ConstMatrixView<float>& output, const hg::ConstMatrixView<float>& target,
                   Workspace&... workspace) const {
    targets->emplace_back(target);
    return hg::MSELoss{}(output, target, workspace...);
  }
};

/// Class c has 1 at place c and noise elsewhere.
struct Task {
  hg::Matrix<float> x;
  std::vector<std::uint8_t> labels;
};
Task task_of(hg::Index rows, hg::Index classes) {
  Task task{pixels(rows, classes), {}};
  for (hg::Index i = 0; i < rows; ++i) {
    task.labels.push_back(static_cast<std::uint8_t>(i * 7 % classes));
    task.x(i, i * 7 % classes) = 1.5f;
  }
  return task;
}

}  // namespace

TEST_CASE("denoising: the model sees the noise, the loss the clean batch") {
  const auto data = pixels(50, 6);
  auto model = net(6, 4, 6);
  hg::Rng rng{1};
  std::vector<hg::Matrix<float>> inputs;
  std::vector<hg::Matrix<float>> targets;
  hg::fit(model, data, Watching{&targets}, hg::SGD{{.lr = 0.1}},
          {.epochs = 2,
           .batch_size = 20,
           .validation = data,
           .transform = [](hg::MatrixView<float> batch, hg::Rng&) { batch.array() *= 0.5f; },
           .corruption =
               [&](hg::MatrixView<float> batch, hg::Rng& draws) {
                 hg::MaskingNoise{0.4}(batch, draws);
                 inputs.emplace_back(batch);
               },
           .log = nullptr},
          rng);
  // Two epochs of three batches of training and three of validation.
  REQUIRE(targets.size() == 12);
  REQUIRE(inputs.size() == 12);
  std::size_t masked = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK((targets[i].array() > 0).all());
    CHECK((inputs[i].array() == 0 || inputs[i].array() == targets[i].array()).all());
    masked += static_cast<std::size_t>((inputs[i].array() == 0).count());
  }
  CHECK(masked == doctest::Approx(0.4 * 4 * 50 * 6).epsilon(0.1));
  // Validation: the clean rows in order, under the same noise in both epochs. Training noise is drawn anew.
  CHECK(targets[3] == data.topRows(20) * 0.5f);
  for (const std::size_t batch : {3u, 4u, 5u}) CHECK(inputs[batch] == inputs[batch + 6]);
  CHECK(inputs[0] != inputs[6]);
}

TEST_CASE("one denoising step by hand, with a frozen layer") {
  auto model = net(1, 1, 1);
  model.layer<0>().weight()(0, 0) = 1;
  model.layer<0>().bias()(0, 0) = 0;
  model.layer<2>().weight()(0, 0) = 1;
  model.layer<2>().bias()(0, 0) = 0;
  const hg::Matrix<float> data{{2}};
  hg::Rng rng{1};
  // The input is 3, the target 2: output 3 w = 3, loss 1, gradient 2 for the output, so 6 for w and 2 for b.
  const auto history = hg::fit(
      model, data, hg::MSELoss{}, hg::SGD{{.lr = 0.1}, {hg::frozen("0")}},
      {.epochs = 1, .corruption = [](hg::MatrixView<float> batch, hg::Rng&) { batch.array() += 1; }, .log = nullptr},
      rng);
  CHECK(history[0].train.loss == doctest::Approx(1));
  CHECK(model.layer<2>().weight()(0, 0) == doctest::Approx(0.4));
  CHECK(model.layer<2>().bias()(0, 0) == doctest::Approx(-0.2));
  CHECK(model.layer<0>().weight()(0, 0) == 1);
  CHECK(model.layer<0>().bias()(0, 0) == 0);
}

TEST_CASE("denoising and classification give the same bits at any number of threads") {
  const auto data = pixels(700, 200);
  std::vector<int> labels(700);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i % 20);
  const auto train = [&](int threads) {
    const int before = hg::num_threads();
    hg::set_num_threads(threads);
    hg::Rng rng{3};
    auto model = net(200, 180, 200);
    hg::fit(model, data, hg::MSELoss{}, hg::SGD{{.lr = 0.5}},
            {.epochs = 1, .batch_size = 500, .corruption = hg::GaussianNoise{0.3}, .log = nullptr}, rng);
    hg::fit(model, data, labels, hg::CrossEntropyLoss{}, hg::SGD{{.lr = 0.5}, {hg::frozen("0.bias")}},
            {.epochs = 1, .batch_size = 500, .log = nullptr}, rng);
    hg::set_num_threads(before);
    return weights(model);
  };
  const auto expected = train(1);
  CHECK(train(2) == expected);
  CHECK(train(3) == expected);
}

TEST_CASE("a loss is told how many steps were taken, in a copy") {
  const auto data = pixels(50, 6);
  auto model = net(6, 4, 6);
  hg::Rng rng{1};
  std::vector<hg::Matrix<float>> targets;
  std::vector<std::int64_t> steps;
  const Watching loss{&targets, &steps};
  hg::fit(model, data, loss, hg::SGD{{.lr = 0.1}}, {.epochs = 2, .batch_size = 20, .validation = data, .log = nullptr},
          rng);
  CHECK(steps == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
  hg::fit(model, data, loss, hg::SGD{{.lr = 0.1}}, {.epochs = 1, .batch_size = 50, .log = nullptr}, rng);
  CHECK(steps.size() == 7);
  CHECK(steps.back() == 0);
}

TEST_CASE("a classifier learns, and its report counts every sample once, in a smaller last batch too") {
  const Task task = task_of(107, 5);
  auto model = net(5, 8, 5);
  hg::Rng rng{1};
  const auto history =
      hg::fit(model, task.x, task.labels, hg::CrossEntropyLoss{}, hg::SGD{{.lr = 0.1, .momentum = 0.9}},
              {.epochs = 30, .batch_size = 25, .validation = {task.x, task.labels}, .log = nullptr}, rng);
  REQUIRE(history.back().train.accuracy.has_value());
  REQUIRE(history.back().test->accuracy.has_value());
  CHECK(*history.front().train.accuracy < 0.7);
  CHECK(*history.back().test->accuracy == 1);

  // Of 7 samples in batches of 3, 3 and 1 these 5 are right; the labels need not be bytes.
  std::vector<int> labels(task.labels.begin(), task.labels.begin() + 7);
  labels[1] = (labels[1] + 1) % 5;
  labels[6] = (labels[6] + 1) % 5;
  const hg::Dataset seven{task.x.topRows(7), labels};
  CHECK(*hg::evaluate(model, seven, hg::CrossEntropyLoss{}, rng, 3).accuracy == 5.0 / 7);
  CHECK(hg::evaluate(model, seven, hg::CrossEntropyLoss{}, rng, 3).loss ==
        doctest::Approx(hg::evaluate(model, seven, hg::CrossEntropyLoss{}, rng, 7).loss));
  // With rate 0 the training accuracy is that of the model, in any order of the samples.
  const auto still = hg::fit(model, seven, hg::CrossEntropyLoss{}, hg::SGD{{.lr = 0}},
                             {.epochs = 1, .batch_size = 3, .log = nullptr}, rng);
  CHECK(*still[0].train.accuracy == 5.0 / 7);
  // No accuracy without labels.
  CHECK(!hg::evaluate(model, task.x, hg::MSELoss{}, rng).accuracy.has_value());
}

TEST_CASE("labels reach the samples that they belong to, shuffled ones too") {
  // The loss is that of the initial model on every sample: with rate 0 the mean is the same in any order, and another
  // pairing of labels and samples would give another one.
  const Task task = task_of(60, 5);
  auto model = net(5, 4, 5);
  hg::Rng rng{2};
  const hg::Dataset data{task.x, task.labels};
  const auto history = hg::fit(model, data, hg::CrossEntropyLoss{}, hg::SGD{{.lr = 0}},
                               {.epochs = 2, .batch_size = 7, .validation = data, .log = nullptr}, rng);
  const double loss = hg::evaluate(model, data, hg::CrossEntropyLoss{}, rng).loss;
  CHECK(history[0].train.loss == doctest::Approx(loss));
  CHECK(history[1].test->loss == doctest::Approx(loss));
  auto rotated = task.labels;
  std::rotate(rotated.begin(), rotated.begin() + 1, rotated.end());
  CHECK(hg::evaluate(model, {task.x, rotated}, hg::CrossEntropyLoss{}, rng).loss != doctest::Approx(loss));
}

TEST_CASE("accuracy stands in the line of an epoch and in the metrics") {
  const std::string path = HOURGLASS_TEST_OUTPUT_DIR "/accuracy.csv";
  const Task task = task_of(8, 4);
  auto model = net(4, 4, 4);
  model.layer<0>().weight().setIdentity();
  model.layer<0>().bias().setZero();
  model.layer<2>().weight().setIdentity();
  model.layer<2>().bias().setZero();
  hg::Rng rng{1};
  std::ostringstream log;
  const hg::Dataset data{task.x, task.labels};
  hg::fit(model, data, hg::CrossEntropyLoss{}, hg::SGD{{.lr = 0}},
          {.epochs = 1, .validation = data, .metrics_csv = path, .log = &log}, rng);
  CHECK(log.str().find(" (100.00 %)  test ") != std::string::npos);
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  CHECK(line == "epoch,train_loss,test_loss,seconds,train_accuracy,test_accuracy");
  std::getline(file, line);
  CHECK(line.ends_with(",1,1"));
  hg::fit(model, data, hg::CrossEntropyLoss{}, hg::SGD{{.lr = 0}}, {.epochs = 1, .metrics_csv = path, .log = nullptr},
          rng);
  std::ifstream again(path);
  std::getline(again, line);
  std::getline(again, line);
  CHECK(line.ends_with(",1,"));
}

TEST_CASE("labels that do not fit are refused before the first step") {
  const Task task = task_of(20, 5);
  auto model = net(5, 3, 4);
  hg::Rng rng{1};
  const auto before = weights(model);
  const hg::FitOptions<> quiet{.log = nullptr};
  const auto fit = [&](const hg::Dataset& data, const hg::FitOptions<>& options) {
    hg::fit(model, data, hg::CrossEntropyLoss{}, hg::SGD{{}}, options, rng);
  };
  CHECK_THROWS_WITH_AS(fit({task.x, task.labels}, quiet), doctest::Contains("the model's 4 outputs"), hg::DataError);
  CHECK_THROWS_WITH_AS(fit(task.x, quiet), doctest::Contains("fit: CrossEntropyLoss needs labels"), hg::DataError);
  const std::vector<int> zeros(20);
  CHECK_THROWS_WITH_AS(fit({task.x, zeros}, {.validation = task.x, .log = nullptr}),
                       doctest::Contains("fit (validation): CrossEntropyLoss needs labels"), hg::DataError);
  CHECK_THROWS_WITH_AS(fit({task.x, zeros}, {.validation = {task.x, task.labels}, .log = nullptr}),
                       doctest::Contains("fit (validation): label"), hg::DataError);
  CHECK_THROWS_AS((void)hg::evaluate(model, task.x, hg::CrossEntropyLoss{}, rng), hg::DataError);
  CHECK_THROWS_AS(hg::fit(model, task.x, std::span(zeros).first(3), hg::CrossEntropyLoss{}, hg::SGD{{}}, quiet, rng),
                  hg::ShapeError);
  CHECK_THROWS_WITH_AS(
      hg::fit(model, task.x, zeros, hg::CrossEntropyLoss{}, hg::SGD{{}, {hg::frozen("encoder")}}, quiet, rng),
      doctest::Contains("no parameter of the model begins with \"encoder\""), hg::DataError);
  CHECK(weights(model) == before);
}

TEST_CASE("clipping in fit measures what is trained alone") {
  const auto data = pixels(30, 6);
  const auto step = [&](double clip, hg::ParameterGroups groups) {
    auto model = net(6, 4, 6);
    hg::Rng rng{1};
    hg::fit(model, data, hg::MSELoss{hg::Reduction::sum}, hg::SGD{{.lr = 1}, std::move(groups)},
            {.epochs = 1, .batch_size = 30, .clip_grad_norm = clip, .log = nullptr}, rng);
    double squares = 0;
    const auto before = weights(net(6, 4, 6));
    const auto after = weights(model);
    for (std::size_t i = 0; i < after.size(); ++i)
      squares += (double{after[i]} - before[i]) * (double{after[i]} - before[i]);
    return std::sqrt(squares);
  };
  CHECK(step(0.01, {}) == doctest::Approx(0.01).epsilon(1e-3));
  CHECK(step(0.01, {hg::frozen("2")}) == doctest::Approx(0.01).epsilon(1e-3));
}
