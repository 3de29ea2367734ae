// Networks of random depth, widths and batch sizes, in float and double: fused ones against a loop over their layers.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/hourglass.hpp"

namespace hg = hourglass;
using hg::Index;

namespace {

template <class Scalar>
hg::Matrix<Scalar> random_matrix(Index rows, Index cols, hg::Rng& rng) {
  hg::Matrix<Scalar> x(rows, cols);
  rng.fill_uniform(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())), Scalar(-1), Scalar(1));
  return x;
}

/// Linear layers with an activation behind each, one pass over memory for everything.
template <class Hidden, class Last, class Scalar>
struct Layers {
  std::vector<hg::Linear<hg::Dynamic, hg::Dynamic, Scalar>> linears;
  Hidden hidden{};
  Last last{};

  /// Output for x and, at `gradients`, those of all parameters under MSELoss with `target`.
  hg::Matrix<Scalar> pass(const hg::Matrix<Scalar>& x, const hg::Matrix<Scalar>& target,
                          std::vector<Scalar>& gradients) const {
    std::vector<hg::Matrix<Scalar>> sums;
    std::vector<hg::Matrix<Scalar>> outputs{x};
    std::vector<Index> slots{0};
    for (std::size_t i = 0; i < linears.size(); ++i) {
      sums.emplace_back(x.rows(), linears[i].out_features());
      outputs.emplace_back(x.rows(), linears[i].out_features());
      slots.push_back(slots.back() + hg::slots_size<Scalar>(linears[i]));
      linears[i].forward(hg::ConstMatrixView<Scalar>(outputs[i]), hg::MatrixView<Scalar>(sums[i]), {}, hg::Inference{});
      activate(i, [&](const auto& f) {
        hg::detail::activation_forward(f, sums[i].size(), std::as_const(sums[i]).data(), outputs[i + 1].data());
      });
    }
    gradients.assign(static_cast<std::size_t>(slots.back()), Scalar(0));
    hg::Matrix<Scalar> dy(target.rows(), target.cols());
    (void)hg::MSELoss{}(hg::ConstMatrixView<Scalar>(outputs.back()), hg::ConstMatrixView<Scalar>(target),
                        hg::MatrixView<Scalar>(dy));
    for (std::size_t i = linears.size(); i-- > 0;) {
      activate(i, [&](const auto& f) {
        hg::detail::activation_backward(f, dy.size(), std::as_const(sums[i]).data(),
                                        std::as_const(outputs[i + 1]).data(), std::as_const(dy).data(), dy.data());
      });
      hg::Matrix<Scalar> dx(x.rows(), linears[i].in_features());
      linears[i].backward(hg::ConstMatrixView<Scalar>(outputs[i]), hg::ConstMatrixView<Scalar>(outputs[i + 1]),
                          hg::ConstMatrixView<Scalar>(dy), hg::MatrixView<Scalar>(dx), {}, gradients.data() + slots[i]);
      dy = dx;
    }
    return outputs.back();
  }

  template <class Use>
  void activate(std::size_t i, const Use& use) const {
    i + 1 < linears.size() ? use(hidden) : use(last);
  }
};

template <class Scalar>
std::vector<Scalar> weights(const auto& model) {
  std::vector<Scalar> all;
  hg::for_each_parameter(
      model, [&](const auto&, const auto& p) { all.insert(all.end(), p.values().begin(), p.values().end()); });
  return all;
}

template <class Hidden, class Last, class Scalar>
void check_random_networks(unsigned seed, int count) {
  hg::Rng rng{seed};
  const int before = hg::num_threads();
  for (int network = 0; network < count; ++network) {
    std::vector<Index> widths;
    for (Index depth = 2 + rng.below(5); depth > 0; --depth) widths.push_back(1 + rng.below(rng.below(2) ? 9 : 150));
    const Index most = 1 + rng.below(140);
    CAPTURE(widths);
    CAPTURE(most);
    hg::Mlp<Hidden, Last, Scalar> model(widths);
    hg::initialize(model, rng);
    auto separate = model;
    auto oracle = model;
    Layers<Hidden, Last, Scalar> layers;
    hg::Workspace workspace(model, most);
    hg::Workspace separate_workspace(separate, most);
    hg::Adam<Scalar> optimizer{{.lr = 1e-2}};
    auto separate_optimizer = optimizer;
    auto oracle_optimizer = optimizer;
    for (int step = 0; step < 3; ++step) {
      const Index rows = step == 1 ? 1 + rng.below(most) : most;
      const auto x = random_matrix<Scalar>(rows, widths.front(), rng);
      const auto target = random_matrix<Scalar>(rows, widths.back(), rng);
      layers.linears.clear();
      for (std::size_t i = 0; i < oracle.depth(); ++i) layers.linears.push_back(oracle.linear(i));
      std::vector<Scalar> expected;
      const auto output = layers.pass(x, target, expected);
      hg::ParameterBuffer<Scalar> buffer(oracle);
      std::copy(expected.begin(), expected.end(), buffer.data());
      oracle_optimizer.step(oracle, buffer);

      hg::set_num_threads(1 + static_cast<int>(rng.below(4)));
      CHECK(separate.forward(x, separate_workspace, hg::Training{rng}) == output);
      (void)hg::MSELoss{}(hg::ConstMatrixView<Scalar>(output), target, separate_workspace);
      separate.backward(x, separate_workspace);
      const auto gradients = std::as_const(separate_workspace).gradients().values();
      CHECK(std::vector<Scalar>(gradients.begin(), gradients.end()) == expected);
      separate_optimizer.step(separate, separate_workspace);

      (void)hg::MSELoss{}(model.forward(x, workspace, hg::Training{rng}), target, workspace);
      model.backward(x, workspace, optimizer);
      hg::set_num_threads(before);
      CHECK(weights<Scalar>(separate) == weights<Scalar>(oracle));
      CHECK(weights<Scalar>(model) == weights<Scalar>(oracle));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("random networks give the bits of their layers one by one", Scalar, float, double) {
  check_random_networks<hg::ReLU, hg::Identity, Scalar>(1, 30);
  check_random_networks<hg::GELU, hg::Tanh, Scalar>(2, 20);
}
