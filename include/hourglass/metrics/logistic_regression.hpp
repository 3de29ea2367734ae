// Multinomial logistic regression, for linear probes: how much of a label a linear classifier can read off a code.
//     minimise  1/n sum_i -log softmax(W x_i + b)_label(i) + l2/2 |W|^2
//
// The problem is convex: L-BFGS finds its one minimum, whatever the start, so that a probe measures the code and not
// the training of the probe. scikit-learn's LogisticRegression(C = 1 / (n l2)) finds the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/gemm/gemm.hpp"
#include "hourglass/loss/cross_entropy.hpp"
#include "hourglass/metrics/sample_errors.hpp"
#include "hourglass/optim/lbfgs.hpp"

namespace hourglass {

/// How LogisticRegression is trained.
struct LogisticRegressionOptions {
  double l2 = 1e-4;
  Index max_iter = 200;
  double tolerance = 1e-4;  ///< done when no element of the gradient is larger than this
  /// Features are brought to mean 0 and deviation 1 first, so that l2 means the same for every code and the training
  /// takes few steps; W and b are those for features as they come.
  bool standardize = true;
};

/// A linear classifier of samples (n, features), trained where it is made.
class LogisticRegression {
 public:
  /// From samples `data` (n, features) and one class number per sample; there are as many classes as the largest label
  /// says. Throws ShapeError unless there is one label per sample, DataError when there are no samples, a label is
  /// negative, values are not finite or l2 < 0.
  template <SampleSource Data, ClassLabels Labels>
  LogisticRegression(const Data& data, const Labels& labels, const LogisticRegressionOptions& options = {}) {
    const std::span given{labels};
    train(data, std::vector<Index>(given.begin(), given.end()), options);
  }

  /// W (classes, features).
  [[nodiscard]] const Matrix<double>& weight() const noexcept { return weight_; }
  /// b (1, classes).
  [[nodiscard]] const Matrix<double>& bias() const noexcept { return bias_; }
  /// How the training ended; raise max_iter when it did not converge.
  [[nodiscard]] const LbfgsReport& report() const noexcept { return report_; }

  /// The most probable class of each sample. Throws ShapeError for another number of features.
  template <SampleSource Data>
  [[nodiscard]] std::vector<Index> predict(const Data& data) const {
    const Samples samples(data);
    if (samples.cols() != weight_.cols())
      throw ShapeError(detail::message("LogisticRegression: the data has ", samples.cols(), " features, the weights ",
                                       weight_.cols(), "; probe codes of the width that was trained on"));
    std::vector<Index> classes;
    Blocks blocks(samples, weight_.rows());
    for (Index first = 0; first < samples.rows(); first += block_rows) {
      const MatrixView<double> x = blocks.load(samples, first);
      const MatrixView<double> logits = blocks.multiply(x, weight_.data(), bias_.data());
      for (Index i = 0; i < logits.rows(); ++i) {
        Index best = 0;
        (void)logits.row(i).maxCoeff(&best);
        classes.push_back(best);
      }
    }
    return classes;
  }

  /// Share of the samples whose class is predicted. Throws as predict does, ShapeError unless there is one label per
  /// sample, DataError when there are no samples.
  template <SampleSource Data, ClassLabels Labels>
  [[nodiscard]] double accuracy(const Data& data, const Labels& labels) const {
    const std::vector<Index> predicted = predict(data);
    const std::span expected{labels};
    check_labels(predicted.size(), expected.size());
    double right = 0;
    for (std::size_t i = 0; i < predicted.size(); ++i) right += std::cmp_equal(predicted[i], expected[i]) ? 1 : 0;
    return right / static_cast<double>(predicted.size());
  }

 private:
  static constexpr Index block_rows = 1024;

  /// Samples and their logits, a block of rows at a time.
  struct Blocks {
    Matrix<double> x;
    Matrix<double> logits;

    Blocks(const Samples& samples, Index classes)
        : x(std::min(block_rows, samples.rows()), samples.cols()), logits(x.rows(), classes) {}

    [[nodiscard]] MatrixView<double> load(const Samples& samples, Index first) {
      MatrixView<double> block(x.data(), std::min(block_rows, samples.rows() - first), x.cols());
      samples.copy_rows(first, block);
      return block;
    }
    /// rows W^T + b.
    [[nodiscard]] MatrixView<double> multiply(const MatrixView<double>& rows, const double* weight,
                                              const double* bias) {
      MatrixView<double> out(logits.data(), rows.rows(), logits.cols());
      gemm(out.rows(), out.cols(), rows.cols(), row_major<double>(rows.data(), rows.cols()),
           transpose(row_major<double>(weight, rows.cols())), Output<double>{out.data(), out.cols()},
           epilogue::Bias<double>{bias});
      return out;
    }
  };

  static void check_labels(std::size_t samples, std::size_t labels) {
    if (samples != labels)
      throw ShapeError(
          detail::message("LogisticRegression: ", samples, " samples, ", labels, " labels; give one label per sample"));
    if (samples == 0) throw DataError("LogisticRegression: there are no samples");
  }

  /// Mean (1, features) and 1 / deviation (1, features), which is 0 for constant features.
  template <class Data>
  [[nodiscard]] static std::pair<Matrix<double>, Matrix<double>> moments(const Data& samples) {
    Blocks blocks(samples, 1);
    Matrix<double> mean(1, samples.cols());
    Matrix<double> variance(1, samples.cols());
    const auto count = static_cast<double>(samples.rows());
    for (Index first = 0; first < samples.rows(); first += block_rows)
      mean += blocks.load(samples, first).colwise().sum() / count;
    for (Index first = 0; first < samples.rows(); first += block_rows)
      variance += (blocks.load(samples, first).rowwise() - mean.row(0)).colwise().squaredNorm() / count;
    for (Index j = 0; j < variance.cols(); ++j) {
      // What rounding leaves of a constant is not a variance.
      const bool constant = variance(0, j) <= 1e-24 * mean(0, j) * mean(0, j);
      variance(0, j) = constant ? 0 : 1 / std::sqrt(variance(0, j));
    }
    return {std::move(mean), std::move(variance)};
  }

  // Templates, so that whoever only includes them compiles nothing.
  template <class Count>
  void train(const Samples& samples, const std::vector<Count>& labels, const LogisticRegressionOptions& options) {
    check_labels(static_cast<std::size_t>(samples.rows()), labels.size());
    if (!(options.l2 >= 0))
      throw DataError(detail::message("LogisticRegression: l2 must be 0 or more, not ", options.l2));
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] < 0)
        throw DataError(detail::message("LogisticRegression: label ", i, " is ", labels[i], "; classes count from 0"));
    samples.check_finite();
    const Index features = samples.cols();
    const Index classes = *std::max_element(labels.begin(), labels.end()) + 1;
    const auto [mean, scale] = moments(samples);
    Blocks blocks(samples, classes);
    Matrix<double> dlogits(blocks.x.rows(), classes);
    Matrix<double> product(classes, features);
    const auto objective = [&, &mean = mean, &scale = scale](std::span<const double> at, std::span<double> gradient) {
      const double* const bias = at.data() + classes * features;
      std::fill(gradient.begin(), gradient.end(), 0.0);
      MatrixView<double> dweight(gradient.data(), classes, features);
      MatrixView<double> dbias(gradient.data() + classes * features, 1, classes);
      double loss = 0;
      for (Index first = 0; first < samples.rows(); first += block_rows) {
        MatrixView<double> x = blocks.load(samples, first);
        if (options.standardize) {
          x.rowwise() -= mean.row(0);
          x.array().rowwise() *= scale.row(0).array();
        }
        const MatrixView<double> logits = blocks.multiply(x, at.data(), bias);
        MatrixView<double> dy(dlogits.data(), x.rows(), classes);
        const std::span part(labels.data() + first, static_cast<std::size_t>(x.rows()));
        loss += CrossEntropyLoss{.reduction = Reduction::sum}(logits, part, dy);
        gemm(classes, features, x.rows(), transpose(row_major<double>(dy.data(), classes)),
             row_major<double>(x.data(), features), Output<double>{product.data(), features});
        dweight += product;
        dbias += dy.colwise().sum();
      }
      const double share = 1 / static_cast<double>(samples.rows());
      const Eigen::Map<const Eigen::VectorXd> weight(at.data(), classes * features);
      Eigen::Map<Eigen::VectorXd> all(gradient.data(), static_cast<Index>(gradient.size()));
      all *= share;
      all.head(weight.size()) += options.l2 * weight;
      return loss * share + options.l2 / 2 * weight.squaredNorm();
    };
    std::vector<double> parameters(static_cast<std::size_t>(classes * (features + 1)));
    report_ = lbfgs(objective, parameters, {.max_iter = options.max_iter, .tolerance_grad = options.tolerance});
    weight_ = MatrixView<double>(parameters.data(), classes, features);
    bias_ = MatrixView<double>(parameters.data() + classes * features, 1, classes);
    if (options.standardize) {
      weight_.array().rowwise() *= scale.row(0).array();
      bias_ -= mean.lazyProduct(weight_.transpose());
    }
  }

  Matrix<double> weight_;  // (classes, features)
  Matrix<double> bias_;    // (1, classes)
  LbfgsReport report_;
};

/// Test accuracy of a LogisticRegression trained on codes: `linear_probe(codes(model, train.images), train.labels,
/// codes(model, test.images), test.labels)`. Errors as there.
template <SampleSource Train, ClassLabels TrainLabels, SampleSource Test, ClassLabels TestLabels>
[[nodiscard]] double linear_probe(const Train& train_codes, const TrainLabels& train_labels, const Test& test_codes,
                                  const TestLabels& test_labels, const LogisticRegressionOptions& options = {}) {
  return LogisticRegression(train_codes, train_labels, options).accuracy(test_codes, test_labels);
}

}  // namespace hourglass
