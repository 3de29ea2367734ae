#include "hourglass/train/summary.hpp"

#include <doctest/doctest.h>

#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/symmetric.hpp"
#include "hourglass/nn/batch_norm.hpp"
#include "hourglass/nn/conv2d.hpp"
#include "hourglass/nn/flatten.hpp"
#include "hourglass/nn/layer_norm.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/max_pool2d.hpp"
#include "hourglass/nn/parallel.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"

namespace hg = hourglass;

TEST_CASE("layers, shapes and parameter counts") {
  const hg::Autoencoder model{hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}},
                              hg::Sequential{hg::Linear<256, 784>{{.bias = false}}, hg::Sigmoid{}}};
  CHECK(hg::summary(model) ==
        "layer      type     output        parameters\n"
        "encoder.0  Linear   (batch, 256)     200,960\n"
        "encoder.1  ReLU     (batch, 256)           -\n"
        "decoder.0  Linear   (batch, 784)     200,704\n"
        "decoder.1  Sigmoid  (batch, 784)           -\n"
        "Autoencoder: 401,664 parameters\n");
}

TEST_CASE("networks of run-time widths, and of activations alone") {
  const std::string text = hg::summary(hg::symmetric_autoencoder({16, 4}));
  CHECK(text.find("encoder.0  Linear    (batch, 4)           68\n") != std::string::npos);
  CHECK(text.find("decoder.1  Sigmoid   (batch, 16)           -\n") != std::string::npos);
  CHECK(hg::summary(hg::Sequential{hg::ReLU{}}).find("(batch, ?)") != std::string::npos);
}

TEST_CASE("buffers are no parameters, but are told") {
  CHECK(hg::summary(hg::Sequential{hg::Linear{784, 1000}, hg::BatchNorm1d{1000}, hg::LayerNorm{1000}}) ==
        "layer  type         output         parameters\n"
        "0      Linear       (batch, 1000)     785,000\n"
        "1      BatchNorm1d  (batch, 1000)       2,000\n"
        "2      LayerNorm    (batch, 1000)       2,000\n"
        "Sequential: 789,000 parameters, and 2,001 values in buffers\n");
}

TEST_CASE("images have their shape") {
  CHECK(hg::summary(hg::Sequential{hg::Conv2d{hg::ImageShape{1, 28, 28}, 16, 3, {.stride = 2, .padding = 1}},
                                   hg::Sequential{hg::ReLU{}, hg::MaxPool2d{hg::ImageShape{16, 14, 14}, 2}},
                                   hg::Flatten{}, hg::Linear{784, 10}}) ==
        "layer  type       output               parameters\n"
        "0      Conv2d     (batch, 16, 14, 14)         160\n"
        "1.0    ReLU       (batch, 16, 14, 14)           -\n"
        "1.1    MaxPool2d  (batch, 16, 7, 7)             -\n"
        "2      Flatten    (batch, 784)                  -\n"
        "3      Linear     (batch, 10)               7,850\n"
        "Sequential: 8,010 parameters\n");
}

TEST_CASE("heads read the same rows, and what they give stands side by side") {
  const std::string text = hg::summary(hg::Sequential{
      hg::Linear{9, 6}, hg::Parallel{hg::Sequential{hg::ReLU{}, hg::Linear{6, 2}}, hg::Tanh{}}, hg::ReLU{}});
  CHECK(text.find("1.1    Tanh    (batch, 6)") != std::string::npos);
  CHECK(text.find("2      ReLU    (batch, 8)") != std::string::npos);
}

TEST_CASE("thousands are grouped") {
  CHECK(hg::detail::grouped(0) == "0");
  CHECK(hg::detail::grouped(999) == "999");
  CHECK(hg::detail::grouped(1000) == "1,000");
  CHECK(hg::detail::grouped(1234567) == "1,234,567");
}
