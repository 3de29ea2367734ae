// Fused networks against the same networks of Unfused layers: the same bits, whichever layers meet.
#include "hourglass/nn/unfused.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/hourglass.hpp"

namespace hg = hourglass;
using hg::Index;

namespace {

template <class T>
hg::Unfused<T> alone(T layer) {
  return hg::Unfused<T>(std::move(layer));
}

hg::Matrix<float> random_batch(Index rows, Index cols, unsigned seed) {
  hg::Rng rng{seed};
  hg::Matrix<float> x(rows, cols);
  rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

template <class From, class To>
void copy_parameters(const From& from, To& to) {
  hg::ParameterBuffer<float> values(from);
  hg::zip_parameters(
      from, [](const auto&, const auto& p, float* slot) { std::copy_n(p.data(), p.size(), slot); }, values);
  hg::zip_parameters(
      to, [](const auto&, auto& p, const float* slot) { std::copy_n(slot, p.size(), p.data()); }, values);
}

template <class Model>
std::vector<float> weights(const Model& model) {
  std::vector<float> all;
  hg::for_each_parameter(
      model, [&](const auto&, const auto& p) { all.insert(all.end(), p.values().begin(), p.values().end()); });
  return all;
}

std::vector<float> gradients(const auto& workspace) {
  const auto values = workspace.gradients().values();
  return {values.begin(), values.end()};
}

/// Trains both for some steps, the fused one with its optimiser inside backward(), on each number of threads.
template <class Fused, class Plain, class Loss, class Optimizer>
void check(Fused fused, Plain plain, const Loss& loss, Optimizer optimizer, Index out = 0) {
  hg::Rng rng{3};
  hg::initialize(fused, rng);
  copy_parameters(fused, plain);
  const Index in = fused.in_features();
  const auto x = random_batch(150, in, 1);
  const auto target = random_batch(150, out == 0 ? in : out, 2);
  const int before = hg::num_threads();
  auto plain_optimizer = optimizer;
  hg::Workspace plain_workspace{plain, 150};
  std::vector<Fused> models(4, fused);
  std::vector<Optimizer> optimizers(4, optimizer);
  std::vector<hg::Workspace<Fused>> workspaces;
  for (const Fused& model : models) workspaces.emplace_back(model, 150);
  // Layers by themselves, whose gradients take the way through memory, with the optimiser inside backward() too.
  Plain plain_in_one = plain;
  auto plain_in_one_optimizer = optimizer;
  hg::Workspace plain_in_one_workspace{plain_in_one, 150};
  hg::Workspace separate{fused, 150};
  auto separate_optimizer = optimizer;
  // 4: one row a thread would be too little, so products are cut instead.
  const std::array<int, 4> threads{1, 2, 3, 4};
  for (const Index rows : {Index{150}, Index{60}, Index{1}, Index{150}}) {
    const hg::ConstMatrixView<float> batch(x.data(), rows, in);
    const hg::ConstMatrixView<float> wanted(target.data(), rows, target.cols());
    const auto plain_output = plain.forward(batch, plain_workspace, hg::Training{rng});
    const float plain_loss = loss(plain_output, wanted, plain_workspace);
    plain.backward(batch, plain_workspace);
    plain_optimizer.step(plain, plain_workspace);

    CHECK(loss(plain_in_one.forward(batch, plain_in_one_workspace, hg::Training{rng}), wanted,
               plain_in_one_workspace) == plain_loss);
    plain_in_one.backward(batch, plain_in_one_workspace, plain_in_one_optimizer);
    CHECK(weights(plain_in_one) == weights(plain));

    const auto separate_output = fused.forward(batch, separate, hg::Training{rng});
    CHECK(separate_output == plain_output);
    CHECK(loss(separate_output, wanted, separate) == plain_loss);
    fused.backward(batch, separate);
    CHECK(gradients(separate) == gradients(plain_workspace));
    separate_optimizer.step(fused, separate);
    CHECK(weights(fused) == weights(plain));

    for (std::size_t i = 0; i < threads.size(); ++i) {
      CAPTURE(threads[i]);
      hg::set_num_threads(threads[i]);
      const auto output = models[i].forward(batch, workspaces[i], hg::Training{rng});
      CHECK(output == plain_output);
      CHECK(loss(output, wanted, workspaces[i]) == plain_loss);
      models[i].backward(batch, workspaces[i], optimizers[i]);
      CHECK(weights(models[i]) == weights(plain));
    }
    hg::set_num_threads(before);
  }
}

struct Halve {
  void step(auto& model, const auto&) {
    hg::for_each_parameter(model, [](const auto&, auto& p) {
      for (float& value : p.values()) value /= 2;
    });
  }
};

const hg::AdamOptions adam{.lr = 1e-2, .weight_decay = 1e-3};

}  // namespace

TEST_CASE("an optimiser that knows nothing of rules steps after backward()") {
  hg::Rng rng{1};
  hg::Sequential model{hg::Linear<3, 2>{}};
  hg::initialize(model, rng, hg::Constant{4});
  hg::Workspace workspace{model, 5};
  const auto x = random_batch(5, 3, 1);
  (void)hg::MSELoss{}(model.forward(x, workspace), random_batch(5, 2, 2), workspace);
  Halve optimizer;
  model.backward(x, workspace, optimizer);
  CHECK(model.layer<0>().weight()(1, 2) == 2.0f);
  CHECK(gradients(workspace)[0] != 0.0f);
}

TEST_CASE("every activation behind a linear layer") {
  const auto one = [](auto activation) {
    check(hg::Sequential{hg::Linear<150, 170>{}, activation, hg::Linear<170, 150>{}},
          hg::Sequential{alone(hg::Linear<150, 170>{}), alone(activation), alone(hg::Linear<170, 150>{})},
          hg::MSELoss{}, hg::Adam<>{adam});
  };
  one(hg::ReLU{});
  one(hg::LeakyReLU{0.1});
  one(hg::ELU{0.7});
  one(hg::GELU{});
  one(hg::Softplus{});
  one(hg::Tanh{});
  one(hg::Sigmoid{});
  one(hg::Identity{});
}

TEST_CASE("activations at the ends, without a linear layer between them, beside dropout, nested, and without bias") {
  check(hg::Sequential{hg::Tanh{}, hg::Linear<70, 90>{}, hg::ELU{}, hg::ReLU{}, hg::Linear<90, 70>{}, hg::GELU{}},
        hg::Sequential{alone(hg::Tanh{}), alone(hg::Linear<70, 90>{}), alone(hg::ELU{}), alone(hg::ReLU{}),
                       alone(hg::Linear<90, 70>{}), alone(hg::GELU{})},
        hg::MSELoss{}, hg::AdamW<>{});
  check(hg::Sequential{hg::Linear<70, 90>{}, hg::Softplus{}, hg::Dropout{0.0}, hg::ReLU{}, hg::Dropout{0.0},
                       hg::Linear<90, 70>{}, hg::Tanh{}},
        hg::Sequential{alone(hg::Linear<70, 90>{}), alone(hg::Softplus{}), hg::Dropout{0.0}, alone(hg::ReLU{}),
                       hg::Dropout{0.0}, alone(hg::Linear<90, 70>{}), alone(hg::Tanh{})},
        hg::MSELoss{}, hg::SGD<>{{.lr = 0.1, .momentum = 0.9, .nesterov = true}});
  check(hg::Sequential{hg::Sequential{hg::Linear<70, 90>{}, hg::GELU{}}, hg::Sequential{hg::Linear<90, 80>{}},
                       hg::ReLU{}, hg::Sequential{hg::Linear<80, 70>{{.bias = false}}, hg::Tanh{}}},
        hg::Sequential{hg::Sequential{alone(hg::Linear<70, 90>{}), alone(hg::GELU{})},
                       hg::Sequential{alone(hg::Linear<90, 80>{})}, alone(hg::ReLU{}),
                       hg::Sequential{alone(hg::Linear<80, 70>{{.bias = false}}), alone(hg::Tanh{})}},
        hg::MSELoss{}, hg::SGD<>{{.lr = 0.1}});
}

TEST_CASE("autoencoders, and Mlp, whose depth the compiler does not know") {
  check(hg::Autoencoder{hg::Sequential{hg::Linear<150, 90>{}, hg::ReLU{}, hg::Linear<90, 20>{}, hg::GELU{}},
                        hg::Sequential{hg::Linear<20, 90>{}, hg::ReLU{}, hg::Linear<90, 150>{}, hg::Tanh{}}},
        hg::Autoencoder{hg::Sequential{alone(hg::Linear<150, 90>{}), alone(hg::ReLU{}), alone(hg::Linear<90, 20>{}),
                                       alone(hg::GELU{})},
                        hg::Sequential{alone(hg::Linear<20, 90>{}), alone(hg::ReLU{}), alone(hg::Linear<90, 150>{}),
                                       alone(hg::Tanh{})}},
        hg::L1Loss{}, hg::Adam<>{adam});
  check(hg::Mlp<hg::ELU, hg::Tanh>{{150, 90, 20, 90, 150}},
        hg::Sequential{alone(hg::Linear<150, 90>{}), alone(hg::ELU{}), alone(hg::Linear<90, 20>{}), alone(hg::ELU{}),
                       alone(hg::Linear<20, 90>{}), alone(hg::ELU{}), alone(hg::Linear<90, 150>{}), alone(hg::Tanh{})},
        hg::MSELoss{}, hg::Adam<>{adam});
}

TEST_CASE("BCELoss on a final Sigmoid writes the gradient of the logits") {
  hg::Rng rng{5};
  hg::Sequential fused{hg::Linear<60, 40>{}, hg::Sigmoid{}};
  hg::Sequential plain{alone(hg::Linear<60, 40>{}), alone(hg::Sigmoid{})};
  hg::initialize(fused, rng);
  copy_parameters(fused, plain);
  const auto x = random_batch(30, 60, 1);
  const auto target = random_batch(30, 40, 2);
  hg::Workspace a{fused, 30};
  hg::Workspace b{plain, 30};
  CHECK(hg::BCELoss{}(fused.forward(x, a), target, a) == hg::BCELoss{}(plain.forward(x, b), target, b));
  SUBCASE("which gives the same gradients, but for rounding") {}
  SUBCASE("and who asks for the gradient of the output gets it") {
    CHECK((a.output_gradient(30) - b.output_gradient(30)).cwiseAbs().maxCoeff() < 1e-6f);
  }
  fused.backward(x, a);
  plain.backward(x, b);
  const auto left = gradients(a);
  const auto right = gradients(b);
  for (std::size_t i = 0; i < left.size(); ++i) REQUIRE(left[i] == doctest::Approx(right[i]).epsilon(1e-4));
}

TEST_CASE("BCELoss on a saturated Sigmoid still moves the logits") {
  hg::Sequential model{hg::Linear<1, 1>{}, hg::Sigmoid{}};
  model.layer<0>().weight()(0, 0) = 60;
  const hg::Matrix<float> one = hg::Matrix<float>::Ones(1, 1);
  const hg::Matrix<float> zero = hg::Matrix<float>::Zero(1, 1);
  hg::Workspace workspace{model, 1};
  (void)hg::BCELoss{}(model.forward(one, workspace), zero, workspace);
  model.backward(one, workspace);
  CHECK(workspace.gradients().values()[0] == 1.0f);
}

TEST_CASE("a variational autoencoder is cut into rows without another bit") {
  const auto make = [] {
    return hg::VariationalAutoencoder{
        hg::Sequential{hg::Linear<150, 120>{}, hg::ReLU{}, hg::Linear<120, 40>{}},
        hg::Sequential{hg::Linear<20, 120>{}, hg::ReLU{}, hg::Linear<120, 150>{}, hg::Sigmoid{}}};
  };
  const auto x = random_batch(150, 150, 1);
  const int before = hg::num_threads();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    hg::set_num_threads(threads);
    auto model = make();
    hg::Rng rng{7};
    hg::initialize(model, rng);
    hg::Workspace workspace{model, 150};
    hg::Adam optimizer{adam};
    for (int step = 0; step < 3; ++step) {
      (void)hg::NegativeELBO<>{}(model.forward(x, workspace, hg::Training{rng}), x, workspace);
      model.backward(x, workspace, optimizer);
    }
    results.push_back(weights(model));
  }
  hg::set_num_threads(before);
  CHECK(results[1] == results[0]);
  CHECK(results[2] == results[0]);
}
