// Dropout: y = x m / (1 - p) in training, with each m drawn to be 0 with probability p and 1 otherwise.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "hourglass/core/error.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"

namespace hourglass {

/// Inverted dropout (Srivastava et al. 2014): identity in inference. Training needs Training{rng}, so a forgotten
/// generator does not compile and a forgotten switch back cannot happen.
class Dropout {
 public:
  static constexpr std::string_view name = "Dropout";
  static constexpr bool preserves_width = true;

  /// Throws DataError unless 0 <= p <= 1.
  explicit Dropout(double p = 0.5) : p_{p} {
    if (!(p >= 0 && p <= 1))
      throw DataError(detail::message("Dropout: the probability of dropping must be in [0, 1], not ", p));
  }

  [[nodiscard]] double p() const noexcept { return p_; }
  [[nodiscard]] static Index in_features() noexcept { return Dynamic; }
  [[nodiscard]] static Index out_features(Index in) noexcept { return in; }
  [[nodiscard]] static bool takes_rows_in_inference() noexcept { return true; }
  [[nodiscard]] static Index scratch_size(Index batch, Index in) noexcept { return batch * in; }

  /// The factors m / (1 - p) stay in `scratch` (batch, in) for the backward pass; inference may leave it empty.
  template <class Scalar, Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar> scratch, const M& mode) const {
    const Index size = x.size();
    if constexpr (std::is_same_v<M, Training>) {
      const auto factors = scratch.first(static_cast<std::size_t>(size));
      mode.rng.fill_uniform(factors);
      const auto p = static_cast<Scalar>(p_);
      const Scalar kept = p_ < 1 ? static_cast<Scalar>(1 / (1 - p_)) : Scalar(0);
      for (Scalar& factor : factors) factor = factor < p ? Scalar(0) : kept;
      for (Index i = 0; i < size; ++i) y.data()[i] = x.data()[i] * scratch[static_cast<std::size_t>(i)];
    } else {
      std::fill(scratch.begin(), scratch.end(), Scalar(1));
      std::copy_n(x.data(), size, y.data());
    }
  }

  template <class Scalar>
  void backward(const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar> scratch, Scalar*) const {
    for (Index i = 0; i < dx.size(); ++i) dx.data()[i] = dy.data()[i] * scratch[static_cast<std::size_t>(i)];
  }

 private:
  double p_;
};

}  // namespace hourglass
