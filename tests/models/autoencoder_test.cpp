#include "hourglass/models/autoencoder.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "hourglass/data/images.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/models/symmetric.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/tanh.hpp"
#include "model_gradcheck.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar>
hg::Matrix<Scalar> pixels(hg::Index rows, hg::Index cols) {
  hg::Matrix<Scalar> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

}  // namespace

TEST_CASE("names, widths and parts") {
  hg::Autoencoder model{hg::Sequential{hg::Linear<6, 4>{}, hg::ReLU{}, hg::Linear<4, 2>{}},
                        hg::Sequential{hg::Linear<2, 6>{}, hg::Sigmoid{}}};
  static_assert(decltype(model)::static_in == 6 && decltype(model)::static_out == 6);
  hg::Rng rng{1};
  hg::initialize(model, rng);
  std::vector<std::string> names;
  hg::for_each_parameter(model, [&](const auto& name, auto&) { names.push_back(name.str()); });
  CHECK(names == std::vector<std::string>{"encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias",
                                          "decoder.0.weight", "decoder.0.bias"});
  CHECK(model.code_features() == 2);
  const auto x = pixels<float>(5, 6);
  const auto code = model.encode(x);
  CHECK(code.cols() == 2);
  CHECK(model.decode(code) == model.reconstruct(x));
  CHECK(code == model.encoder()(x));
  hg::Workspace workspace{model, 5};
  CHECK(model.forward(x, workspace) == model.reconstruct(x));
  CHECK(workspace.bytes() > 0);
}

TEST_CASE("reconstruct takes matrices, blocks, expressions and 8-bit images, and many rows at once") {
  auto model = hg::symmetric_autoencoder({4, 2});
  hg::Rng rng{2};
  hg::initialize(model, rng);
  const auto x = pixels<float>(700, 4);
  const auto y = model.reconstruct(x);
  CHECK(y.rows() == 700);
  CHECK(model.reconstruct(x.bottomRows(100)) == y.bottomRows(100));
  CHECK(model.reconstruct(0.5f * (x + x)) == y);
  const hg::Images images({0, 51, 102, 255, 255, 0, 0, 51}, 2, 2, 2);
  const hg::Matrix<float> as_matrix{{0, 0.2f, 0.4f, 1}, {1, 0, 0, 0.2f}};
  CHECK(model.reconstruct(images.topRows(2)) == model.reconstruct(as_matrix));
  CHECK(model.reconstruct(hg::Matrix<float>(0, 4)).rows() == 0);
}

TEST_CASE("gradient check") {
  using Linear = hg::Linear<hg::Dynamic, hg::Dynamic, double>;
  hg::Autoencoder model{hg::Sequential{Linear{5, 4}, hg::Tanh{}, Linear{4, 2}, hg::Tanh{}},
                        hg::Sequential{Linear{2, 4}, hg::Tanh{}, Linear{4, 5}, hg::Sigmoid{}}};
  hg::Rng rng{3};
  hg::initialize(model, rng);
  const auto x = pixels<double>(6, 5);
  const auto pass = [&](const auto& m, auto& workspace) {
    return hg::BCELoss{}(m.forward(x, workspace), x, workspace);
  };
  CHECK(model_gradcheck(model, x, pass) == "");
  auto deep = hg::symmetric_autoencoder<double>(std::vector<hg::Index>{5, 4, 3, 2});
  hg::initialize(deep, rng);
  // A kink of a ReLU within eps of an input would spoil central differences; these seeds have none.
  CHECK(model_gradcheck(deep, x, pass) == "");
}

TEST_CASE("a code that does not fit the decoder is refused") {
  CHECK_THROWS_WITH_AS((hg::Autoencoder{hg::Linear{6, 3}, hg::Linear{2, 6}}),
                       doctest::Contains("a code of 3 features, the decoder expects 2"), hg::ShapeError);
}

TEST_CASE("halving widths") {
  CHECK(hg::halving_widths(784, 32) == std::vector<hg::Index>{784, 392, 196, 98, 49, 32});
  CHECK(hg::halving_widths(784, 392) == std::vector<hg::Index>{784, 392});
  CHECK(hg::halving_widths(784, 500) == std::vector<hg::Index>{784, 500});
  CHECK_THROWS_AS((void)hg::halving_widths(784, 784), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::halving_widths(784, 0), hg::ShapeError);
  const auto model = hg::symmetric_autoencoder(784, 32);
  CHECK(model.encoder().depth() == 5);
  CHECK(model.decoder().depth() == 5);
  CHECK(model.code_features() == 32);
  CHECK(model.out_features(784) == 784);
  const auto vae = hg::symmetric_variational_autoencoder(784, 20);
  CHECK(vae.latent_features() == 20);
  CHECK(vae.encoder().out_features() == 40);
  CHECK(vae.out_features(784) == 784);
}

TEST_CASE("copies of a model share nothing") {
  auto model = hg::symmetric_autoencoder({4, 2});
  const auto copy = model;
  hg::Rng rng{1};
  hg::initialize(model, rng);
  CHECK(copy.encoder().linear(0).weight().isZero());
  CHECK(!model.encoder().linear(0).weight().isZero());
}

TEST_CASE("inference in a workspace gives what it gives without one, on any number of threads at once") {
  auto model = hg::symmetric_autoencoder({90, 60, 20});
  hg::Rng rng{1};
  hg::initialize(model, rng);
  const auto x = pixels<float>(200, 90);
  const hg::Matrix<float> code = model.encode(x);
  const hg::Matrix<float> output = model.reconstruct(x);
  std::vector<std::thread> threads;
  std::atomic<int> differences{0};
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      hg::Workspace workspace{model, 200, hg::Purpose::inference};
      for (const hg::Index rows : {hg::Index{200}, hg::Index{1}, hg::Index{7}}) {
        const hg::ConstMatrixView<float> batch(x.data(), rows, 90);
        if (model.encode(batch, workspace) != code.topRows(rows)) ++differences;
        const hg::ConstMatrixView<float> codes(code.data(), rows, 20);
        if (model.decode(codes, workspace) != output.topRows(rows)) ++differences;
        if (model.reconstruct(batch, workspace) != output.topRows(rows)) ++differences;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(differences == 0);
  hg::Workspace workspace{model, 8};
  CHECK_THROWS_WITH_AS(model.encode(x, workspace), doctest::Contains("200 rows, room for 8"), hg::ShapeError);
  CHECK_THROWS_AS(model.decode(x, workspace), hg::ShapeError);
  (void)model.forward(x.topRows(8), workspace);
  (void)model.encode(x.topRows(8), workspace);
  CHECK_THROWS_AS(model.backward(x.topRows(8), workspace), hg::ShapeError);  // that pass is gone
}
