// Dataset: a view of samples and, where they have any, of their labels.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/data/samples.hpp"

namespace hourglass {

namespace detail {

template <class T>
inline constexpr bool is_span = false;
template <class T, std::size_t extent>
inline constexpr bool is_span<std::span<T, extent>> = true;

/// Integers in a row that outlive the expression.
template <class T>
concept LastingIntegers = requires(T& source) {
  requires std::integral<typename decltype(std::span{source})::value_type>;
  requires std::is_lvalue_reference_v<T> || is_span<std::remove_cv_t<T>>;
};

}  // namespace detail

/// A cheap view of class numbers of any integral type: a std::vector, std::array or std::span that outlives it. A view
/// of a temporary vector does not compile. Default-constructed: none.
class Labels {
 public:
  Labels() = default;
  template <detail::LastingIntegers Source>
  // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload): a view of something is it
  Labels(Source&& source) : Labels(std::span{source}, nullptr) {}

  [[nodiscard]] Index size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Label `i`, which must exist.
  [[nodiscard]] Index operator[](Index i) const noexcept {
    return read_(static_cast<const unsigned char*>(data_) + i * stride_);
  }
  /// Labels [first, first + count); throws ShapeError when not all of them exist.
  [[nodiscard]] Labels subspan(Index first, Index count) const {
    detail::require_rows("Labels", first, count, size_);
    Labels part = *this;
    if (count != 0) part.data_ = static_cast<const unsigned char*>(data_) + first * stride_;
    part.size_ = count;
    return part;
  }
  /// out[i] = label order[i]; every index must exist and `out` have room. Returns the labels written.
  std::span<const Index> gather(std::span<const Index> order, std::span<Index> out) const noexcept {
    std::transform(order.begin(), order.end(), out.begin(), [this](Index i) { return (*this)[i]; });
    return out.first(order.size());
  }

 private:
  template <class Integer, std::size_t extent>
  Labels(std::span<Integer, extent> labels, std::nullptr_t) noexcept
      : data_{labels.data()},
        size_{static_cast<Index>(labels.size())},
        stride_{static_cast<Index>(sizeof(Integer))},
        read_{[](const void* label) noexcept { return static_cast<Index>(*static_cast<const Integer*>(label)); }} {}

  const void* data_ = nullptr;
  Index size_ = 0;
  Index stride_ = 0;  // bytes
  Index (*read_)(const void*) noexcept = nullptr;
};

namespace detail {

/// Something that owns images and labels, such as LabelledImages, and outlives the expression.
template <class T>
concept LabelledSource = std::is_lvalue_reference_v<T> && requires(T source) {
  requires std::convertible_to<decltype((source.images)), Samples>;
  requires std::convertible_to<decltype((source.labels)), Labels>;
};

}  // namespace detail

/// Samples, and one class number for each of them if the task is to tell classes apart; a cheap view whose owners must
/// outlive it. Whatever is Samples is a Dataset without labels; `mnist.train` is one with labels, and so is
/// `Dataset{images, labels}`.
class Dataset {
 public:
  /// No samples.
  Dataset() = default;
  template <class Source>
  requires std::convertible_to<Source, Samples>
  // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload)
  Dataset(Source&& samples) : samples_(std::forward<Source>(samples)) {}
  template <detail::LabelledSource Source>
  // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload)
  Dataset(Source&& source) : Dataset(Samples(source.images), Labels(source.labels)) {}
  /// Throws ShapeError unless there is one label for each sample.
  Dataset(Samples samples, Labels labels) : samples_{samples}, labels_{labels} {
    if (labels.size() != samples.rows())
      throw ShapeError(detail::message("Dataset: there are ", samples.rows(), " samples and ", labels.size(),
                                       " labels; give one label per sample"));
  }

  /// Number of samples.
  [[nodiscard]] Index rows() const noexcept { return samples_.rows(); }
  /// Features of a sample.
  [[nodiscard]] Index cols() const noexcept { return samples_.cols(); }
  [[nodiscard]] bool empty() const noexcept { return samples_.empty(); }
  [[nodiscard]] const Samples& samples() const noexcept { return samples_; }
  /// Empty when nobody gave labels.
  [[nodiscard]] const Labels& labels() const noexcept { return labels_; }

  /// The first `count` samples; throws ShapeError when there are fewer.
  [[nodiscard]] Dataset topRows(Index count) const { return middleRows(0, count); }
  /// Samples [first, first + count); throws ShapeError when not all of them exist.
  [[nodiscard]] Dataset middleRows(Index first, Index count) const {
    const Samples part = samples_.middleRows(first, count);
    return labels_.empty() ? Dataset(part) : Dataset(part, labels_.subspan(first, count));
  }

 private:
  Samples samples_;
  Labels labels_;
};

namespace detail {

/// Throws DataError unless there are labels, which `user` needs, and each is a class of a model with `classes` outputs.
inline void check_labels(std::string_view what, std::string_view user, const Dataset& data, Index classes) {
  const Labels& labels = data.labels();
  if (labels.empty())
    throw DataError(message(what, ": ", user, " needs labels, the data set has none; pass Dataset{images, labels}"));
  for (Index i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      throw DataError(message(what, ": label ", i, " is ", labels[i], ", the model's ", classes,
                              " outputs stand for the classes 0 to ", classes - 1,
                              "; check the labels or the width of the last layer"));
}

}  // namespace detail
}  // namespace hourglass
