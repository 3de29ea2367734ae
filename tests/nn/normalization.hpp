// What the tests of normalising layers share: PyTorch's three steps, and runs that must give the same bits.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "each_isa.hpp"
#include "golden.hpp"
#include "hourglass/core/buffer.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/rng.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/workspace.hpp"
#include "hourglass/optim/sgd.hpp"

namespace hourglass_test {

/// Numbers from N(mean, 1).
template <class Scalar>
hourglass::Matrix<Scalar> normal(hourglass::Index rows, hourglass::Index cols, std::uint64_t seed, double mean = 0) {
  hourglass::Matrix<Scalar> x(rows, cols);
  hourglass::Rng{seed}.fill_normal(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())),
                                   static_cast<Scalar>(mean), Scalar(1));
  return x;
}

/// One forward and backward pass of a layer alone: y, then dx, then the slots of the gradients.
template <class Scalar, class Layer, class Mode>
std::vector<Scalar> passes(const Layer& layer, const hourglass::Matrix<Scalar>& x, const hourglass::Matrix<Scalar>& dy,
                           const Mode& mode) {
  using hourglass::ConstMatrixView;
  auto cache = hourglass::detail::plan<Scalar>(layer, x.rows(), x.cols(), hourglass::Purpose::training);
  const hourglass::RowRange rows{0, x.rows()};
  const auto y = hourglass::detail::propagate<Scalar>(layer, ConstMatrixView<Scalar>(x), cache, mode, rows);
  hourglass::Matrix<Scalar> dx(x.rows(), x.cols());
  hourglass::ParameterBuffer<Scalar> gradients(layer);
  hourglass::detail::backward_inputs<Scalar>(layer, ConstMatrixView<Scalar>(x), ConstMatrixView<Scalar>(dy), cache,
                                             gradients.data(), hourglass::MatrixView<Scalar>(dx), rows);
  std::vector<Scalar> all(y.data(), y.data() + y.size());
  all.insert(all.end(), dx.data(), dx.data() + dx.size());
  all.insert(all.end(), gradients.values().begin(), gradients.values().end());
  return all;
}

/// Three steps of gradient descent and an evaluation, all compared with PyTorch; see golden/make_normalization.py.
template <class Scalar, class Layer>
void check_golden(Layer layer, const std::string& name) {
  using hourglass::ConstMatrixView;
  const Golden golden("normalization");
  const std::string prefix = name + "_" + golden_suffix<Scalar> + ".";
  CAPTURE(prefix);
  hourglass::for_each_parameter(layer, [&](const auto& parameter_name, auto& parameter) {
    const auto start = golden.values<Scalar>(prefix + "start." + parameter_name.str());
    std::copy(start.begin(), start.end(), parameter.values().begin());
  });
  hourglass::Sequential model{std::move(layer)};
  const auto width = golden.matrix<Scalar>(prefix + "x0").cols();
  hourglass::Workspace workspace{model, 32, width};
  hourglass::SGD<Scalar> optimizer{{.lr = 0.1}};
  hourglass::Rng rng{1};

  const auto step = [&](const std::string& key, const std::string& data, const auto& mode) {
    CAPTURE(key);
    const auto x = golden.matrix<Scalar>(prefix + "x" + data);
    const auto dy = golden.matrix<Scalar>(prefix + "dy" + data);
    const auto y = model.forward(x, workspace, mode);
    CHECK(difference(y, golden.matrix<Scalar>(prefix + key + "y")) == "");
    workspace.output_gradient(x.rows()) = dy;
    model.backward(x, workspace);
    hourglass::zip_parameters(
        model,
        [&](const auto& parameter_name, const auto& parameter, const Scalar* gradient) {
          const auto expected = golden.values<Scalar>(prefix + key + "d" + std::string(parameter_name.leaf()));
          CHECK(difference(std::span<const Scalar>(gradient, static_cast<std::size_t>(parameter.size())),
                           std::span<const Scalar>(expected)) == "");
        },
        workspace.gradients());
    hourglass::Matrix<Scalar> dx(x.rows(), x.cols());
    model.backward_inputs(x, dy, workspace.cache(), workspace.gradients().data(), dx, {0, x.rows()});
    CHECK(difference(dx, golden.matrix<Scalar>(prefix + key + "dx")) == "");
  };
  for (const std::string number : {"0", "1", "2"}) {
    step(number + ".", number, hourglass::Training{rng});
    optimizer.step(model, workspace);
  }
  hourglass::Index tensors = 0;
  hourglass::for_each_tensor(model.template layer<0>(), [&](const auto& tensor_name, const auto& tensor) {
    ++tensors;
    using Value = typename std::remove_cvref_t<decltype(tensor)>::Scalar;
    const auto expected = golden.values<Scalar>(prefix + "end." + tensor_name.str());
    const std::vector<Scalar> found(tensor.values().begin(), tensor.values().end());
    CHECK(difference(std::span<const Scalar>(found), std::span<const Scalar>(expected)) == "");
    if constexpr (std::is_integral_v<Value>) CHECK(tensor.shape() == hourglass::Shape{});
  });
  CHECK(tensors == static_cast<hourglass::Index>(golden.count(prefix + "end.")));
  step("eval.", "2", hourglass::Inference{});
}

/// The passes of a layer give the same bits at any number of threads and on every instruction set that fuses.
template <class Layer>
void check_same_bits(const Layer& layer, hourglass::Index rows, hourglass::Index cols) {
  const auto x = normal<float>(rows, cols, 3, 2.0);
  const auto dy = normal<float>(rows, cols, 4);
  hourglass::Rng rng{1};
  const auto run = [&] { return passes<float>(layer, x, dy, hourglass::Training{rng}); };
  const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  };
  const int before = hourglass::num_threads();
  hourglass::set_num_threads(1);
  std::vector<float> expected;
  for_each_isa([&] {
    if (!isa_fuses()) return;
    CAPTURE(hourglass::isa_name(hourglass::isa()));
    const auto found = run();
    if (expected.empty()) expected = found;
    CHECK(same(found, expected));
  });
  for (const int threads : {2, 3, 8}) {
    CAPTURE(threads);
    hourglass::set_num_threads(threads);
    if (isa_fuses()) CHECK(same(run(), expected));
  }
  hourglass::set_num_threads(before);
}

}  // namespace hourglass_test
