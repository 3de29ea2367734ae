// What the tests of every elementwise loss have in common.
#pragma once

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "golden.hpp"
#include "gradcheck.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/elementwise.hpp"

namespace loss_checks {

namespace hg = hourglass;

/// Sets the number of threads and puts the old one back.
class Threads {
 public:
  explicit Threads(int count) : before_{hg::num_threads()} { hg::set_num_threads(count); }
  ~Threads() { hg::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

inline std::span<double> flat(hg::Matrix<double>& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

template <class Scalar>
hg::Matrix<Scalar> uniform(hg::Index rows, hg::Index cols, hg::Rng& rng, Scalar low, Scalar high) {
  hg::Matrix<Scalar> matrix(rows, cols);
  rng.fill_uniform(std::span<Scalar>(matrix.data(), static_cast<std::size_t>(matrix.size())), low, high);
  return matrix;
}

template <class Scalar>
struct Workspace {
  hg::Matrix<Scalar> gradient{16, 7};
  hg::MatrixView<Scalar> output_gradient(hg::Index rows) { return {gradient.data(), rows, gradient.cols()}; }
};

/// Value and gradient of `loss` under each reduction against the golden case, on the golden input `data`.
template <class Scalar, class Loss>
void match_golden(Loss loss, const std::string& name, const std::string& data) {
  const Golden golden{"losses"};
  const std::string suffix = golden_suffix<Scalar>;
  const auto output = golden.matrix<Scalar>(data + "_" + suffix + ".output");
  const auto target = golden.matrix<Scalar>(data + "_" + suffix + ".target");
  const std::pair<const char*, hg::Reduction> reductions[] = {
      {"mean", hg::Reduction::mean}, {"sum", hg::Reduction::sum}, {"batchmean", hg::Reduction::batchmean}};
  for (const auto& [reduction_name, reduction] : reductions) {
    const std::string key = name + "_" + reduction_name + "_" + suffix;
    CAPTURE(key);
    loss.reduction = reduction;
    const auto value = golden.scalar<Scalar>(key + ".value");
    hg::Matrix<Scalar> gradient(output.rows(), output.cols());
    gradient.setConstant(99);
    CHECK(difference(loss(output, target), value) == "");
    CHECK(loss(output, target, gradient) == loss(output, target));
    CHECK(difference(gradient, golden.matrix<Scalar>(key + ".gradient")) == "");
    if (output.cols() == 7) {
      Workspace<Scalar> workspace;
      CHECK(loss(output, target, workspace) == loss(output, target));
      CHECK(workspace.gradient.topRows(output.rows()) == gradient);
      CHECK(workspace.gradient.bottomRows(16 - output.rows()).isZero(0));
    }
  }
}

/// Central differences at random outputs within [low, high], at ordinary and at edge shapes.
template <class Loss>
void match_central_differences(const Loss& loss, double low, double high) {
  hg::Rng rng{7};
  for (const auto& shape : {std::pair<hg::Index, hg::Index>{5, 7}, {1, 1}, {1, 9}, {9, 1}, {3, 43}}) {
    const hg::Index rows = shape.first;
    const hg::Index cols = shape.second;
    INFO("shape " << hg::shape_string(rows, cols));
    hg::Matrix<double> output = uniform(rows, cols, rng, low, high);
    const hg::Matrix<double> target = uniform(rows, cols, rng, 0.0, 1.0);
    hg::Matrix<double> gradient(rows, cols);
    loss(output, target, gradient);
    const auto value = [&](std::span<const double> x) {
      return loss(hg::ConstMatrixView<double>(x.data(), rows, cols), target);
    };
    CHECK(gradcheck(value, {flat(output).begin(), flat(output).end()}, flat(gradient)) == "");
  }
}

/// The same bits with one thread and with several, on a block long enough to be split.
template <class Scalar, class Loss>
void ignores_threads(const Loss& loss) {
  hg::Rng rng{8};
  const auto output = uniform<Scalar>(301, 211, rng, Scalar(0.01), Scalar(0.99));
  const auto target = uniform<Scalar>(301, 211, rng, Scalar(0), Scalar(1));
  hg::Matrix<Scalar> one(301, 211);
  const Scalar value = [&] {
    const Threads threads{1};
    return loss(output, target, one);
  }();
  for (const int count : {2, 3, 8}) {
    const Threads threads{count};
    hg::Matrix<Scalar> several(301, 211);
    CHECK(loss(output, target, several) == value);
    CHECK(loss(output, target) == value);
    CHECK(several == one);
  }
}

/// The text of the exception, "" when there was none.
template <class Exception, class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "";
}

inline bool mentions(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts)
    if (text.find(part) == std::string::npos) return false;
  return true;
}

}  // namespace loss_checks
