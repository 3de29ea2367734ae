// One const model, eight threads, a workspace each: built with ThreadSanitizer, and without OpenMP, whose own
// synchronisation the sanitizer does not know. Prints what went wrong and fails; the sanitizer fails on a data race.
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

#include "hourglass/hourglass.hpp"

namespace hg = hourglass;

int main() {
  hg::Rng rng{1};
  hg::VariationalAutoencoder model{
      hg::Sequential{hg::Linear<120, 70>{}, hg::GELU{}, hg::Linear<70, 20>{}},
      hg::Sequential{hg::Linear<10, 70>{}, hg::ReLU{}, hg::Linear<70, 120>{}, hg::Sigmoid{}}};
  hg::initialize(model, rng);
  hg::Matrix<float> x(64, 120);
  rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  const auto& shared = std::as_const(model);

  struct Result {
    hg::Matrix<float> output;
    std::vector<float> gradients;
  };
  std::vector<Result> results(8);
  std::vector<std::thread> threads;
  for (Result& result : results)
    threads.emplace_back([&] {
      hg::Workspace workspace{shared, 64};
      for (int round = 0; round < 5; ++round) {
        hg::Rng draws{7};
        (void)hg::NegativeELBO<>{}(shared.forward(x, workspace, hg::Training{draws}), x, workspace);
        shared.backward(x, workspace);
        (void)shared.encode(x, workspace);
        (void)shared.sample(5, draws, workspace);
      }
      const auto values = workspace.gradients().values();
      result.gradients.assign(values.begin(), values.end());
      result.output = shared.reconstruct(x, workspace);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Result& result : results)
    if (result.output != results[0].output || result.gradients != results[0].gradients) {
      std::puts("threads that share a model disagree");
      return 1;
    }
}
