// One network, used from several translation units.
#pragma once

#include <hourglass/hourglass.hpp>

using Encoder = hourglass::Sequential<hourglass::Linear<8, 3>, hourglass::ReLU>;
using Decoder = hourglass::Sequential<hourglass::Linear<3, 8>, hourglass::Sigmoid>;
using Network = hourglass::Autoencoder<Encoder, Decoder>;

hourglass::Matrix<float> first_half(const Network& model, const hourglass::Matrix<float>& images);
hourglass::Matrix<float> second_half(const Network& model, const hourglass::Matrix<float>& code);
