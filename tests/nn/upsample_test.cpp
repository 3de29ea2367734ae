#include "hourglass/nn/upsample.hpp"

#include <span>
#include <string>
#include <utility>

#include "each_isa.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "images.hpp"

namespace hg = hourglass;
using hg::ImageShape;

TEST_CASE("Upsample equals PyTorch's") {
  check_images<float>(hg::Upsample{ImageShape{2, 2, 3}, 2}, "upsample");
  check_images<double>(hg::Upsample<ImageShape{2, 2, 3}, 2>{}, "upsample");
  check_images<float>(hg::Upsample{ImageShape{2, 2, 3}, {1, 3}}, "upsample_rectangular");
}

TEST_CASE("gradient check") {
  CHECK(image_gradcheck(DynamicConv2d<double>{{1, 2, 3}, 2, 1}, hg::Upsample{ImageShape{2, 2, 3}, 2},
                        DynamicConv2d<double>{{2, 4, 6}, 1, 3}) == "");
}

TEST_CASE("bilinear interpolation equals PyTorch's") {
  for (const bool align_corners : {false, true}) {
    const hg::UpsampleOptions options{.mode = hg::UpsampleMode::bilinear, .align_corners = align_corners};
    const std::string aligned = align_corners ? "_aligned" : "";
    check_images<float>(hg::Upsample{ImageShape{2, 4, 5}, 2, options}, "doubled" + aligned, "upsample");
    check_images<double>(hg::Upsample<ImageShape{2, 4, 5}, 2>{options}, "doubled" + aligned, "upsample");
    check_images<float>(hg::Upsample{ImageShape{3, 3, 2}, {1, 3}, options}, "rectangular" + aligned, "upsample");
    check_images<double>(hg::Upsample{ImageShape{3, 3, 2}, {1, 3}, options}, "rectangular" + aligned, "upsample");
    check_images<float>(hg::Upsample{ImageShape{1, 1, 4}, {4, 5}, options}, "single_row" + aligned, "upsample");
    check_images<float>(hg::Upsample{ImageShape{2, 1, 1}, 3, options}, "pixel" + aligned, "upsample");
  }
}

TEST_CASE("bilinear gradients") {
  for (const bool align_corners : {false, true})
    CHECK(image_gradcheck(DynamicConv2d<double>{{1, 3, 4}, 2, 1},
                          hg::Upsample{ImageShape{2, 3, 4}, {2, 3}, {hg::UpsampleMode::bilinear, align_corners}},
                          DynamicConv2d<double>{{2, 6, 12}, 1, 3}) == "");
}

TEST_CASE("bilinear passes have the same bits on any number of threads and every instruction set") {
  const hg::Sequential model{hg::ReLU{}, hg::Upsample{ImageShape{4, 9, 11}, 3, {hg::UpsampleMode::bilinear}}};
  hg::Rng rng{3};
  hg::Matrix<float> x(40, model.in_features());
  rng.fill_normal(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  const auto pass = [&](int threads) {
    const int before = hg::num_threads();
    hg::set_num_threads(threads);
    auto cache = model.plan(x.rows(), x.cols(), hg::Purpose::training);
    const hg::RowRange rows{0, x.rows()};
    const hg::ConstMatrixView<float> view(x);
    const hg::Matrix<float> y = model.forward(view, cache, hg::Inference{}, rows);
    hg::Matrix<float> dx(x.rows(), x.cols());
    model.backward_inputs(view, hg::ConstMatrixView<float>(y), cache, nullptr, hg::MatrixView<float>(dx), rows);
    hg::set_num_threads(before);
    return std::pair{y, dx};
  };
  const auto expected = pass(1);
  CHECK(pass(3) == expected);
  for_each_fusing_isa([&] { CHECK(pass(2) == expected); });
}

TEST_CASE("a constant image stays constant") {
  const hg::Sequential model{hg::Upsample{ImageShape{1, 3, 3}, 7, {hg::UpsampleMode::bilinear}}};
  const hg::Matrix<float> x = hg::Matrix<float>::Constant(2, 9, 0.1f);
  CHECK(model(x) == hg::Matrix<float>::Constant(2, 441, 0.1f));
}

TEST_CASE("errors") {
  CHECK_THROWS_AS((hg::Upsample{ImageShape{1, 4, 4}, 2, {.align_corners = true}}), hg::DataError);
  CHECK_THROWS_WITH_AS((hg::Upsample{ImageShape{1, 4, 4}, 0}),
                       "Upsample: scale_factor (0, 0) is impossible; it is a whole number from 1 on", hg::ShapeError);
  CHECK_THROWS_AS((hg::Upsample{ImageShape{1, 0, 4}, 2}), hg::ShapeError);
}
