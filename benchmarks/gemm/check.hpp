// Memory of a product, and the check of its result against float64.
#pragma once

#include <cstddef>
#include <memory>

#include "product.hpp"

namespace benchmark {

/// The matrices of a product, aligned to cache lines: A, B and the bias hold numbers from [-1, 1), the same on every
/// call, C holds NaN.
class Matrices {
 public:
  explicit Matrices(const Product& shape);

  /// The product with its memory.
  [[nodiscard]] const Product& product() const noexcept { return product_; }
  void forget_result();

  /// Largest error of an element of C over what rounding can explain, k epsilon |row of A| |column of B|; above 1, or
  /// NaN, the result is wrong. Every element is checked where that takes up to some 50 ms, whole rows otherwise.
  [[nodiscard]] double error() const;

 private:
  struct Free {
    void operator()(float* memory) const noexcept;
  };
  using Buffer = std::unique_ptr<float[], Free>;
  [[nodiscard]] static Buffer allocate(Index size);

  Product product_;
  Buffer a_, b_, bias_, c_;
};

}  // namespace benchmark
