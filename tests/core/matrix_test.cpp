#include "hourglass/core/matrix.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace hg = hourglass;

namespace {
bool aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 64 == 0; }
}  // namespace

TEST_CASE_TEMPLATE("Matrix owns aligned zeros and behaves like an Eigen matrix", Scalar, float, double) {
  hg::Matrix<Scalar> m(3, 5);
  CHECK(aligned(m.data()));
  CHECK(m.isZero());
  m(1, 2) = 4;
  CHECK(m.sum() == 4);
  const hg::Matrix<Scalar> product = m * m.transpose();
  CHECK(product.rows() == 3);
  CHECK(product(1, 1) == 16);
  CHECK(aligned(product.data()));
}

TEST_CASE("copies are deep, moves leave an empty matrix, assignment resizes") {
  hg::Matrix<float> a{{1, 2}, {3, 4}};
  hg::Matrix<float> b = a;
  b(0, 0) = 9;
  CHECK(a(0, 0) == 1);
  const float* memory = b.data();
  hg::Matrix<float> c = std::move(b);
  CHECK(c.data() == memory);
  CHECK(c(0, 0) == 9);
  c = a.topRows(1);
  CHECK(c.rows() == 1);
  CHECK(c(0, 1) == 2);
  a = a.transpose().eval();
  CHECK(a(0, 1) == 3);
  a = a.transpose();  // reads what it overwrites
  CHECK(a(0, 1) == 2);
  a = std::as_const(a);
  CHECK(a(1, 1) == 4);
  hg::Matrix<float> empty;
  CHECK(empty.size() == 0);
  empty = a;
  CHECK(empty(1, 0) == 3);
}

TEST_CASE("impossible matrices") {
  CHECK_THROWS_AS(hg::Matrix<float>(-1, 2), hg::ShapeError);
  CHECK_THROWS_AS(hg::Matrix<float>(std::numeric_limits<hg::Index>::max(), 2), hg::ShapeError);
  CHECK_THROWS_WITH_AS((hg::Matrix<float>{{1, 2}, {3}}), doctest::Contains("row 1 has 1"), hg::ShapeError);
}

TEST_CASE("ConstMatrixView reads any contiguous row-major object in place") {
  hg::Matrix<float> m{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  const auto view = [](const hg::ConstMatrixView<float>& v) { return v; };
  CHECK(view(m).data() == m.data());
  CHECK(view(m.middleRows(1, 2))(0, 0) == 4);
  CHECK(view(m.middleRows(1, 2)).data() == m.data() + 3);
  hg::RowMajorMatrix<float> eigen = m;
  CHECK(view(eigen).data() == eigen.data());
  Eigen::Matrix<float, 2, 2, Eigen::RowMajor> fixed;
  fixed << 1, 2, 3, 4;
  CHECK(view(fixed)(1, 0) == 3);
  const Eigen::RowVectorXf row = m.row(2);
  CHECK(view(row).rows() == 1);
  CHECK(view(row)(0, 2) == 9);
  CHECK(view(m.row(1))(0, 1) == 5);
  CHECK(view(hg::MatrixView<float>(m.data(), 1, 9)).cols() == 9);
}

TEST_CASE("ConstMatrixView refuses gaps instead of copying") {
  hg::Matrix<float> m{{1, 2, 3}, {4, 5, 6}};
  const auto view = [](const hg::ConstMatrixView<float>& v) { return v.rows(); };
  CHECK_THROWS_WITH_AS(view(m.leftCols(2)), doctest::Contains("(2, 2) has gaps"), hg::ShapeError);
  CHECK(view(m.leftCols(3)) == 2);
  CHECK(view(m.topLeftCorner(1, 2)) == 1);
}
