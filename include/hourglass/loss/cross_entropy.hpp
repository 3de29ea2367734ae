// Cross-entropy of class logits: l(x, c) = -log softmax(x)_c = log sum_j e^(x_j) - x_c.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd_math.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"

namespace hourglass {

/// A std::span, std::vector or std::array of class numbers of any integral type.
template <class T>
concept ClassLabels = requires(const T& labels) {
  std::span{labels};
  requires std::integral<typename decltype(std::span{labels})::value_type>;
};

/// Cross-entropy of logits (batch, classes) against one class number per row; one value per row, so reductions `mean`
/// (default) and `batchmean` agree. With `label_smoothing` s the target distribution is 1 - s on the class plus
/// s / classes on every class. Gradient: softmax(x) - target distribution. Throws ShapeError unless there is a label
/// for each row, DataError for a label outside the classes. PyTorch: nn.CrossEntropyLoss.
struct CrossEntropyLoss {
  static constexpr std::string_view name = "CrossEntropyLoss";
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0.0;

  /// Value; with a third argument (MatrixView, Matrix or workspace) writes d value / d logits there.
  template <Batch Logits, ClassLabels Labels, GradientSink<typename Logits::Scalar>... Sink>
  typename Logits::Scalar operator()(const Logits& logits, const Labels& labels, Sink&&... gradient) const {
    using Scalar = typename Logits::Scalar;
    static_assert(sizeof...(Sink) <= 1, "CrossEntropyLoss takes logits, labels and at most one place for the gradient");
    Scalar* to = nullptr;
    ((to = detail::gradient_data<Scalar>(name, logits.rows(), logits.cols(), gradient)), ...);
    return run<Scalar>(logits, std::span{labels}, to);
  }

 private:
  /// The terms e^(x - highest).
  template <class Scalar>
  struct Exponentials {
    const Scalar* x;
    Scalar highest;
    HOURGLASS_SIMD(V operator()(Index i, Index n) const, { return simd::exp(V::load(x + i, n) - V(highest)); })
  };

  /// to = e^(x - highest) * inverse - shift.
  template <class Scalar>
  struct Softmax {
    const Scalar* x;
    Scalar highest;
    Index count;
    Scalar inverse;
    Scalar shift;
    Scalar* to;
    HOURGLASS_SIMD(void operator()() const, {
      for (Index i = 0; i < count; i += V::lanes) {
        const Index n = std::min<Index>(V::lanes, count - i);
        fma(simd::exp(V::load(x + i, n) - V(highest)), V(inverse), V(-shift)).store(to + i, n);
      }
    })
  };

  template <class Scalar, class Labels>
  Scalar run(const ConstMatrixView<Scalar>& logits, Labels labels, Scalar* gradient) const {
    const Index classes = logits.cols();
    check(logits.rows(), classes, labels);
    const double scale = reduction == Reduction::sum ? 1.0 : 1.0 / static_cast<double>(logits.rows());
    const double spread = label_smoothing / static_cast<double>(classes);
    const double sum = parallel_sum(logits.rows(), [&](Index begin, Index end) {
      double values = 0;
      for (Index row = begin; row < end; ++row) {
        const Scalar* const x = logits.data() + row * classes;
        const auto label = static_cast<Index>(labels[static_cast<std::size_t>(row)]);
        Scalar highest = x[0];
        for (Index j = 1; j < classes; ++j) highest = x[j] > highest ? x[j] : highest;
        double total = 0;
        const Exponentials<Scalar> exponentials{x, highest};
        simd::dispatch<Scalar>(detail::VectorSum<Exponentials<Scalar>>{0, classes, exponentials, &total});
        const double log_total = std::log(total) + static_cast<double>(highest);
        values += (1.0 - label_smoothing) * (log_total - static_cast<double>(x[label]));
        if (label_smoothing > 0) {
          const double all = block_sum<double>(0, classes, [&](Index first, auto count, double* value) {
            for (Index i = 0; i < count; ++i) value[i] = log_total - static_cast<double>(x[first + i]);
          });
          values += spread * all;
        }
        if (gradient != nullptr) {
          Scalar* const to = gradient + row * classes;
          const auto inverse = static_cast<Scalar>(scale / total);
          const auto shift = static_cast<Scalar>(scale * spread);
          simd::dispatch<Scalar>(Softmax<Scalar>{x, highest, classes, inverse, shift, to});
          to[label] -= static_cast<Scalar>(scale * (1.0 - label_smoothing));
        }
      }
      return values;
    });
    return static_cast<Scalar>(sum * scale);
  }

  template <class Labels>
  void check(Index rows, Index classes, Labels labels) const {
    if (static_cast<Index>(labels.size()) != rows)
      throw ShapeError(detail::message("CrossEntropyLoss: the logits have ", rows, " rows, there are ", labels.size(),
                                       " labels; give one label per row"));
    if (rows == 0 || classes == 0)
      throw DataError(detail::message("CrossEntropyLoss: the batch of shape ", shape_string(rows, classes),
                                      " is empty; leave empty batches out"));
    if (!(label_smoothing >= 0 && label_smoothing <= 1))
      throw DataError(detail::message("CrossEntropyLoss: label_smoothing must lie in [0, 1], it is ", label_smoothing));
    for (Index row = 0; row < rows; ++row) {
      const auto label = labels[static_cast<std::size_t>(row)];
      if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, classes))
        throw DataError(detail::message("CrossEntropyLoss: the label in row ", row, " is ", label,
                                        ", the classes are 0 to ", classes - 1,
                                        "; check the labels or the width of the last layer"));
    }
  }
};

}  // namespace hourglass
