#include "hourglass/train/fit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "hourglass/core/isa.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/binarize.hpp"
#include "hourglass/data/mnist.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/negative_elbo.hpp"
#include "hourglass/models/symmetric.hpp"
#include "hourglass/nn/batch_norm.hpp"
#include "hourglass/nn/dropout.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/layer_norm.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/optim/adam.hpp"
#include "hourglass/optim/sgd.hpp"

namespace hg = hourglass;

namespace {

hg::Matrix<float> pixels(hg::Index rows, hg::Index cols, std::uint64_t seed = 8) {
  hg::Matrix<float> x(rows, cols);
  hg::Rng{seed}.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

auto small_model(std::uint64_t seed) {
  auto model = hg::symmetric_autoencoder({6, 4, 2});
  hg::Rng rng{seed};
  hg::initialize(model, rng);
  return model;
}

template <class Model>
std::vector<float> weights(const Model& model) {
  std::vector<float> all;
  hg::for_each_parameter(
      model, [&](const auto&, const auto& p) { all.insert(all.end(), p.values().begin(), p.values().end()); });
  return all;
}

}  // namespace

TEST_CASE("an autoencoder learns the committed digits") {
#ifdef HOURGLASS_WITH_ZLIB
  const auto digits = hg::load_mnist(HOURGLASS_SOURCE_DIR "/data/digits");
  hg::Rng rng{1};
  hg::Autoencoder model{hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}, hg::Linear<256, 64>{}, hg::ReLU{}},
                        hg::Sequential{hg::Linear<64, 256>{}, hg::ReLU{}, hg::Linear<256, 784>{}, hg::Sigmoid{}}};
  hg::initialize(model, rng);
  const auto history = hg::fit(model, digits.train.images, hg::BCELoss{}, hg::Adam{{.lr = 1e-3}},
                               {.epochs = 5, .validation = digits.test.images, .log = nullptr}, rng);
  REQUIRE(history.size() == 5);
  CHECK(history[0].test->loss < 0.27);  // PyTorch: 0.243 after one epoch, 0.146 after five
  CHECK(history[4].test->loss < 0.16);
  CHECK(history[4].test->loss > 0.10);  // below the entropy that these epochs leave would be a wrong loss
  CHECK(history[4].train.loss < history[0].train.loss);
  CHECK(hg::evaluate(model, digits.test.images, hg::BCELoss{}, rng).loss ==
        doctest::Approx(history[4].test->loss).epsilon(1e-6));
#else
  MESSAGE("SKIPPED: built without zlib");
#endif
}

TEST_CASE("a variational autoencoder learns, and its report splits the loss") {
  auto model = hg::symmetric_variational_autoencoder({6, 16, 2});
  hg::Rng rng{1};
  hg::initialize(model, rng);
  hg::Matrix<float> data(512, 6);
  for (hg::Index i = 0; i < data.rows(); ++i) data.row(i).setConstant(i % 2 == 0 ? 0.02f : 0.98f);
  const auto history = hg::fit(model, data, hg::NegativeELBO{hg::BCELoss{}}, hg::Adam{{.lr = 1e-2}},
                               {.epochs = 40, .batch_size = 64, .validation = data, .log = nullptr}, rng);
  const auto& last = *history.back().test;
  REQUIRE(last.parts.size() == 2);
  CHECK(last.parts[0].first == "reconstruction");
  CHECK(last.loss == doctest::Approx(last.parts[0].second + last.parts[1].second));
  CHECK(last.loss < 0.6 * history[0].test->loss);
  CHECK(last.loss > 0.69);  // two equally likely patterns cost at least ln 2 nats
}

TEST_CASE("the same seed gives the same weights, at any number of threads and on any kernel that fuses") {
  const auto train = [](int threads, std::uint64_t seed) {
    const int before = hg::num_threads();
    hg::set_num_threads(threads);
    hg::Autoencoder model{hg::Sequential{hg::Linear{200, 180}, hg::ReLU{}, hg::Dropout{0.2}, hg::Linear{180, 20}},
                          hg::Sequential{hg::Linear{20, 200}, hg::Sigmoid{}}};
    hg::Rng rng{seed};
    hg::initialize(model, rng);
    const auto data = pixels(500, 200);  // large enough that products and losses use threads
    hg::fit(model, data, hg::BCELoss{}, hg::Adam{{}}, {.epochs = 2, .batch_size = 350, .log = nullptr}, rng);
    hg::set_num_threads(before);
    return weights(model);
  };
  const auto expected = train(1, 3);
  CHECK(train(2, 3) == expected);
  CHECK(train(5, 3) == expected);
  CHECK(train(1, 4) != expected);
  const hg::Isa before = hg::isa();
  if (before == hg::Isa::avx512) {
    hg::set_isa(hg::Isa::avx2);
    CHECK(train(2, 3) == expected);
  }
  hg::set_isa(before);
}

TEST_CASE("one step of SGD by hand: every sample counts once, the small last batch too") {
  hg::Sequential model{hg::Linear<1, 1>{}};
  model.layer<0>().weight()(0, 0) = 1;
  hg::Matrix<float> data(3, 1);
  data << 2, 2, 2;
  hg::Rng rng{1};
  // output 2 w; loss (2w - 2)^2 is 0 at w = 1, b = 0: nothing moves, and the mean over batches of 2 and 1 is exact.
  const auto still =
      hg::fit(model, data, hg::MSELoss{}, hg::SGD{{.lr = 0.1}}, {.epochs = 1, .batch_size = 2, .log = nullptr}, rng);
  CHECK(still[0].train.loss == 0);
  CHECK(model.layer<0>().weight()(0, 0) == 1);
  // output w 2 + b = 1 against 2: the loss is 1, its gradient -2 for the output, so -4 for w and -2 for b.
  model.layer<0>().weight()(0, 0) = 0;
  model.layer<0>().bias()(0, 0) = 1;
  const auto moved =
      hg::fit(model, data, hg::MSELoss{}, hg::SGD{{.lr = 0.1}}, {.epochs = 1, .batch_size = 3, .log = nullptr}, rng);
  CHECK(moved[0].train.loss == doctest::Approx(1));
  CHECK(model.layer<0>().weight()(0, 0) == doctest::Approx(0.4));
  CHECK(model.layer<0>().bias()(0, 0) == doctest::Approx(1.2));
}

TEST_CASE("sum and mean reductions report the same kind of number: per sample for a sum") {
  auto model = small_model(1);
  const auto data = pixels(10, 6);
  hg::Rng rng{1};
  const double mean = hg::evaluate(model, data, hg::MSELoss{}, rng, 4).loss;
  const double sum = hg::evaluate(model, data, hg::MSELoss{hg::Reduction::sum}, rng, 4).loss;
  const double batchmean = hg::evaluate(model, data, hg::MSELoss{hg::Reduction::batchmean}, rng, 4).loss;
  CHECK(sum == doctest::Approx(6 * mean));
  CHECK(batchmean == doctest::Approx(6 * mean));
}

TEST_CASE("callbacks see every epoch and can end the training") {
  auto model = small_model(1);
  const auto data = pixels(20, 6);
  hg::Rng rng{1};
  std::vector<hg::Index> seen;
  const auto history = hg::fit(model, data, hg::MSELoss{}, hg::Adam{{}},
                               {.epochs = 10,
                                .callbacks = {[&](const hg::EpochReport& report) { seen.push_back(report.epoch); },
                                              [](const hg::EpochReport& report) { return report.epoch < 3; }},
                                .log = nullptr},
                               rng);
  CHECK(history.size() == 3);
  CHECK(seen == std::vector<hg::Index>{1, 2, 3});
}

TEST_CASE("early stopping waits for its patience") {
  hg::EarlyStopping stop{2, 0.1};
  const auto report = [](double loss) {
    hg::EpochReport r;
    r.train.loss = 100;
    r.test = hg::LossReport{loss, {}};
    return r;
  };
  CHECK(stop(report(1.0)));
  CHECK(stop(report(0.95)));  // not 0.1 better
  CHECK(stop(report(0.8)));
  CHECK(stop(report(0.8)));
  CHECK(!stop(report(0.75)));
}

TEST_CASE("a checkpoint keeps the best weights") {
  const std::string path = HOURGLASS_TEST_OUTPUT_DIR "/best.safetensors";
  auto model = small_model(1);
  const auto best = weights(model);
  hg::ModelCheckpoint checkpoint{model, path};
  hg::EpochReport report;
  report.train.loss = 1;
  checkpoint(report);
  model.encoder().linear(0).weight().setZero();
  report.train.loss = 2;
  checkpoint(report);
  auto loaded = small_model(2);
  hg::load(loaded, path);
  CHECK(weights(loaded) == best);
}

TEST_CASE("running statistics follow every batch, whatever the optimiser") {
  hg::Matrix<float> data = pixels(1, 4).replicate(21, 1);
  const hg::Autoencoder start{hg::Sequential{hg::BatchNorm1d{4, {.momentum = std::nullopt}}},
                              hg::Sequential{hg::BatchNorm1d{4}}};
  const auto fitted = [&](auto&& optimizer, double clip, bool drop_last = true) {
    auto model = start;
    hg::Rng rng{1};
    hg::fit(model, data, hg::MSELoss{}, optimizer,
            {.epochs = 2,
             .batch_size = 5,
             .drop_last = drop_last,
             .validation = data,
             .clip_grad_norm = clip,
             .log = nullptr},
            rng);
    return model.encoder().template layer<0>();
  };
  CHECK_THROWS_WITH_AS(fitted(hg::SGD{{.lr = 0}}, 0, false), doctest::Contains("shape (1, 4)"), hg::ShapeError);
  // An optimiser that knows nothing of buffers, and takes no step.
  struct Still {
    static double lr() { return 0; }
    void step(const decltype(start)&, const hg::Workspace<std::remove_const_t<decltype(start)>>&) const {}
  };
  for (const auto& layer :
       {fitted(hg::SGD{{.lr = 0}}, 0), fitted(hg::SGD{{.lr = 0}}, 1), fitted(Still{}, 0), fitted(Still{}, 1)}) {
    CHECK(layer.num_batches_tracked() == 8);  // a 21st row is left out
    // The average over all batches of two epochs is that over the data, whose rows are all the same.
    for (hg::Index j = 0; j < 4; ++j) CHECK(layer.running_mean()(0, j) == doctest::Approx(data(0, j)).epsilon(1e-5));
  }
}

TEST_CASE("the ones of a normalising layer do not pass for initialised weights") {
  hg::Sequential model{hg::Linear{4, 3}, hg::BatchNorm1d{3}, hg::LayerNorm{hg::Shape{1, 3}}};
  CHECK_THROWS_WITH_AS(hg::detail::check_initialized(model), doctest::Contains("all parameters are zero"),
                       hg::DataError);
  hg::Rng rng{1};
  hg::initialize(model, rng);
  CHECK_NOTHROW(hg::detail::check_initialized(model));
  CHECK_NOTHROW(hg::detail::check_initialized(hg::Sequential{hg::BatchNorm1d{3}}));
}

TEST_CASE("schedules change the learning rate from a callback") {
  auto model = small_model(1);
  const auto data = pixels(20, 6);
  hg::Rng rng{1};
  hg::Adam optimizer{{.lr = 1e-2}};
  const auto history = hg::fit(model, data, hg::MSELoss{}, optimizer,
                               {.epochs = 3,
                                .callbacks = {[&](const hg::EpochReport&) { optimizer.set_lr(optimizer.lr() / 2); }},
                                .log = nullptr},
                               rng);
  CHECK(history[2].learning_rate == doctest::Approx(0.25e-2));
  CHECK(optimizer.steps() == 3);
}

TEST_CASE("penalties and clipping reach the optimiser") {
  const auto data = pixels(64, 6);
  const auto trained = [&](const hg::FitOptions<>& options) {
    auto model = small_model(1);
    hg::Rng rng{1};
    hg::fit(model, data, hg::MSELoss{}, hg::SGD{{.lr = 0.1}}, options, rng);
    double norm = 0;
    for (const float w : weights(model)) norm += double{w} * w;
    return norm;
  };
  const double plain = trained({.epochs = 20, .log = nullptr});
  CHECK(trained({.epochs = 20, .l2 = 0.05, .log = nullptr}) < 0.9 * plain);
  CHECK(trained({.epochs = 20, .l1 = 0.05, .log = nullptr}) < 0.9 * plain);
  const double start = trained({.epochs = 0, .log = nullptr});
  // A norm that small moves nothing in 20 steps of 0.1.
  CHECK(trained({.epochs = 20, .clip_grad_norm = 1e-9, .log = nullptr}) == doctest::Approx(start).epsilon(1e-6));
}

TEST_CASE("batches can be binarised on their way") {
  auto model = small_model(1);
  const auto data = pixels(50, 6);
  hg::Rng rng{1};
  hg::Index batches = 0;
  bool binary = true;
  hg::fit(model, data, hg::BCELoss{}, hg::Adam{{}},
          {.epochs = 2,
           .batch_size = 20,
           .validation = data,
           .transform =
               [&](hg::MatrixView<float> batch, hg::Rng& draws) {
                 hg::binarize(batch, draws);
                 binary = binary && (batch.array() == 0 || batch.array() == 1).all();
                 ++batches;
               },
           .log = nullptr},
          rng);
  CHECK(binary);
  CHECK(batches == 12);
  CHECK(data(0, 0) != 0);
  CHECK(data(0, 0) != 1);
}

TEST_CASE("metrics go to a CSV file, one row an epoch") {
  const std::string path = HOURGLASS_TEST_OUTPUT_DIR "/metrics.csv";
  auto model = small_model(1);
  const auto data = pixels(20, 6);
  hg::Rng rng{1};
  const auto history = hg::fit(model, data, hg::MSELoss{}, hg::Adam{{}},
                               {.epochs = 2, .validation = data, .metrics_csv = path, .log = nullptr}, rng);
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  CHECK(line == "epoch,train_loss,test_loss,seconds");
  std::getline(file, line);
  CHECK(line.starts_with("1,"));
  CHECK(std::stod(line.substr(2)) == doctest::Approx(history[0].train.loss));
  CHECK(std::getline(file, line));
  CHECK(!std::getline(file, line));

  auto vae = hg::symmetric_variational_autoencoder({6, 4, 2});
  hg::initialize(vae, rng);
  hg::fit(vae, data, hg::NegativeELBO{}, hg::Adam{{}}, {.epochs = 1, .metrics_csv = path, .log = nullptr}, rng);
  std::ifstream again(path);
  std::getline(again, line);
  CHECK(line == "epoch,train_loss,test_loss,seconds,test_reconstruction,test_kl");
  CHECK_THROWS_AS(hg::fit(model, data, hg::MSELoss{}, hg::Adam{{}},
                          {.metrics_csv = "/nonexistent/folder/metrics.csv", .log = nullptr}, rng),
                  hg::FormatError);
}

TEST_CASE("one line an epoch, and no bar where there is no terminal") {
  auto model = small_model(1);
  const auto data = pixels(20, 6);
  hg::Rng rng{1};
  std::ostringstream log;
  hg::fit(model, data, hg::MSELoss{}, hg::Adam{{}}, {.epochs = 2, .validation = data, .log = &log}, rng);
  const std::string text = log.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.starts_with("epoch 1/2  train 0."));
  CHECK(text.find("images/s") != std::string::npos);
}

TEST_CASE("the bar shows batches, loss, speed and time left") {
  CHECK(hg::ProgressBar::line(2, 20, 117, 469, 14976, 0.0953, 1.0) ==
        "epoch 2/20 [=====                   ] 117/469  loss 0.0953  14976 images/s  3 s left");
  CHECK(hg::ProgressBar::line(1, 1, 4, 4, 8, 1, 0.0).find("[========================] 4/4") != std::string::npos);
}

TEST_CASE("bad input is refused before the first step") {
  auto model = small_model(1);
  hg::Rng rng{1};
  const hg::FitOptions<> quiet{.log = nullptr};
  auto data = pixels(20, 6);
  const auto before = weights(model);
  const auto fit = [&](const hg::Matrix<float>& x, const hg::FitOptions<>& options) {
    hg::fit(model, x, hg::BCELoss{}, hg::Adam{{}}, options, rng);
  };
  CHECK_THROWS_WITH_AS(fit(pixels(20, 5), quiet),
                       doctest::Contains("the data has 5 features per sample, the model expects 6"), hg::ShapeError);
  CHECK_THROWS_WITH_AS(fit(hg::Matrix<float>(0, 6), quiet), doctest::Contains("empty"), hg::DataError);
  CHECK_THROWS_AS(fit(data, {.batch_size = 0, .log = nullptr}), hg::ShapeError);
  CHECK_THROWS_AS(fit(data, {.epochs = -1, .log = nullptr}), hg::DataError);
  CHECK_THROWS_AS(fit(data, {.l1 = -1, .log = nullptr}), hg::DataError);
  const auto narrow = pixels(5, 5);
  CHECK_THROWS_WITH_AS(fit(data, {.validation = narrow, .log = nullptr}), doctest::Contains("validation"),
                       hg::ShapeError);
  data(7, 3) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(fit(data, quiet), doctest::Contains("row 7, column 3"), hg::DataError);
  CHECK(weights(model) == before);
  const auto clean = pixels(20, 6);
  auto zeros = hg::symmetric_autoencoder({6, 2});
  CHECK_THROWS_WITH_AS(hg::fit(zeros, clean, hg::BCELoss{}, hg::Adam{{}}, quiet, rng),
                       doctest::Contains("initialize(model, rng)"), hg::DataError);
}

TEST_CASE("training that diverges stops and says where") {
  hg::Sequential model{hg::Linear{6, 6}};
  hg::Rng rng{1};
  hg::initialize(model, rng);
  const auto data = pixels(64, 6);
  CHECK_THROWS_WITH_AS(
      hg::fit(model, data, hg::MSELoss{}, hg::SGD{{.lr = 1e15}}, {.epochs = 50, .batch_size = 8, .log = nullptr}, rng),
      doctest::Contains("lower the learning rate"), hg::DataError);
}
