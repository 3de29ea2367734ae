#include "hourglass/nn/vector_quantizer.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace hg = hourglass;

TEST_CASE("the nearest code, the first of two that are equally near") {
  hg::VectorQuantizer<float> quantizer{3, 2};
  quantizer.weight() << 1, 0, -1, 0, 0, 5;
  hg::Matrix<float> norms(1, 3);
  quantizer.half_norms(norms.data());
  CHECK(norms == hg::Matrix<float>{{-0.5f, -0.5f, -12.5f}});
  const hg::Matrix<float> z{{2, 1}, {-0.1f, 0}, {0, 0}, {0, 2.7f}};
  hg::Matrix<float> scores(4, 3);
  std::vector<hg::Index> indices(4);
  quantizer.nearest(z, norms.data(), scores, indices.data());
  CHECK(indices == std::vector<hg::Index>{0, 1, 0, 2});
  hg::Matrix<float> quantized(4, 2);
  quantizer.look_up(indices.data(), quantized);
  CHECK(quantized == hg::Matrix<float>{{1, 0}, {-1, 0}, {1, 0}, {0, 5}});
}

TEST_CASE("errors") {
  hg::VectorQuantizer<float> quantizer{3, 2};
  hg::Matrix<float> norms(1, 3), scores(4, 3), narrow(4, 2);
  std::vector<hg::Index> indices(4);
  CHECK_THROWS_WITH_AS(quantizer.nearest(hg::Matrix<float>(4, 3), norms.data(), scores, indices.data()),
                       doctest::Contains("codebook (3, 2)"), hg::ShapeError);
  CHECK_THROWS_AS(quantizer.nearest(narrow, norms.data(), narrow, indices.data()), hg::ShapeError);
}
