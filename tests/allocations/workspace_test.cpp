// What a workspace promises: the second step and all that follow allocate nothing. A program of its own, as it changes
// what Eigen's headers compile to.
#include <stdexcept>
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) \
  if (!(condition)) throw std::logic_error("Eigen: " #condition)

#include "hourglass/nn/workspace.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <vector>

#include "hourglass/hourglass.hpp"

namespace {

std::atomic<long> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
// gcc finds fault with memory from operator new that goes to free where these are inlined.
HOURGLASS_NOINLINE void operator delete(void* memory) noexcept { std::free(memory); }
HOURGLASS_NOINLINE void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
HOURGLASS_NOINLINE void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
HOURGLASS_NOINLINE void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace hg = hourglass;

namespace {

hg::Matrix<float> batch_of(hg::Index rows, hg::Index cols) {
  hg::Rng rng{1};
  hg::Matrix<float> x(rows, cols);
  rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

/// Allocations of three steps after the first, fused and not, with batches of two sizes.
template <class Model, class Loss, class Optimizer>
long allocations_of_steps(Model model, const Loss& loss, Optimizer optimizer) {
  hg::Rng rng{2};
  hg::initialize(model, rng);
  const auto x = batch_of(96, model.in_features());
  hg::Workspace workspace{model, 96};
  const auto forward = [&](const hg::ConstMatrixView<float>& batch) {
    const auto output = model.forward(batch, workspace, hg::Training{rng});
    if constexpr (requires { loss(model, output, batch, workspace); })
      (void)loss(model, output, batch, workspace);
    else
      (void)loss(output, batch, workspace);
  };
  long before = 0;
  for (int step = 0; step < 4; ++step) {
    if (step == 1) {
      before = allocations;
      Eigen::internal::set_is_malloc_allowed(false);
    }
    for (const hg::Index rows : {hg::Index{96}, hg::Index{40}}) {
      const hg::ConstMatrixView<float> batch(x.data(), rows, x.cols());
      forward(batch);
      model.backward(batch, workspace, optimizer);
      forward(batch);
      model.backward(batch, workspace);
      if constexpr (requires { loss.add_parameter_gradient(model, workspace); })
        loss.add_parameter_gradient(model, workspace);
      hg::clip_grad_norm(workspace.gradients(), 1.0);
      optimizer.step(model, workspace);
    }
  }
  Eigen::internal::set_is_malloc_allowed(true);
  return allocations - before;
}

}  // namespace

TEST_CASE("training allocates at the first step only") {
  const int before = hg::num_threads();
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    hg::set_num_threads(threads);
    CHECK(allocations_of_steps(
              hg::Autoencoder{hg::Sequential{hg::Linear<200, 150>{}, hg::ReLU{}, hg::Linear<150, 20>{}, hg::GELU{}},
                              hg::Sequential{hg::Linear<20, 150>{}, hg::ReLU{}, hg::Dropout{0.1},
                                             hg::Linear<150, 200>{}, hg::Sigmoid{}}},
              hg::BCELoss{}, hg::Adam<>{}) == 0);
    CHECK(allocations_of_steps(hg::Autoencoder{hg::Sequential{hg::BatchNorm1d<1200>{}, hg::LayerNorm<1200>{}},
                                               hg::Sequential{hg::BatchNorm2d{3}, hg::Sigmoid{}}},
                               hg::BCELoss{}, hg::Adam<>{}) == 0);
    CHECK(allocations_of_steps(
              hg::VariationalAutoencoder{
                  hg::Sequential{hg::Linear<200, 150>{}, hg::ReLU{}, hg::Linear<150, 40>{}},
                  hg::Sequential{hg::Linear<20, 150>{}, hg::ReLU{}, hg::Linear<150, 200>{}, hg::Sigmoid{}}},
              hg::NegativeELBO<>{}, hg::SGD<>{{.lr = 1e-3, .momentum = 0.9}}) == 0);
    CHECK(allocations_of_steps(hg::TiedAutoencoder{hg::Mlp<hg::Sigmoid, hg::Sigmoid>{{200, 150}}},
                               hg::ContractiveLoss{hg::BCELoss{}, 0.1}, hg::Adam<>{}) == 0);
    const hg::Autoencoder k_sparse{hg::Sequential{hg::Linear<200, 150>{}, hg::ReLU{}, hg::TopK{20}},
                                   hg::Sequential{hg::Linear<150, 200>{}, hg::Sigmoid{}}};
    CHECK(allocations_of_steps(k_sparse, hg::SparseLoss{hg::BCELoss{}, hg::L1Activity{}}, hg::Adam<>{}) == 0);
    CHECK(allocations_of_steps(
              hg::VariationalAutoencoder{hg::Sequential{hg::Linear<200, 150>{}, hg::ReLU{}, hg::Linear<150, 40>{}},
                                         hg::Sequential{hg::Linear<20, 200>{}, hg::LearnedVariance{200}}},
              hg::NegativeELBO{hg::LearnedGaussianLoss{}, {.free_bits = 0.1, .capacity = 3}}, hg::SGD<>{}) == 0);
    CHECK(
        allocations_of_steps(
            hg::ImportanceWeightedAutoencoder{hg::Sequential{hg::Linear<200, 150>{}, hg::ReLU{}, hg::Linear<150, 40>{}},
                                              hg::Sequential{hg::Linear<20, 200>{}, hg::Sigmoid{}}, 5},
            hg::ImportanceWeightedBound{}, hg::SGD<>{}) == 0);
    CHECK(allocations_of_steps(
              hg::ConditionalVariationalAutoencoder{
                  hg::Sequential{hg::Linear<200, 150>{}, hg::ReLU{}, hg::Linear<150, 40>{}},
                  hg::Sequential{hg::Linear<30, 190>{}, hg::Sigmoid{}}, 10},
              hg::NegativeELBO{}, hg::SGD<>{}) == 0);
    CHECK(allocations_of_steps(hg::WassersteinAutoencoder{hg::Sequential{hg::Linear<200, 20>{}, hg::Tanh{}},
                                                          hg::Sequential{hg::Linear<20, 200>{}, hg::Sigmoid{}}},
                               hg::WassersteinLoss{}, hg::SGD<>{}) == 0);
    CHECK(allocations_of_steps(
              hg::VQAutoencoder{hg::Sequential{hg::Linear<200, 20>{}, hg::Tanh{}}, hg::VectorQuantizer{16, 5},
                                hg::Sequential{hg::Linear<20, 200>{}, hg::Sigmoid{}}},
              hg::VQLoss{}, hg::CodebookEMA{hg::SGD<>{}}) == 0);
    CHECK(allocations_of_steps(
              hg::Sequential{hg::Conv2d{hg::ImageShape{1, 12, 12}, 8, 3, {.padding = 1}}, hg::ReLU{},
                             hg::MaxPool2d{hg::ImageShape{8, 12, 12}, 2}, hg::GELU{},
                             hg::MaxPool2d{hg::ImageShape{8, 6, 6}, 2},
                             hg::Upsample{hg::ImageShape{8, 3, 3}, 2, {hg::UpsampleMode::bilinear}},
                             hg::ConvTranspose2d{hg::ImageShape{8, 6, 6}, 1, 2, {.stride = 2}}, hg::Sigmoid{}},
              hg::BCELoss{}, hg::Adam<>{}) == 0);
  }
  hg::set_num_threads(before);
}

namespace {

/// Cross-entropy that notes how many allocations there had been before each batch.
struct Noting {
  long* notes;
  hg::Reduction reduction = hg::Reduction::mean;

  void begin_step(std::int64_t step) const { notes[step] = allocations; }
  template <class... Sink>
  float operator()(const hg::ConstMatrixView<float>& logits, std::span<const hg::Index> labels, Sink&... sink) const {
    return hg::CrossEntropyLoss{}(logits, labels, sink...);
  }
};

}  // namespace

TEST_CASE("an epoch of fit allocates before its second batch only, with noise, labels and groups too") {
  const int before = hg::num_threads();
  for (const int threads : {1, 2}) {
    hg::set_num_threads(threads);
    hg::Sequential model{hg::Sequential{hg::Linear{200, 150}, hg::ReLU{}}, hg::Linear{150, 10}};
    hg::Rng rng{2};
    hg::initialize(model, rng);
    const auto x = batch_of(480, 200);
    const std::vector<std::uint8_t> labels(480, 3);
    std::array<long, 10> notes{};
    hg::fit(model, x, labels, Noting{notes.data()}, hg::Adam{{}, {hg::frozen("0"), {.prefix = "1.bias", .lr = 1e-2}}},
            {.epochs = 2, .batch_size = 96, .corruption = hg::GaussianNoise{0.2}, .log = nullptr}, rng);
    CHECK(notes[1] > 0);
    CHECK(notes[4] == notes[1]);  // the first step of an epoch makes its buffers
    CHECK(notes[9] == notes[6]);
  }
  hg::set_num_threads(before);
}

TEST_CASE("inference allocates nothing") {
  hg::VariationalAutoencoder model{
      hg::Sequential{hg::Linear<200, 150>{}, hg::ReLU{}, hg::Linear<150, 40>{}},
      hg::Sequential{hg::Linear<20, 150>{}, hg::ReLU{}, hg::Linear<150, 200>{}, hg::Sigmoid{}}};
  hg::Rng rng{2};
  hg::initialize(model, rng);
  const auto x = batch_of(64, 200);
  hg::Workspace workspace{model, 64, hg::Purpose::inference};
  (void)model.reconstruct(x, workspace);  // OpenMP starts its threads
  const long before = allocations;
  for (const hg::Index rows : {hg::Index{1}, hg::Index{64}}) {
    const hg::ConstMatrixView<float> batch(x.data(), rows, 200);
    (void)model.encode(batch, workspace);
    (void)model.decode(hg::ConstMatrixView<float>(x.data(), rows, 20), workspace);
    (void)model.reconstruct(batch, workspace);
    (void)model.sample(rows, rng, workspace);
  }
  CHECK(allocations == before);
}

TEST_CASE("the test above would notice an allocation") {
  const long before = allocations;
  const auto x = batch_of(1, 1);
  CHECK(allocations > before);
  CHECK(x.size() == 1);
  Eigen::internal::set_is_malloc_allowed(false);
  CHECK_THROWS_AS(Eigen::VectorXf(10), std::logic_error);
  Eigen::internal::set_is_malloc_allowed(true);
}
