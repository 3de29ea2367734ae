// Batches: a data set cut into matrices of `batch_size` rows for one pass over it, in order or shuffled.
//
//     for (const auto& batch : hg::batches(images, 128, rng)) { ... }   // batch: ConstMatrixView<float> (128,
//     features)
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/data/samples.hpp"

namespace hourglass {

/// How `batches` cuts and what it does to each batch.
template <std::floating_point Scalar = float>
struct BatchOptions {
  /// Leave out a last batch that is smaller than the others.
  bool drop_last = false;
  /// Called on each batch after it was filled, to change it in place: noise, binarisation. Empty: nothing.
  std::function<void(MatrixView<Scalar>)> transform = {};
  /// Called on a copy of each batch, after `transform`: the input of a denoising autoencoder, see data/corrupt.hpp and
  /// Iterator::input(). Empty: there is no copy.
  std::function<void(MatrixView<Scalar>)> corruption = {};
};

/// Range of the batches of a data set, made by `batches`. All of them share one buffer that the range owns: advancing
/// overwrites the batch before. Iterating again gives the same batches. The data set must outlive the range.
template <std::floating_point Scalar>
class Batches {
 public:
  /// Position in the range; valid while the range stays where it is.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = ConstMatrixView<Scalar>;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Batches& range) : range_{&range} { range_->fill(number_); }

    /// The batch, (rows, features).
    [[nodiscard]] ConstMatrixView<Scalar> operator*() const { return view(range_->buffer_); }
    /// What a model gets to see of it, (rows, features): the corrupted copy, or the batch itself without corruption.
    [[nodiscard]] ConstMatrixView<Scalar> input() const {
      return view(range_->corruption_ ? range_->corrupted_ : range_->buffer_);
    }
    /// Which samples the rows are.
    [[nodiscard]] std::span<const Index> indices() const { return range_->batch_indices(number_); }
    /// Number of the batch, from 0.
    [[nodiscard]] Index number() const noexcept { return number_; }

    Iterator& operator++() {
      range_->fill(++number_);
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept {
      return it.number_ == it.range_->count();
    }

   private:
    [[nodiscard]] ConstMatrixView<Scalar> view(const Matrix<Scalar>& buffer) const {
      return {buffer.data(), static_cast<Index>(indices().size()), buffer.cols()};
    }

    Batches* range_;
    Index number_ = 0;
  };

  /// Throws ShapeError when `batch_size` is below 1, DataError when there is no batch. Use `batches`.
  Batches(Samples samples, Index batch_size, BatchOptions<Scalar> options, std::vector<Index> order)
      : samples_{samples},
        batch_size_{batch_size},
        order_(std::move(order)),
        transform_(std::move(options.transform)),
        corruption_(std::move(options.corruption)) {
    if (batch_size < 1)
      throw ShapeError(detail::message("batches: the batch size is ", batch_size, "; it must be at least 1"));
    if (samples.empty()) throw DataError("batches: the data set has 0 samples; there is nothing to iterate over");
    const Index rows = samples.rows();
    count_ = rows / batch_size + (rows % batch_size != 0 && !options.drop_last ? 1 : 0);
    if (count_ == 0)
      throw DataError(detail::message("batches: drop_last leaves none of ", rows, " samples at batch size ", batch_size,
                                      "; lower the batch size or keep the last batch"));
    buffer_ = Matrix<Scalar>(std::min(batch_size, rows), samples.cols());
    if (corruption_) corrupted_ = buffer_;
  }

  /// Number of batches.
  [[nodiscard]] Index count() const noexcept { return count_; }
  /// Rows of the data set in the order of the pass.
  [[nodiscard]] std::span<const Index> order() const noexcept { return order_; }

  [[nodiscard]] Iterator begin() { return Iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  [[nodiscard]] std::span<const Index> batch_indices(Index number) const {
    const Index first = number * batch_size_;
    const Index rows = std::min(batch_size_, static_cast<Index>(order_.size()) - first);
    return std::span<const Index>(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows));
  }

  void fill(Index number) {
    if (number >= count_) return;
    const auto indices = batch_indices(number);
    const MatrixView<Scalar> batch(buffer_.data(), static_cast<Index>(indices.size()), buffer_.cols());
    samples_.gather(indices, batch);
    if (transform_) transform_(batch);
    if (!corruption_) return;
    std::copy_n(batch.data(), batch.size(), corrupted_.data());
    corruption_(MatrixView<Scalar>(corrupted_.data(), batch.rows(), batch.cols()));
  }

  Samples samples_;
  Index batch_size_;
  Index count_ = 0;
  std::vector<Index> order_;
  std::function<void(MatrixView<Scalar>)> transform_;
  std::function<void(MatrixView<Scalar>)> corruption_;
  Matrix<Scalar> buffer_;
  Matrix<Scalar> corrupted_;
};

/// The samples in an order drawn from `rng`, `batch_size` at a time; the last batch may be smaller. `rng` is used
/// here only, for the permutation. Throws ShapeError when `batch_size` is below 1, DataError for an empty data set.
template <std::floating_point Scalar = float>
[[nodiscard]] Batches<Scalar> batches(Samples samples, Index batch_size, Rng& rng, BatchOptions<Scalar> options = {}) {
  return {samples, batch_size, std::move(options), rng.permutation(samples.rows())};
}

/// The samples in the order of the data set, `batch_size` at a time; errors as above.
template <std::floating_point Scalar = float>
[[nodiscard]] Batches<Scalar> batches(Samples samples, Index batch_size, BatchOptions<Scalar> options = {}) {
  std::vector<Index> order(static_cast<std::size_t>(samples.rows()));
  std::iota(order.begin(), order.end(), Index{0});
  return {samples, batch_size, std::move(options), std::move(order)};
}

}  // namespace hourglass
