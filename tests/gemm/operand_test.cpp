#include "hourglass/gemm/operand.hpp"

#include <doctest/doctest.h>

#include <array>

namespace hg = hourglass;

TEST_CASE("one memory, read by rows, by columns and transposed") {
  constexpr std::array<float, 8> memory{0, 1, 2, 3, 4, 5, 6, 7};
  const hg::Operand<float> rows = hg::row_major(memory.data(), 4);        // 0 1 2 3 / 4 5 6 7
  const hg::Operand<float> columns = hg::column_major(memory.data(), 2);  // 0 2 4 6 / 1 3 5 7
  CHECK(rows(0, 3) == 3);
  CHECK(rows(1, 2) == 6);
  CHECK(columns(0, 3) == 6);
  CHECK(columns(1, 2) == 5);
  CHECK(hg::transpose(rows)(3, 1) == rows(1, 3));
  CHECK(hg::transpose(columns)(3, 1) == columns(1, 3));
  CHECK(hg::transpose(rows).data == memory.data());
  const hg::Operand<float> sparse{memory.data(), 4, 2};  // 0 2 / 4 6
  CHECK(sparse(1, 1) == 6);
  CHECK(hg::transpose(sparse)(0, 1) == 4);
}
