// Checks of layers of images: PyTorch's results and gradient checks.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "golden.hpp"
#include "hourglass/loss/mse.hpp"
#include "hourglass/nn/conv2d.hpp"
#include "hourglass/nn/conv_transpose2d.hpp"
#include "hourglass/nn/initialize.hpp"
#include "hourglass/nn/sequential.hpp"
#include "model_gradcheck.hpp"

template <class Scalar>
using DynamicConv2d = hourglass::Conv2d<hourglass::any_image, hourglass::Dynamic, 1, 1, 0, Scalar>;
template <class Scalar>
using DynamicConvTranspose2d = hourglass::ConvTranspose2d<hourglass::any_image, hourglass::Dynamic, 1, 1, 0, 0, Scalar>;

/// Both passes of a layer against the case of <file>.safetensors of that name.
template <class Scalar, class Layer>
void check_images(Layer layer, const std::string& name, const std::string& file = "images") {
  namespace hg = hourglass;
  CAPTURE(name);
  const Golden golden{file};
  const std::string file_case = name + "_" + golden_suffix<Scalar> + ".";
  const auto x = golden.matrix<Scalar>(file_case + "x");
  const auto dy = golden.matrix<Scalar>(file_case + "dy");
  if constexpr (requires { layer.weight(); }) {
    layer.weight() = golden.matrix<Scalar>(file_case + "weight");
    if (layer.has_bias()) layer.bias() = golden.matrix<Scalar>(file_case + "bias");
  }
  auto cache = hg::detail::plan<Scalar>(layer, x.rows(), x.cols(), hg::Purpose::training);
  const hg::RowRange rows{0, x.rows()};
  const hg::ConstMatrixView<Scalar> view(x);
  const auto y = hg::detail::propagate<Scalar>(layer, view, cache, hg::Inference{}, rows);
  CHECK(difference(y, golden.matrix<Scalar>(file_case + "y")) == "");

  hg::Matrix<Scalar> dx(x.rows(), x.cols());
  hg::detail::backward_inputs<Scalar>(layer, view, hg::ConstMatrixView<Scalar>(dy), cache,
                                      static_cast<Scalar*>(nullptr), hg::MatrixView<Scalar>(dx), rows);
  CHECK(difference(dx, golden.matrix<Scalar>(file_case + "dx")) == "");
  if constexpr (requires { layer.weight(); }) {
    for (const bool with_input_gradient : {true, false}) {
      if (!with_input_gradient)
        hg::detail::backward_inputs<Scalar>(layer, view, hg::ConstMatrixView<Scalar>(dy), cache,
                                            static_cast<Scalar*>(nullptr), hg::no_gradient<Scalar>(), rows);
      hg::ParameterBuffer<Scalar> slots(layer);
      hg::detail::backward_parameters<Scalar>(layer, view, hg::ConstMatrixView<Scalar>(dy), cache,
                                              hg::GradientStore<Scalar>{slots.data()}, {});
      Layer gradient = layer;
      hg::detail::for_each_child(gradient, [&, slot = slots.data()](const auto&, auto& p) mutable {
        std::copy_n(slot, p.size(), p.data());
        slot += hg::slot_size<Scalar>(p.size());
      });
      const hg::Matrix<Scalar> dweight(gradient.weight());
      CHECK(difference(dweight, golden.matrix<Scalar>(file_case + "dweight")) == "");
      if (layer.has_bias()) CHECK(difference(gradient.bias(), golden.matrix<Scalar>(file_case + "dbias")) == "");
    }
  }
}

/// Gradient check of the parameters of `layers`, and of all input gradients but the first, on a batch of more than one
/// group of images.
template <class... Layers>
[[nodiscard]] std::string image_gradcheck(Layers... layers) {
  namespace hg = hourglass;
  hg::Rng rng{1};
  hg::Sequential model{std::move(layers)...};
  hg::initialize(model, rng);
  hg::Matrix<double> x(hg::detail::images_per_group + 2, model.in_features());
  hg::Matrix<double> target(x.rows(), model.out_features(x.cols()));
  rng.fill_normal(std::span<double>(x.data(), static_cast<std::size_t>(x.size())));
  rng.fill_normal(std::span<double>(target.data(), static_cast<std::size_t>(target.size())));
  return model_gradcheck(model, x, [&](const auto& m, auto& workspace) {
    return hg::MSELoss{}(m.forward(x, workspace), target, workspace);
  });
}
