#include "session.hpp"

#include <algorithm>
#include <chrono>
#include <hourglass/hourglass.hpp>
#include <map>
#include <stdexcept>
#include <utility>

namespace benchmark {
namespace {

namespace hg = hourglass;

using Clock = std::chrono::steady_clock;

// Adds the time since the last call to one sum after the other.
class Laps {
 public:
  void operator()(double& sum) {
    const auto now = Clock::now();
    sum += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  Clock::time_point last_ = Clock::now();
};

template <class Model>
class PartInference {
 public:
  PartInference(const Model& model, Index batch, const hg::Images& images)
      : model_{model}, workspace_{model, batch, hg::Purpose::inference}, x_(images.topRows(batch)) {}

  double run(long repeats) {
    const auto start = Clock::now();
    for (long i = 0; i < repeats; ++i) (void)model_.forward(x_, workspace_);
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  const Model& model_;
  hg::Workspace<Model> workspace_;
  hg::Matrix<float> x_;  // (batch, 784)
};

template <class Model, class Loss>
class ModelSession final : public Session {
 public:
  ModelSession(Model model, Loss loss, Index batch, const Data& data, std::uint64_t seed)
      : model_{std::move(model)}, loss_{std::move(loss)}, batch_{batch}, data_{data}, rng_{seed} {
    hg::initialize(model_, rng_);
  }

  Epoch fit(Index images) override {
    const auto history = hg::fit(model_, hg::Samples(data_.train).topRows(images), loss_, optimizer_,
                                 {.epochs = 1, .batch_size = batch_, .log = nullptr}, rng_);
    return {history.front().seconds, history.front().train.loss};
  }

  Breakdown loop(Index images) override {
    if (!workspace_) workspace_ = std::make_unique<hg::Workspace<Model>>(model_, batch_);
    hg::Workspace<Model>& workspace = *workspace_;
    Breakdown sum;
    const auto start = Clock::now();
    Laps lap;
    auto batches = hg::batches(hg::Samples(data_.train).topRows(images), batch_, rng_);
    hg::keep_threads([&] {
      for (auto each = batches.begin(); each != batches.end(); ++each) {
        const auto x = *each;
        lap(sum.data);
        const auto output = model_.forward(x, workspace, hg::Training{rng_});
        lap(sum.forward);
        (void)loss_(output, x, workspace);
        lap(sum.loss);
        workspace.backward_inputs(model_, x);
        lap(sum.dx);
        workspace.backward_parameters(model_, x, optimizer_);
        lap(sum.dw);
      }
    });
    sum.wall = std::chrono::duration<double>(Clock::now() - start).count();
    return sum;
  }

  double barriers(long steps) override {
    constexpr int regions = 5;  // data, forward, loss, dX, dW
    const auto start = Clock::now();
    hg::keep_threads([&] {
      const int threads = hg::num_threads();
      for (long i = 0; i < steps * regions; ++i) hg::parallel_for(threads, threads, [](std::ptrdiff_t) {});
    });
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  double evaluate() override {
    hg::Rng draws{1};
    return hg::evaluate(model_, data_.test, loss_, draws).loss;
  }

  double infer(Part part, Index batch, long repeats) override {
    return part == Part::encoder ? infer(encoders_, model_.encoder(), batch, repeats)
                                 : infer(wholes_, model_, batch, repeats);
  }

 private:
  using Encoder = std::remove_cvref_t<decltype(std::declval<Model&>().encoder())>;

  template <class Module>
  double infer(std::map<Index, PartInference<Module>>& made, const Module& module, Index batch, long repeats) {
    return made.try_emplace(batch, module, batch, data_.test).first->second.run(repeats);
  }

  Model model_;
  Loss loss_;
  hg::Adam<> optimizer_{{.lr = 1e-3}};
  Index batch_;
  const Data& data_;
  hg::Rng rng_;
  std::unique_ptr<hg::Workspace<Model>> workspace_;  // of loop(): fit() makes its own
  std::map<Index, PartInference<Encoder>> encoders_;
  std::map<Index, PartInference<Model>> wholes_;
};

template <class Model, class Loss>
std::unique_ptr<Session> session(Model model, Loss loss, Index batch, const Data& data, std::uint64_t seed) {
  return std::make_unique<ModelSession<Model, Loss>>(std::move(model), std::move(loss), batch, data, seed);
}

}  // namespace

std::unique_ptr<Session> start_session(const std::string& network, Index batch, const Data& data, std::uint64_t seed) {
  if (network == "ae-784-256-64")
    return session(
        hg::Autoencoder{hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}, hg::Linear<256, 64>{}, hg::ReLU{}},
                        hg::Sequential{hg::Linear<64, 256>{}, hg::ReLU{}, hg::Linear<256, 784>{}, hg::Sigmoid{}}},
        hg::BCELoss{}, batch, data, seed);
  if (network == "vae-784-512-256-20")
    return session(hg::VariationalAutoencoder{hg::Sequential{hg::Linear<784, 512>{}, hg::ReLU{}, hg::Linear<512, 256>{},
                                                             hg::ReLU{}, hg::Linear<256, 40>{}},
                                              hg::Sequential{hg::Linear<20, 256>{}, hg::ReLU{}, hg::Linear<256, 512>{},
                                                             hg::ReLU{}, hg::Linear<512, 784>{}, hg::Sigmoid{}}},
                   hg::NegativeELBO{hg::BCELoss{}}, batch, data, seed);
  if (network == "ae-784-1000-500-250-30")
    return session(hg::symmetric_autoencoder({784, 1000, 500, 250, 30}), hg::BCELoss{}, batch, data, seed);
  throw std::runtime_error("there is no network '" + network + "'");
}

}  // namespace benchmark
