// How a workspace shares the rows of a batch among threads.
#include "hourglass/nn/workspace.hpp"

#include <doctest/doctest.h>

#include <span>

#include "hourglass/core/threads.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/nn/batch_norm.hpp"
#include "hourglass/nn/conv2d.hpp"
#include "hourglass/nn/dropout.hpp"
#include "hourglass/nn/flatten.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/layer_norm.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/topk.hpp"

namespace hg = hourglass;
using hg::Index;

namespace {

constexpr Index batch = 150;
constexpr Index width = 192;

/// y = the number of rows that came at a time.
struct RowsAtATime {
  static constexpr bool preserves_width = true;
  [[nodiscard]] static Index in_features() noexcept { return hg::Dynamic; }
  [[nodiscard]] static Index out_features(Index in) noexcept { return in; }
  [[nodiscard]] static bool takes_rows_in_inference() noexcept { return true; }
  template <class Scalar, hg::Mode M>
  void forward(const hg::ConstMatrixView<Scalar>& x, hg::MatrixView<Scalar> y, std::span<Scalar>, const M&) const {
    y.setConstant(static_cast<Scalar>(x.rows()));
  }
};

hg::Matrix<float> inputs(Index cols) {
  hg::Matrix<float> x(batch, cols);
  hg::Rng{4}.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

class Threads {
 public:
  explicit Threads(int count) : before_{hg::num_threads()} { hg::set_num_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { hg::set_num_threads(before_); }

 private:
  int before_;
};

/// Rows at a time behind the given layer, with two threads.
template <class Layer, hg::Mode M = hg::Inference>
float rows_behind(const Layer& layer, hg::Purpose purpose = hg::Purpose::inference, const M& mode = {}) {
  const Threads two(2);
  const hg::Sequential model{hg::Linear{width, width}, layer, RowsAtATime{}};
  hg::Workspace workspace{model, batch, purpose};
  return model.forward(inputs(width), workspace, mode)(0, 0);
}

/// In inference, after a training pass so that running statistics are no simple numbers: the bits with any number of
/// threads are those with one.
template <class Model>
void check_bits(Model model) {
  hg::Rng rng{2};
  hg::initialize(model, rng);
  const auto x = inputs(model.in_features());
  {
    hg::Workspace workspace{model, batch};
    (void)model.forward(x, workspace, hg::Training{rng});
    workspace.update_buffers(model);
  }
  const auto outputs = [&](int count, hg::Purpose purpose) {
    const Threads threads(count);
    hg::Workspace workspace{model, batch, purpose};
    return hg::Matrix<float>(model.forward(x, workspace));
  };
  const auto expected = outputs(1, hg::Purpose::training);
  for (const int count : {1, 2, 3, 8}) {
    CAPTURE(count);
    CHECK(outputs(count, hg::Purpose::inference) == expected);
    CHECK(outputs(count, hg::Purpose::training) == expected);
  }
}

}  // namespace

TEST_CASE("layers whose rows only meet when they train: each thread takes its rows through the network") {
  CHECK(rows_behind(hg::ReLU{}) == 75);
  CHECK(rows_behind(hg::BatchNorm1d{width}) == 75);
  CHECK(rows_behind(hg::BatchNorm2d{3}) == 75);
  CHECK(rows_behind(hg::LayerNorm{width}) == 75);
  CHECK(rows_behind(hg::Dropout{0.5}) == 75);
  CHECK(rows_behind(hg::TopK{5, 1.5}) == 75);
  CHECK(rows_behind(hg::Sequential{hg::TopK{5}, hg::BatchNorm1d{width}}) == 75);
}

TEST_CASE("rows stay together where they meet, or where a backward pass may follow") {
  CHECK(rows_behind(hg::BatchNorm1d{width, {.track_running_stats = false}}) == 150);
  CHECK(rows_behind(hg::Sequential{hg::ReLU{}, hg::BatchNorm2d{3, {.track_running_stats = false}}}) == 150);
  CHECK(rows_behind(hg::TopK{5}, hg::Purpose::training) == 150);
  hg::Rng rng{1};
  CHECK(rows_behind(hg::BatchNorm1d{width}, hg::Purpose::training, hg::Training{rng}) == 150);
}

TEST_CASE("inference has the same bits with any number of threads") {
  check_bits(hg::Autoencoder{
      hg::Sequential{hg::Linear{width, 300}, hg::BatchNorm1d{300}, hg::ReLU{}, hg::Linear{300, 200}, hg::TopK{20, 1.3}},
      hg::Sequential{hg::Linear{200, 300}, hg::LayerNorm{300}, hg::ReLU{}, hg::Dropout{0.3}, hg::Linear{300, width},
                     hg::Sigmoid{}}});
  check_bits(hg::Sequential{hg::Conv2d{hg::ImageShape{1, 12, 12}, 8, 3, {.padding = 1}}, hg::BatchNorm2d{8}, hg::ReLU{},
                            hg::Flatten{}, hg::Linear{1152, 40}, hg::BatchNorm1d{40, {.track_running_stats = false}}});
}
