// Matrices: a batch is a row-major matrix, one sample per row, shape (batch, features).
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/storage.hpp"

namespace hourglass {

static_assert(std::is_same_v<Index, Eigen::Index> && Dynamic == Eigen::Dynamic);

/// Row-major Eigen matrix of run-time size; only its type is used, the memory is always ours or the caller's.
template <class Scalar>
using RowMajorMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Writable window on a contiguous row-major block that somebody else owns. Assigning writes through it.
template <class Scalar>
using MatrixView = Eigen::Map<RowMajorMatrix<Scalar>, Eigen::Unaligned>;

/// An Eigen matrix, map or block that lies in memory (not an expression still to be computed).
template <class T>
concept DirectMatrix = requires(const T& t) {
  typename T::Scalar;
  { t.data() } -> std::convertible_to<const typename T::Scalar*>;
  { t.rows() } -> std::convertible_to<Index>;
  { t.cols() } -> std::convertible_to<Index>;
  { t.innerStride() } -> std::convertible_to<Index>;
  { t.outerStride() } -> std::convertible_to<Index>;
};

/// "(rows, cols)", for messages.
[[nodiscard]] inline std::string shape_string(Index rows, Index cols) {
  return detail::message("(", rows, ", ", cols, ")");
}

/// Read-only window on a contiguous row-major block. Every Eigen object with that layout converts to it without
/// a copy; a column-major one does not compile, and one with gaps between its rows throws ShapeError: no input is
/// ever copied behind the caller's back.
template <class Scalar>
class ConstMatrixView : public Eigen::Map<const RowMajorMatrix<Scalar>, Eigen::Unaligned> {
  using Base = Eigen::Map<const RowMajorMatrix<Scalar>, Eigen::Unaligned>;

 public:
  ConstMatrixView(const Scalar* data, Index rows, Index cols) : Base(data, rows, cols) {}

  template <DirectMatrix Source>
  requires std::same_as<typename Source::Scalar, Scalar> &&(!std::same_as<Source, ConstMatrixView>)
      // NOLINTNEXTLINE(google-explicit-constructor): a view of something is that thing
      ConstMatrixView(const Source& source)
      : Base(source.data(), source.rows(), source.cols()) {
    static_assert(Source::IsRowMajor || Source::ColsAtCompileTime == 1 || Source::RowsAtCompileTime == 1,
                  "a batch is row-major, one sample per row: use Eigen::Matrix<..., Eigen::RowMajor> or "
                  "hourglass::Matrix<Scalar>{expression}");
    const bool inner = source.innerStride() == 1 || source.size() <= 1;
    const bool outer = !Source::IsRowMajor || source.rows() <= 1 || source.outerStride() == source.cols();
    if (!inner || !outer)
      throw ShapeError(detail::message("ConstMatrixView: the block of shape ",
                                       shape_string(source.rows(), source.cols()),
                                       " has gaps between its elements; pass hourglass::Matrix<Scalar>{block}"));
  }
};

/// Owning row-major matrix in 64-byte aligned storage, usable wherever an Eigen matrix is (it is an Eigen map of
/// its own storage). Copies are deep; assigning an expression resizes.
template <class Scalar_>
class Matrix : public MatrixView<Scalar_> {
  using Base = MatrixView<Scalar_>;

 public:
  using Scalar = Scalar_;

  Matrix() : Base(nullptr, 0, 0) {}
  /// Zeros of shape (rows, cols).
  Matrix(Index rows, Index cols) : Base(nullptr, 0, 0), storage_(static_cast<std::size_t>(checked_size(rows, cols))) {
    seat(rows, cols);
  }
  /// Rows of literals: `Matrix<float>{{1, 2}, {3, 4}}`.
  Matrix(std::initializer_list<std::initializer_list<Scalar>> rows)
      : Matrix(static_cast<Index>(rows.size()), rows.size() == 0 ? 0 : static_cast<Index>(rows.begin()->size())) {
    Index i = 0;
    for (const auto& row : rows) {
      if (static_cast<Index>(row.size()) != this->cols())
        throw ShapeError(
            detail::message("Matrix: row ", i, " has ", row.size(), " elements, row 0 has ", this->cols()));
      Index j = 0;
      for (const Scalar value : row) (*this)(i, j++) = value;
      ++i;
    }
  }
  Matrix(const Matrix& other) : Base(nullptr, 0, 0), storage_(other.storage_) { seat(other.rows(), other.cols()); }
  Matrix(Matrix&& other) noexcept : Base(nullptr, 0, 0) { swap(other); }
  /// Evaluates any Eigen expression.
  template <class Derived>
  // NOLINTNEXTLINE(google-explicit-constructor): Eigen's matrices convert too
  Matrix(const Eigen::DenseBase<Derived>& expression) : Matrix(expression.rows(), expression.cols()) {
    Base::operator=(expression.derived());
  }
  ~Matrix() = default;

  Matrix& operator=(const Matrix& other) {
    if (this != &other) {
      storage_ = other.storage_;
      seat(other.rows(), other.cols());
    }
    return *this;
  }
  Matrix& operator=(Matrix&& other) noexcept {
    swap(other);
    return *this;
  }
  template <class Derived>
  Matrix& operator=(const Eigen::DenseBase<Derived>& expression) {
    Matrix evaluated(expression);
    swap(evaluated);
    return *this;
  }

  void swap(Matrix& other) noexcept {
    const Index rows = this->rows();
    const Index cols = this->cols();
    storage_.swap(other.storage_);
    seat(other.rows(), other.cols());
    other.seat(rows, cols);
  }

 private:
  static Index checked_size(Index rows, Index cols) {
    if (rows < 0 || cols < 0 || (cols > 0 && rows > PTRDIFF_MAX / cols))
      throw ShapeError(detail::message("Matrix: impossible shape ", shape_string(rows, cols)));
    return rows * cols;
  }
  // Eigen documents placement new as the way to point a map elsewhere.
  void seat(Index rows, Index cols) noexcept {
    ::new (static_cast<void*>(static_cast<Base*>(this))) Base(storage_.data(), rows, cols);
  }

  AlignedVector<Scalar> storage_;
};

}  // namespace hourglass
