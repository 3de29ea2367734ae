// Samples: a view of a data set, one sample per row, whatever it is stored as; rows become floats where they are used.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/images.hpp"

namespace hourglass {

namespace detail {

template <class T>
inline constexpr bool owns_its_elements = std::derived_from<T, Eigen::PlainObjectBase<T>>;
template <class Scalar>
inline constexpr bool owns_its_elements<Matrix<Scalar>> = true;

/// A float or double matrix in memory that outlives the expression: not a temporary owner.
template <class T>
concept LastingMatrix = DirectMatrix<std::remove_cvref_t<T>> &&
    (std::same_as<typename std::remove_cvref_t<T>::Scalar, float> ||
     std::same_as<typename std::remove_cvref_t<T>::Scalar, double>)&&(std::is_lvalue_reference_v<T> ||
                                                                      !owns_its_elements<std::remove_cvref_t<T>>);

/// True for infinities and NaN, under -ffast-math too.
template <class Scalar>
[[nodiscard]] bool not_finite(Scalar x) noexcept {
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits exponent = sizeof(Scalar) == 4 ? Bits{0x7f800000u} : static_cast<Bits>(0x7ff0000000000000u);
  return (std::bit_cast<Bits>(x) & exponent) == exponent;
}

}  // namespace detail

/// A cheap view of a data set (rows, cols) of 8-bit images, floats or doubles. Its owner must outlive it: a view of a
/// temporary Images or Matrix does not compile. Default-constructed: no rows.
class Samples {
 public:
  Samples() = default;
  /// Pixels are divided by 255.
  // NOLINTNEXTLINE(google-explicit-constructor): a view of something is that thing
  Samples(ImageSpan images) noexcept
      : data_{images.pixels().data()}, rows_{images.rows()}, cols_{images.cols()}, stride_{images.cols()} {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Samples(const Images& images) : Samples(ImageSpan(images)) {}
  Samples(Images&&) = delete;
  Samples(const Images&&) = delete;

  /// A row-major matrix, map or block of float or double. Throws ShapeError when its rows have gaps inside.
  template <detail::LastingMatrix Source>
  // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload)
  Samples(Source&& source) : data_{source.data()}, rows_{source.rows()}, cols_{source.cols()} {
    using Stored = std::remove_cvref_t<Source>;
    static_assert(Stored::IsRowMajor || Stored::ColsAtCompileTime == 1,
                  "a data set is row-major, one sample per row: use Eigen::Matrix<..., Eigen::RowMajor> or "
                  "hourglass::Matrix<Scalar>{expression}");
    stride_ = Stored::IsRowMajor ? source.outerStride() : source.innerStride();
    if (Stored::IsRowMajor && source.innerStride() != 1 && cols_ > 1)
      throw ShapeError(detail::message("Samples: the elements of a row lie ", source.innerStride(),
                                       " apart; pass hourglass::Matrix<Scalar>{block}"));
  }

  /// Number of samples.
  [[nodiscard]] Index rows() const noexcept { return rows_; }
  /// Features of a sample.
  [[nodiscard]] Index cols() const noexcept { return cols_; }
  [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }

  /// The first `count` samples; throws ShapeError when there are fewer.
  [[nodiscard]] Samples topRows(Index count) const { return middleRows(0, count); }
  /// Samples [first, first + count); throws ShapeError when not all of them exist.
  [[nodiscard]] Samples middleRows(Index first, Index count) const {
    detail::require_rows("Samples", first, count, rows_);
    Samples part = *this;
    if (count != 0) std::visit([&](auto& data) { data += first * stride_; }, part.data_);
    part.rows_ = count;
    return part;
  }

  /// out.row(i) = sample order[i]. Throws ShapeError unless `out` is (order.size(), cols) and every index exists.
  template <class Scalar>
  void gather(std::span<const Index> order, MatrixView<Scalar> out) const {
    require_shape(static_cast<Index>(order.size()), out.rows(), out.cols());
    for (std::size_t i = 0; i < order.size(); ++i)
      if (order[i] < 0 || order[i] >= rows_)
        throw ShapeError(detail::message("Samples::gather: index ", order[i], " at place ", i, ", but there are ",
                                         rows_, " samples, 0 to ", rows_ - 1));
    std::visit(
        [&](const auto* data) {
          // Shuffled rows lie far apart: ask for them some rows ahead.
          constexpr Index ahead = 4;
          const auto row = [&](Index i) { return data + order[static_cast<std::size_t>(i)] * stride_; };
          const Index bytes = cols_ * static_cast<Index>(sizeof(*data));
          const Index parts = out.size() < parallel_grain ? 1 : num_threads();
          parallel_for(parts, static_cast<int>(parts), [&](Index part) {
            const Index begin = out.rows() * part / parts;
            const Index end = out.rows() * (part + 1) / parts;
            for (Index i = begin; i < std::min(begin + ahead, end); ++i) detail::prefetch_bytes(row(i), bytes);
            for (Index i = begin; i < end; ++i) {
              if (i + ahead < end) detail::prefetch_bytes(row(i + ahead), bytes);
              convert(row(i), cols_, out.data() + i * cols_);
            }
          });
        },
        data_);
  }

  /// out.row(i) = sample first + i. Throws ShapeError unless `out` has cols() columns and every row exists.
  template <class Scalar>
  void copy_rows(Index first, MatrixView<Scalar> out) const {
    detail::require_rows("Samples::copy_rows", first, out.rows(), rows_);
    require_shape(out.rows(), out.rows(), out.cols());
    std::visit(
        [&](const auto* data) {
          for (Index i = 0; i < out.rows(); ++i) convert(data + (first + i) * stride_, cols_, out.data() + i * cols_);
        },
        data_);
  }

  /// Throws DataError naming the first NaN or infinity.
  void check_finite() const {
    std::visit([&](const auto* data) { check_rows(data); }, data_);
  }

 private:
  void require_shape(Index count, Index rows, Index cols) const {
    if (rows != count || cols != cols_)
      throw ShapeError(detail::message("Samples: the output has shape ", shape_string(rows, cols), ", ",
                                       shape_string(count, cols_), " is needed"));
  }

  template <class Stored, class Scalar>
  static void convert(const Stored* from, Index count, Scalar* to) noexcept {
    if constexpr (std::same_as<Stored, std::uint8_t>)
      detail::scale_pixels(from, count, to);
    else
      for (Index i = 0; i < count; ++i) to[i] = static_cast<Scalar>(from[i]);
  }

  template <class Stored>
  void check_rows(const Stored* data) const {
    if constexpr (std::floating_point<Stored>) {
      for (Index i = 0; i < rows_; ++i) {
        const Stored* row = data + i * stride_;
        unsigned bad = 0;
        for (Index j = 0; j < cols_; ++j) bad |= static_cast<unsigned>(detail::not_finite(row[j]));
        for (Index j = 0; bad != 0 && j < cols_; ++j)
          if (detail::not_finite(row[j]))
            throw DataError(
                detail::message("Samples: row ", i, ", column ", j, " is ", row[j], "; remove or repair the sample"));
      }
    }
  }

  std::variant<const std::uint8_t*, const float*, const double*> data_{static_cast<const std::uint8_t*>(nullptr)};
  Index rows_ = 0;
  Index cols_ = 0;
  Index stride_ = 0;  // elements from one row to the next
};

}  // namespace hourglass
