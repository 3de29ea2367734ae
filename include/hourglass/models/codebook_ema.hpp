// CodebookEMA: the codebook of a VQAutoencoder as a moving average of the vectors that each code stands for,
//     N_k <- decay N_k + (1 - decay) n_k,   m_k <- decay m_k + (1 - decay) sum of the n_k vectors,   e_k = m_k / N'_k,
//     N'_k = (N_k + eps) / (N + K eps) N,   N = sum N_k,
// which is k-means on the fly. A. van den Oord et al., "Neural discrete representation learning", 2017, appendix A.1;
// the smoothing of N_k is that of the authors' code.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"

namespace hourglass {

/// How CodebookEMA averages.
struct CodebookEMAOptions {
  double decay = 0.99;
  double epsilon = 1e-5;
};

/// An optimiser for a VQAutoencoder: `Inner` steps the encoder and the decoder, the codebook becomes a moving average.
/// The averages start at the codebook with N_k = 1. To be used with VQLoss{reconstruction, {.codebook = 0}}:
///
///     hg::fit(model, images, hg::VQLoss{hg::MSELoss{}, {.codebook = 0}}, hg::CodebookEMA{hg::Adam{}}, {}, rng);
template <class Inner>
class CodebookEMA {
 public:
  /// Throws DataError unless 0 <= decay < 1 and epsilon > 0.
  explicit CodebookEMA(Inner inner, const CodebookEMAOptions& options = {})
      : inner_{std::move(inner)}, options_{options} {
    if (!(options.decay >= 0 && options.decay < 1))
      throw DataError(detail::message("CodebookEMA: decay must be in [0, 1), not ", options.decay));
    if (!(options.epsilon > 0 && std::isfinite(options.epsilon)))
      throw DataError(detail::message("CodebookEMA: epsilon must be finite and above 0, not ", options.epsilon));
  }

  [[nodiscard]] Inner& inner() noexcept { return inner_; }
  [[nodiscard]] const Inner& inner() const noexcept { return inner_; }
  [[nodiscard]] const CodebookEMAOptions& options() const noexcept { return options_; }
  [[nodiscard]] double lr() const noexcept { return inner_.lr(); }
  void set_lr(double lr) { inner_.set_lr(lr); }

  /// N_k, and m_k (codes, dimensions); empty before the first step.
  [[nodiscard]] const std::vector<double>& sizes() const noexcept { return sizes_; }
  [[nodiscard]] const Matrix<double>& sums() const noexcept { return sums_; }

  /// A step of the inner optimiser, then of the averages, with the batch whose passes are in `workspace`. Throws
  /// ShapeError when the codebook has another shape than before.
  template <class Model, class Workspace>
  void step(Model& model, Workspace& workspace) {
    // The inner optimiser may move the codebook too, by its gradient or weight decay: the averages decide.
    auto& quantizer = model.quantizer();
    if (sizes_.empty()) {
      sizes_.assign(static_cast<std::size_t>(quantizer.codes()), 1.0);
      sums_ = quantizer.weight().template cast<double>();
      fresh_ = Matrix<double>(quantizer.codes(), quantizer.dimensions() + 1);
    }
    if (sums_.rows() != quantizer.codes() || sums_.cols() != quantizer.dimensions())
      throw ShapeError(detail::message("CodebookEMA: the codebook has shape ",
                                       shape_string(quantizer.codes(), quantizer.dimensions()), ", the averages ",
                                       shape_string(sums_.rows(), sums_.cols()), "; use one optimiser per model"));
    inner_.step(model, workspace);
    const auto& cache = workspace.cache();
    collect(cache.code(workspace.rows()), cache.indices.data());
    average(quantizer.weight());
  }

 private:
  /// fresh_.row(k) = sum of the vectors nearest to code k, then their number.
  template <class Code>
  void collect(const Code& code, const Index* indices) {
    const Index dimensions = sums_.cols();
    fresh_.setZero();
    for (Index i = 0; i < code.size() / dimensions; ++i) {
      double* const to = fresh_.data() + indices[i] * (dimensions + 1);
      for (Index d = 0; d < dimensions; ++d) to[d] += static_cast<double>(code.data()[i * dimensions + d]);
      to[dimensions] += 1;
    }
  }
  template <class Weight>
  void average(Weight weight) {
    const Index codes = sums_.rows();
    const Index dimensions = sums_.cols();
    const double share = 1 - options_.decay;
    double total = 0;
    for (Index k = 0; k < codes; ++k) {
      double& size = sizes_[static_cast<std::size_t>(k)];
      size = std::fma(options_.decay, size, share * fresh_(k, dimensions));
      total += size;
    }
    const double smoothed_total = std::fma(static_cast<double>(codes), options_.epsilon, total);
    for (Index k = 0; k < codes; ++k) {
      const double smoothed = (sizes_[static_cast<std::size_t>(k)] + options_.epsilon) / smoothed_total * total;
      for (Index d = 0; d < dimensions; ++d) {
        sums_(k, d) = std::fma(options_.decay, sums_(k, d), share * fresh_(k, d));
        weight(k, d) = static_cast<typename Weight::Scalar>(sums_(k, d) / smoothed);
      }
    }
  }

  Inner inner_;
  CodebookEMAOptions options_;
  std::vector<double> sizes_;  // (codes): N_k
  Matrix<double> sums_;        // (codes, dimensions): m_k
  Matrix<double> fresh_;       // (codes, dimensions + 1)
};

}  // namespace hourglass
