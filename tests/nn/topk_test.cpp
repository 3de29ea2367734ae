#include "hourglass/nn/topk.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

/// Output and input gradient for dy in one mode.
template <class M>
struct Pass {
  hg::Matrix<double> y;
  hg::Matrix<double> dx;

  Pass(const hg::TopK& layer, const hg::Matrix<double>& x, const hg::Matrix<double>& dy, const M& mode) {
    auto cache = hg::detail::plan<double>(layer, x.rows(), x.cols(), hg::Purpose::training);
    const hg::ConstMatrixView<double> view(x);
    y = hg::detail::propagate<double>(layer, view, cache, mode, {0, x.rows()});
    dx = hg::Matrix<double>(x.rows(), x.cols());
    hg::detail::backward_inputs<double>(layer, view, hg::ConstMatrixView<double>(dy), cache, nullptr,
                                        hg::MatrixView<double>(dx), {0, x.rows()});
  }
};

}  // namespace

TEST_CASE("the k largest by value are kept, and the gradient passes through them") {
  hg::Rng rng{1};
  const hg::Matrix<double> x{{3, -5, 1, 2}, {-4, -3, -2, -1}, {0, 7, 0, -1}};
  const hg::Matrix<double> dy{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
  const Pass pass(hg::TopK{2}, x, dy, hg::Training{rng});
  CHECK(pass.y == hg::Matrix<double>{{3, 0, 0, 2}, {0, 0, -2, -1}, {0, 7, 0, 0}});
  // A kept zero passes its gradient: of the two in the last row the first one was kept.
  CHECK(pass.dx == hg::Matrix<double>{{1, 0, 0, 4}, {0, 0, 7, 8}, {9, 10, 0, 0}});
}

TEST_CASE("of equal values the first are kept") {
  hg::Rng rng{1};
  const hg::Matrix<double> x{{2, 5, 5, 5, 5, 9}};
  const hg::Matrix<double> ones = hg::Matrix<double>::Ones(1, 6);
  const Pass pass(hg::TopK{3}, x, ones, hg::Training{rng});
  CHECK(pass.y == hg::Matrix<double>{{0, 5, 5, 0, 0, 9}});
  CHECK(pass.dx == hg::Matrix<double>{{0, 1, 1, 0, 0, 1}});
}

TEST_CASE("inference keeps alpha k, at most all") {
  hg::Rng rng{1};
  const hg::Matrix<double> x{{4, 3, 2, 1}};
  const hg::TopK layer{2, 1.5};
  CHECK(Pass(layer, x, x, hg::Training{rng}).y == hg::Matrix<double>{{4, 3, 0, 0}});
  CHECK(Pass(layer, x, x, hg::Inference{}).y == hg::Matrix<double>{{4, 3, 2, 0}});
  CHECK(Pass(layer, x, x, hg::Inference{}).dx == hg::Matrix<double>{{4, 3, 2, 0}});
  CHECK(Pass(layer, x, x, hg::Sampling{rng}).y == hg::Matrix<double>{{4, 3, 2, 0}});
  CHECK(Pass(hg::TopK{3, 1e30}, x, x, hg::Inference{}).y == x);
  CHECK(Pass(hg::TopK{4}, x, x, hg::Training{rng}).y == x);
}

TEST_CASE("NaN does not vanish, infinities rank as they should") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  hg::Rng rng{1};
  const hg::Matrix<double> x{{1, std::nan(""), 2, infinity}, {-infinity, 1, -infinity, -infinity}};
  const Pass pass(hg::TopK{2}, x, x, hg::Training{rng});
  CHECK(std::isnan(pass.y(0, 1)));
  CHECK(pass.y(0, 3) == infinity);
  CHECK(pass.y(0, 2) == 0);
  CHECK(pass.y.row(1) == hg::Matrix<double>{{-infinity, 1, 0, 0}}.row(0));
}

TEST_CASE("the same as sorting, on every instruction set, for widths around those of vectors") {
  hg::Rng rng{4};
  for (const hg::Index width : {1, 3, 8, 15, 16, 17, 40}) {
    hg::Matrix<float> x(3, width);
    rng.fill_normal(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
    // Ties at zero, as a ReLU makes them, and numbers of all sizes.
    x.row(1) = x.row(1).cwiseMax(0);
    x.row(2) *= 1e30f;
    for (const hg::Index k : {hg::Index{1}, (width + 1) / 2, width}) {
      hg::Matrix<float> expected = hg::Matrix<float>::Zero(3, width);
      for (hg::Index row = 0; row < 3; ++row) {
        std::vector<hg::Index> order(static_cast<std::size_t>(width));
        std::iota(order.begin(), order.end(), hg::Index{0});
        std::ranges::stable_sort(order, [&](auto a, auto b) { return x(row, a) > x(row, b); });
        for (hg::Index i = 0; i < k; ++i) {
          const hg::Index column = order[static_cast<std::size_t>(i)];
          expected(row, column) = x(row, column);
        }
      }
      for_each_isa([&] {
        CAPTURE(width);
        CAPTURE(k);
        CAPTURE(hg::isa_name(hg::isa()));
        const hg::Sequential model{hg::TopK{k}};
        hg::Workspace workspace{model, 3, width};
        CHECK(model.forward(x, workspace) == expected);
      });
    }
  }
}

TEST_CASE("denormals count as zero") {
  const float tiny = 1e-40f;
  const hg::Sequential model{hg::TopK{2}};
  hg::Workspace workspace{model, 1, 4};
  const hg::Matrix<float> x{{-1, 0, tiny, 0}};
  const hg::Matrix<float> y = model.forward(x, workspace);
  CHECK(y == hg::Matrix<float>{{0, 0, tiny, 0}});
  const hg::Matrix<float> late{{0, -1, 0, tiny}};
  CHECK(model.forward(late, workspace).isZero(0));
}

TEST_CASE("many rows on many threads") {
  hg::Matrix<double> x(200, 300);
  hg::Rng rng{2};
  rng.fill_normal(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  const int before = hg::num_threads();
  hg::set_num_threads(1);
  const Pass serial(hg::TopK{25}, x, x, hg::Training{rng});
  hg::set_num_threads(3);
  const Pass parallel(hg::TopK{25}, x, x, hg::Training{rng});
  hg::set_num_threads(before);
  CHECK(serial.y == parallel.y);
  CHECK(serial.dx == serial.y);
  CHECK(parallel.dx == serial.dx);
  CHECK((serial.y.array() != 0).rowwise().count().isConstant(25));
}

TEST_CASE("gradient check inside a network") {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::Sequential model{Linear{5, 6}, hg::Tanh{}, hg::TopK{2}, Linear{6, 5}};
  hg::Rng rng{3};
  hg::initialize(model, rng);
  hg::Matrix<double> x(4, 5);
  rng.fill_normal(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  const auto pass = [&](const auto& m, auto& workspace) {
    return hg::MSELoss{}(m.forward(x, workspace), x, workspace);
  };
  CHECK(model_gradcheck(model, x, pass) == "");
}

TEST_CASE("errors") {
  CHECK_THROWS_AS(hg::TopK{0}, hg::ShapeError);
  CHECK_THROWS_AS((hg::TopK{1, 0.9}), hg::DataError);
  CHECK_THROWS_AS((hg::TopK{1, std::nan("")}), hg::DataError);
  CHECK_THROWS_WITH_AS((hg::Sequential{hg::Linear{8, 4}, hg::TopK{5}}),
                       doctest::Contains("k = 5 values of a row of 4 features"), hg::ShapeError);
  CHECK((hg::Sequential{hg::Linear{8, 4}, hg::TopK{4}}.out_features(8)) == 4);
}
