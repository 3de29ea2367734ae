#include "hourglass/models/vq_autoencoder.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "hourglass/core/threads.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/models/codebook_ema.hpp"
#include "hourglass/models/vq_loss.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/sgd.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

/// 6 features, 2 vectors of 2 dimensions, 5 codes.
template <class Scalar>
auto small_model() {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, Scalar>;
  hg::VQAutoencoder model{hg::Sequential{Linear{6, 5}, hg::Tanh{}, Linear{5, 4}}, hg::VectorQuantizer<Scalar>{5, 2},
                          hg::Sequential{Linear{4, 5}, hg::Tanh{}, Linear{5, 6}, hg::Sigmoid{}}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  return model;
}

hg::Matrix<double> pixels(hg::Index rows, hg::Index cols = 6) {
  hg::Matrix<double> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

template <class Model>
std::string first_names(const Model& model) {
  std::string names;
  hg::for_each_parameter(model, [&](const auto& name, const auto&) { names += name.str() + ' '; });
  return names;
}

}  // namespace

TEST_CASE("each vector becomes the nearest code") {
  auto model = small_model<double>();
  CHECK(first_names(model) ==
        "encoder.0.weight encoder.0.bias encoder.2.weight encoder.2.bias quantizer.weight "
        "decoder.0.weight decoder.0.bias decoder.2.weight decoder.2.bias ");
  const auto x = pixels(300);
  const hg::Matrix<double> code = model.encoder()(x);
  const auto indices = model.encode_indices(x);
  const hg::Matrix<double> quantized = model.encode(x);
  REQUIRE(indices.size() == 600);
  const auto weight = std::as_const(model.quantizer()).weight();
  for (hg::Index i = 0; i < 600; ++i) {
    const Eigen::RowVector2d z(code(i / 2, i % 2 * 2), code(i / 2, i % 2 * 2 + 1));
    hg::Index best = 0;
    (weight.rowwise() - z).rowwise().squaredNorm().minCoeff(&best);
    CHECK(indices[static_cast<std::size_t>(i)] == best);
    CHECK(quantized(i / 2, i % 2 * 2 + 1) == weight(best, 1));
  }
  hg::Workspace workspace{model, 300, hg::Purpose::inference};
  CHECK(model.forward(x, workspace) == model.reconstruct(x));
  CHECK(model.decode_indices(indices) == model.reconstruct(x));
  CHECK_THROWS_AS((void)model.decode_indices(std::vector<hg::Index>{1}), hg::ShapeError);
  CHECK_THROWS_AS((void)model.decode_indices(std::vector<hg::Index>{1, 5}), hg::ShapeError);
}

// The straight-through gradient is that of a loss that differs: the decoder reads z + sg(e - z), the distances have
// their constant halves. Check decoder and codebook against the true loss, and the encoder against that one.
TEST_CASE("gradients: codebook and decoder of the loss itself, encoder straight through") {
  const auto model = small_model<double>();
  const auto x = pixels(7);
  const hg::VQLoss loss{hg::BCELoss{}, {.commitment = 0.7, .codebook = 2}};
  hg::Workspace workspace{model, 7};
  (void)loss(model.forward(x, workspace), x, workspace);
  model.backward(x, workspace);
  const auto claimed = flat_gradients(model, workspace);
  const hg::Matrix<double> z0 = workspace.cache().code(7);
  const hg::Matrix<double> e0 = workspace.cache().quantized;
  const std::vector<hg::Index> indices = workspace.cache().indices;
  const auto f = [&](std::span<const double> flat) {
    auto moved = model;
    set_flat_parameters(moved, flat);
    const hg::Matrix<double> z = moved.encoder()(x);
    hg::Matrix<double> e(7, 4);
    moved.quantizer().look_up(indices.data(), {e.data(), 14, 2});
    const hg::Matrix<double> y = moved.decode(hg::Matrix<double>(z + (e0 - z0)));
    return hg::BCELoss{}(y, x) + 2 * (z0 - e).array().square().mean() + 0.7 * (z - e0).array().square().mean();
  };
  CHECK(gradcheck(f, flat_parameters(model), claimed) == "");
}

TEST_CASE("terms and perplexity") {
  const auto model = small_model<double>();
  const auto x = pixels(7);
  hg::Workspace workspace{model, 9};
  const auto output = model.forward(x, workspace);
  const hg::VQLoss loss{hg::MSELoss{hg::Reduction::sum}, {.commitment = 0.25}};
  const auto terms = loss(output, x, workspace);
  CHECK(terms.reconstruction == doctest::Approx(hg::MSELoss{}(output, x)));
  CHECK(terms.distance == doctest::Approx((model.encoder()(x) - model.encode(x)).array().square().mean()));
  CHECK(terms.loss == doctest::Approx(terms.reconstruction + 1.25 * terms.distance));
  CHECK(loss.value(output, x, workspace).loss == terms.loss);
  double entropy = 0;
  const auto indices = model.encode_indices(x);
  for (hg::Index k = 0; k < 5; ++k) {
    const double share = static_cast<double>(std::count(indices.begin(), indices.end(), k)) / 14;
    if (share > 0) entropy -= share * std::log(share);
  }
  CHECK(terms.perplexity == doctest::Approx(std::exp(entropy)));
  std::vector<hg::Index> counts(4);
  CHECK(hg::detail::perplexity(std::vector<hg::Index>{0, 1, 2, 3}, counts) == doctest::Approx(4));
  CHECK(hg::detail::perplexity(std::vector<hg::Index>{2, 2}, counts) == 1);
  CHECK_THROWS_AS((hg::VQLoss{hg::MSELoss{}, {.commitment = -1}}), hg::DataError);
}

TEST_CASE("moving averages: one step by hand, and k-means in the end") {
  auto model = small_model<double>();
  const auto x = pixels(8);
  const hg::Matrix<double> before = model.quantizer().weight();
  hg::Workspace workspace{model, 8};
  const hg::VQLoss loss{hg::MSELoss{}, {.codebook = 0}};
  (void)loss(model.forward(x, workspace), x, workspace);
  const hg::Matrix<double> code = workspace.cache().code(8);
  const auto indices = workspace.cache().indices;
  hg::CodebookEMA optimizer{hg::SGD<double>{{.lr = 0.0}}, {.decay = 0.9, .epsilon = 1e-3}};
  model.backward(x, workspace, optimizer);
  std::vector<double> sizes(5, 0.9);
  hg::Matrix<double> sums = 0.9 * before;
  double total = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto k = indices[i];
    sizes[static_cast<std::size_t>(k)] += 0.1;
    for (hg::Index d = 0; d < 2; ++d) sums(k, d) += 0.1 * code.data()[2 * i + static_cast<std::size_t>(d)];
  }
  for (const double size : sizes) total += size;
  for (hg::Index k = 0; k < 5; ++k) {
    const double size = sizes[static_cast<std::size_t>(k)];
    for (hg::Index d = 0; d < 2; ++d)
      CHECK(model.quantizer().weight()(k, d) == doctest::Approx(sums(k, d) / ((size + 1e-3) / (total + 5e-3) * total)));
  }
  for (int step = 0; step < 300; ++step) {
    (void)loss(model.forward(x, workspace), x, workspace);
    model.backward(x, workspace, optimizer);
  }
  // Each code in use is the mean of its vectors.
  (void)loss(model.forward(x, workspace), x, workspace);
  for (hg::Index k = 0; k < 5; ++k) {
    Eigen::RowVector2d mean(0, 0);
    double count = 0;
    for (std::size_t i = 0; i < 16; ++i)
      if (workspace.cache().indices[i] == k) {
        mean += Eigen::RowVector2d(code.data()[2 * i], code.data()[2 * i + 1]);
        ++count;
      }
    if (count > 0) CHECK((model.quantizer().weight().row(k) - mean / count).norm() < 0.01);
  }
  CHECK_THROWS_AS((hg::CodebookEMA{hg::SGD<double>{{.lr = 0.1}}, {.decay = 1}}), hg::DataError);
  CHECK_THROWS_AS((hg::CodebookEMA{hg::SGD<double>{{.lr = 0.1}}, {.epsilon = 0}}), hg::DataError);
}

TEST_CASE("training, with gradients and with averages; the same bits on any number of threads, fused or not") {
  // Four patterns, which two vectors of four codes can tell apart.
  hg::Matrix<float> x(240, 60);
  for (hg::Index i = 0; i < 240; ++i)
    for (hg::Index j = 0; j < 60; ++j) x(i, j) = (j * 4 / 60 == i % 4) ? 1.0f : 0.0f;
  const auto train = [&](int threads, bool fused, bool averages) {
    const int before = hg::num_threads();
    hg::set_num_threads(threads);
    hg::VQAutoencoder model{hg::Sequential{hg::Linear{60, 100}, hg::Tanh{}, hg::Linear{100, 8}},
                            hg::VectorQuantizer{4, 4},
                            hg::Sequential{hg::Linear{8, 100}, hg::Tanh{}, hg::Linear{100, 60}, hg::Sigmoid{}}};
    hg::Rng rng{3};
    hg::initialize(model, rng);
    hg::Workspace workspace{model, 240};
    const hg::VQLoss loss{hg::BCELoss{}, {.codebook = averages ? 0.0 : 1.0}};
    hg::VQTerms<float> terms;
    const auto run = [&](auto optimizer) {
      for (int step = 0; step < 60; ++step) {
        terms = loss(model.forward(x, workspace, hg::Training{rng}), x, workspace);
        if (fused) {
          model.backward(x, workspace, optimizer);
        } else {
          model.backward(x, workspace);
          optimizer.step(model, workspace);
        }
      }
    };
    if (averages)
      run(hg::CodebookEMA{hg::Adam{{.lr = 1e-2f}}, {.decay = 0.9}});
    else
      run(hg::Adam{{.lr = 1e-2f}});
    hg::set_num_threads(before);
    CHECK(terms.reconstruction < 0.05f);
    CHECK(terms.perplexity > 1.5f);
    return hg::Matrix<float>(model.reconstruct(x));
  };
  for (const bool averages : {false, true}) {
    const auto expected = train(1, true, averages);
    CHECK(train(2, true, averages) == expected);
    CHECK(train(5, false, averages) == expected);
  }
}

TEST_CASE("widths that do not fit are refused") {
  using hg::Linear;
  CHECK_THROWS_WITH_AS((hg::VQAutoencoder{Linear{6, 5}, hg::VectorQuantizer{4, 2}, Linear{5, 6}}),
                       doctest::Contains("5 features, no multiple of the 2"), hg::ShapeError);
  CHECK_THROWS_AS((hg::VQAutoencoder{Linear{6, 4}, hg::VectorQuantizer{4, 2}, Linear{5, 6}}), hg::ShapeError);
  CHECK_THROWS_AS((hg::VectorQuantizer{0, 2}), hg::ShapeError);
  CHECK_THROWS_AS((hg::VectorQuantizer{2, 0}), hg::ShapeError);
}
