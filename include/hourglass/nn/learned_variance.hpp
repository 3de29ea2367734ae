// LearnedVariance: appends a trained log-variance to every output, y = (x, s), for a Gaussian likelihood whose width
// does not depend on the input.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <tuple>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"

namespace hourglass {

/// How many log-variances a LearnedVariance trains.
struct LearnedVarianceOptions {
  bool shared = false;  ///< one for all features
  double logvar = 0;    ///< where it starts
};

/// The last layer of a decoder for LearnedGaussianLoss: x (batch, features) are the means, y (batch, 2 features) is x
/// with a trained log-variance for each feature beside it, or with the same one for all of them. Parameter: "logvar",
/// (features) or (1), which initialize() leaves alone.
template <class Scalar_ = float>
class LearnedVariance {
 public:
  using Scalar = Scalar_;
  static constexpr std::string_view name = "LearnedVariance";

  /// Throws ShapeError unless there is at least 1 feature.
  explicit LearnedVariance(Index features, const LearnedVarianceOptions& options = {})
      : features_{features}, logvar_{Shape{options.shared ? 1 : features_.value()}} {
    std::ranges::fill(logvar_.values(), static_cast<Scalar>(options.logvar));
  }

  static constexpr auto fields() { return std::tuple{Field{"logvar", &LearnedVariance::logvar_}}; }

  [[nodiscard]] Index in_features() const noexcept { return features_.value(); }
  /// Throws ShapeError unless `in` is in_features().
  [[nodiscard]] Index out_features(Index in) const {
    if (in != in_features())
      throw ShapeError(detail::message("LearnedVariance: input has ", in, " features, it was made for ", in_features(),
                                       "; check the width of the layer before it"));
    return 2 * in;
  }
  [[nodiscard]] static bool takes_rows_in_inference() noexcept { return true; }
  /// s, one number for each feature or one for all.
  [[nodiscard]] std::span<Scalar> logvar() noexcept { return logvar_.values(); }
  [[nodiscard]] std::span<const Scalar> logvar() const noexcept { return logvar_.values(); }

  template <Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar>, const M&) const {
    const Index features = in_features();
    (void)out_features(x.cols());
    for (Index row = 0; row < x.rows(); ++row) {
      Scalar* const to = y.data() + row * 2 * features;
      std::copy_n(x.data() + row * features, features, to);
      if (logvar_.size() == 1)
        std::fill_n(to + features, features, *logvar_.data());
      else
        std::copy_n(logvar_.data(), features, to + features);
    }
  }

  /// ds = column sums of the right half of dy, dx = its left half.
  void backward(const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar>, Scalar* gradient) const {
    const Index features = in_features();
    double all = 0;
    for (Index first = 0; first < features; first += block_size) {
      const auto count = static_cast<std::size_t>(std::min(block_size, features - first));
      std::array<double, static_cast<std::size_t>(block_size)> sums{};
      for (Index row = 0; row < dy.rows(); ++row) {
        const Scalar* const from = dy.data() + row * 2 * features + features + first;
        for (std::size_t j = 0; j < count; ++j) sums[j] += double{from[j]};
      }
      for (std::size_t j = 0; j < count; ++j) {
        all += sums[j];
        if (logvar_.size() > 1) gradient[first + static_cast<Index>(j)] = static_cast<Scalar>(sums[j]);
      }
    }
    if (logvar_.size() == 1) *gradient = static_cast<Scalar>(all);
    if (dx.data() == nullptr) return;
    for (Index row = 0; row < dy.rows(); ++row)
      std::copy_n(dy.data() + row * 2 * features, features, dx.data() + row * features);
  }

 private:
  Extent<Dynamic> features_;
  Parameter<Scalar> logvar_;  // (features) or (1)
};

}  // namespace hourglass
