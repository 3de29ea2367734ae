// What the fragments of README.md may use without saying where it comes from.
#pragma once

#include <Eigen/Core>
#include <hourglass/hourglass.hpp>
#include <string>
#include <vector>

namespace hg = hourglass;

namespace readme {

using Encoder = hg::Sequential<hg::Linear<784, 256>, hg::ReLU, hg::Linear<256, 64>, hg::ReLU>;
using Decoder = hg::Sequential<hg::Linear<64, 256>, hg::ReLU, hg::Linear<256, 784>, hg::Sigmoid>;
using Model = hg::Autoencoder<Encoder, Decoder>;

}  // namespace readme

#define HOURGLASS_README_GIVEN hg::Rng &rng, readme::Model &model, const hg::Mnist &mnist, const hg::Images &images
