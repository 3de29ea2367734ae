#include "hourglass/optim/schedule.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "golden.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/sgd.hpp"

namespace hg = hourglass;

namespace {

// Learning rates of the golden case's epochs; `make(optimizer)` makes the schedule.
template <class Make>
void match_golden(const std::string& name, const Make& make) {
  const Golden golden{"schedules"};
  const auto metrics = golden.values<double>("metrics");
  hg::SGD<double> optimizer{{.lr = 0.1}};
  auto schedule = make(optimizer);
  std::vector<double> rates;
  for (const double metric : metrics) {
    rates.push_back(optimizer.lr());
    if constexpr (requires { schedule.step(metric); })
      schedule.step(metric);
    else
      schedule.step();
  }
  CAPTURE(name);
  const auto expected = golden.values<double>(name);
  CHECK(expected.front() != expected.back());
  CHECK(difference(std::span<const double>(rates), std::span<const double>(expected), {1e-12, 1e-17}) == "");
}

}  // namespace

TEST_CASE("schedules agree with PyTorch") {
  match_golden("step", [](auto& o) { return hg::StepLR{o, 7}; });
  match_golden("step_half", [](auto& o) { return hg::StepLR{o, 1, 0.5}; });
  match_golden("cosine", [](auto& o) { return hg::CosineAnnealingLR{o, 10}; });
  match_golden("cosine_min", [](auto& o) { return hg::CosineAnnealingLR{o, 9, 1e-3}; });
  match_golden("cosine_one", [](auto& o) { return hg::CosineAnnealingLR{o, 1, 1e-3}; });
  using hg::ReduceLROnPlateau;
  match_golden("plateau", [](auto& o) { return ReduceLROnPlateau{o, {.patience = 2}}; });
  match_golden("plateau_cooldown", [](auto& o) {
    return ReduceLROnPlateau{o, {.factor = 0.5, .patience = 1, .cooldown = 3, .min_lr = 2e-3}};
  });
  match_golden("plateau_abs", [](auto& o) {
    return ReduceLROnPlateau{
        o, {.factor = 0.3, .patience = 3, .threshold = 0.02, .threshold_mode = hg::ThresholdMode::abs}};
  });
  match_golden("plateau_max", [](auto& o) {
    return ReduceLROnPlateau{o, {.mode = hg::PlateauMode::max, .factor = 0.2, .patience = 4, .threshold = 0.01}};
  });
  match_golden("plateau_max_abs", [](auto& o) {
    return ReduceLROnPlateau{o,
                             {.mode = hg::PlateauMode::max,
                              .factor = 0.2,
                              .patience = 1,
                              .threshold = 0.01,
                              .threshold_mode = hg::ThresholdMode::abs,
                              .eps = 1e-4}};
  });
}

TEST_CASE("the cosine ends at eta_min and never goes below 0") {
  hg::Adam optimizer{{.lr = 1e-3}};
  hg::CosineAnnealingLR schedule{optimizer, 50};
  for (int epoch = 0; epoch < 50; ++epoch) schedule.step();
  CHECK(optimizer.lr() == doctest::Approx(0).epsilon(1e-15));
  for (int epoch = 0; epoch < 500; ++epoch) CHECK_NOTHROW(schedule.step());
  CHECK(schedule.epoch() == 550);
}

TEST_CASE("ReduceLROnPlateau remembers the best metric; NaN is none") {
  hg::Adam optimizer{{.lr = 1}};
  hg::ReduceLROnPlateau schedule{optimizer, {.patience = 0}};
  schedule.step(3);
  schedule.step(2);
  CHECK(schedule.best() == 2);
  CHECK(optimizer.lr() == 1);
  schedule.step(std::numeric_limits<double>::quiet_NaN());
  CHECK(schedule.best() == 2);
  CHECK(optimizer.lr() == 0.1);
}

TEST_CASE("impossible options are refused") {
  hg::SGD optimizer{{.lr = 1}};
  CHECK_THROWS_AS((hg::StepLR{optimizer, 0}), hg::DataError);
  CHECK_THROWS_AS((hg::StepLR{optimizer, 1, -0.5}), hg::DataError);
  CHECK_THROWS_AS((hg::CosineAnnealingLR{optimizer, 0}), hg::DataError);
  CHECK_THROWS_AS((hg::CosineAnnealingLR{optimizer, 5, -1}), hg::DataError);
  CHECK_THROWS_AS((hg::ReduceLROnPlateau{optimizer, {.factor = 1.0}}), hg::DataError);
  CHECK_THROWS_AS((hg::ReduceLROnPlateau{optimizer, {.min_lr = -1}}), hg::DataError);
}
