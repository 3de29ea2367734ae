#include "hourglass/loss/cross_entropy.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "loss/checks.hpp"

namespace hg = hourglass;
using namespace loss_checks;

TEST_CASE_TEMPLATE("CrossEntropyLoss agrees with PyTorch", Scalar, float, double) {
  const Golden golden{"losses"};
  const std::string suffix = golden_suffix<Scalar>;
  const auto logits = golden.matrix<Scalar>("classes_" + suffix + ".logits");
  const auto labels = golden.values<std::int64_t>("classes_" + suffix + ".labels");
  for (const double smoothing : {0.0, 0.1})
    for (const auto& [name, reduction] : {std::pair{"mean", hg::Reduction::mean}, {"sum", hg::Reduction::sum}}) {
      const std::string key = std::string(smoothing > 0 ? "classes_smooth_" : "classes_") + name + "_" + suffix;
      CAPTURE(key);
      const hg::CrossEntropyLoss loss{.reduction = reduction, .label_smoothing = smoothing};
      hg::Matrix<Scalar> gradient(5, 7);
      CHECK(difference(loss(logits, labels, gradient), golden.scalar<Scalar>(key + ".value")) == "");
      CHECK(difference(gradient, golden.matrix<Scalar>(key + ".gradient")) == "");
      CHECK(loss(logits, labels) == loss(logits, labels, gradient));
    }
}

TEST_CASE("CrossEntropyLoss agrees with central differences") {
  hg::Rng rng{9};
  for (const auto& [rows, cols] : {std::pair<hg::Index, hg::Index>{5, 7}, {1, 1}, {1, 3}, {3, 67}})
    for (const double smoothing : {0.0, 0.2}) {
      const hg::Index r = rows;
      const hg::Index c = cols;
      auto logits = uniform(r, c, rng, -3.0, 3.0);
      std::vector<unsigned char> labels;
      for (hg::Index i = 0; i < r; ++i) labels.push_back(static_cast<unsigned char>(rng.below(c)));
      const hg::CrossEntropyLoss loss{.label_smoothing = smoothing};
      hg::Matrix<double> gradient(r, c);
      loss(logits, labels, gradient);
      const auto value = [&](std::span<const double> x) {
        return loss(hg::ConstMatrixView<double>(x.data(), r, c), labels);
      };
      CHECK(gradcheck(value, {flat(logits).begin(), flat(logits).end()}, flat(gradient)) == "");
    }
}

TEST_CASE("huge logits stay finite") {
  const hg::Matrix<float> logits{{1e4f, -1e4f}, {-3e38f, 3e37f}};
  const std::array labels{1, 1};
  hg::Matrix<float> gradient(2, 2);
  CHECK(hg::CrossEntropyLoss{hg::Reduction::sum}(logits, labels, gradient) == 2e4f);
  CHECK(gradient == hg::Matrix<float>{{1, -1}, {0, 0}});
}

TEST_CASE("a workspace takes the gradient, and batchmean is mean") {
  hg::Rng rng{10};
  const auto logits = uniform(16, 7, rng, -3.0f, 3.0f);
  const std::vector<std::uint8_t> labels(16, 6);
  Workspace<float> workspace;
  hg::Matrix<float> gradient(16, 7);
  CHECK(hg::CrossEntropyLoss{}(logits, labels, workspace) ==
        hg::CrossEntropyLoss{hg::Reduction::batchmean}(logits, labels, gradient));
  CHECK(workspace.gradient == gradient);
}

TEST_CASE("the same bits at any number of threads") {
  hg::Rng rng{11};
  const auto logits = uniform(20001, 10, rng, -3.0f, 3.0f);
  std::vector<int> labels;
  for (int i = 0; i < 20001; ++i) labels.push_back(i % 10);
  hg::Matrix<float> one(20001, 10);
  hg::Matrix<float> three(20001, 10);
  const float value = [&] {
    const Threads threads{1};
    return hg::CrossEntropyLoss{}(logits, labels, one);
  }();
  const Threads threads{3};
  CHECK(hg::CrossEntropyLoss{}(logits, labels, three) == value);
  CHECK(one == three);
}

TEST_CASE("labels outside the classes, and too few of them, are refused") {
  const hg::Matrix<float> logits(3, 4);
  const auto text = [&](auto labels) {
    return message_of<hg::DataError>([&] { hg::CrossEntropyLoss{}(logits, labels); });
  };
  CHECK(mentions(text(std::vector<int>{0, 3, 4}), {"CrossEntropyLoss", "row 2", "is 4", "0 to 3"}));
  CHECK(mentions(text(std::vector<int>{0, -1, 0}), {"row 1", "is -1"}));
  CHECK(mentions(text(std::vector<std::uint64_t>{~std::uint64_t{0}, 0, 0}), {"row 0"}));
  CHECK(mentions(message_of<hg::ShapeError>([&] {
                   hg::CrossEntropyLoss{}(logits, std::vector<int>{0, 1});
                 }),
                 {"3 rows", "2 labels"}));
  CHECK_THROWS_AS(hg::CrossEntropyLoss{}(hg::Matrix<float>(0, 4), std::vector<int>{}), hg::DataError);
  CHECK_THROWS_AS((hg::CrossEntropyLoss{.label_smoothing = 1.5}(logits, std::vector<int>{0, 1, 2})), hg::DataError);
}
