#include "hourglass/models/encoder_decoder.hpp"

#include <doctest/doctest.h>

#include <string>

#include "hourglass/core/matrix.hpp"
#include "hourglass/models/autoencoder.hpp"
#include "hourglass/models/conditional_variational_autoencoder.hpp"
#include "hourglass/models/importance_weighted_autoencoder.hpp"
#include "hourglass/models/variational_autoencoder.hpp"
#include "hourglass/models/vq_autoencoder.hpp"
#include "hourglass/models/wasserstein_autoencoder.hpp"
#include "hourglass/nn/conv2d.hpp"
#include "hourglass/nn/flatten.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/relu.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/vector_quantizer.hpp"
#include "hourglass/train/summary.hpp"

namespace hg = hourglass;
using hg::ImageShape;

namespace {

/// A network from images to images whose pixels stay where they are.
auto pixels(const ImageShape& image, hg::Index channels) {
  return hg::Sequential{hg::Conv2d{image, channels, 1}, hg::ReLU{}};
}

/// What the constructor of a model throws.
template <class Make>
std::string error_of(const Make& make) {
  try {
    (void)make();
  } catch (const hg::ShapeError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the decoder takes images of the code's shape") {
  const auto encoder = pixels({1, 4, 4}, 2);  // (2, 4, 4)
  const auto fits = pixels({2, 4, 4}, 1);
  const auto narrow = hg::Sequential{hg::ReLU{}, hg::Conv2d{ImageShape{8, 2, 2}, 4, 1}};  // 32 features, too
  const std::string rest =
      ": encoder.0 (Conv2d) gives images of shape (2, 4, 4), decoder.1 (Conv2d) expects (8, 2, 2); make the two shapes "
      "equal";
  CHECK(error_of([&] { return hg::Autoencoder{encoder, fits}; }) == "");
  CHECK(error_of([&] { return hg::Autoencoder{encoder, narrow}; }) == "Autoencoder" + rest);
  CHECK(error_of([&] { return hg::WassersteinAutoencoder{encoder, fits}; }) == "");
  CHECK(error_of([&] { return hg::WassersteinAutoencoder{encoder, narrow}; }) == "WassersteinAutoencoder" + rest);
  const hg::VectorQuantizer<float> quantizer{3, 8};
  CHECK(error_of([&] { return hg::VQAutoencoder{encoder, quantizer, fits}; }) == "");
  CHECK(error_of([&] { return hg::VQAutoencoder{encoder, quantizer, narrow}; }) == "VQAutoencoder" + rest);
  // Behind Flatten nothing is known.
  CHECK(error_of([&] {
          return hg::Autoencoder{hg::Sequential{encoder, hg::Flatten{}}, hg::Sequential{narrow, hg::Flatten{}}};
        }) == "");
}

TEST_CASE("latent variables have half the channels") {
  const auto encoder = pixels({1, 4, 4}, 4);  // mean (2, 4, 4), log-variance (2, 4, 4)
  const auto fits = pixels({2, 4, 4}, 1);
  const auto narrow = hg::Sequential{hg::Conv2d{ImageShape{8, 2, 2}, 4, 1}};
  CHECK(error_of([&] { return hg::VariationalAutoencoder{encoder, fits}; }) == "");
  CHECK(error_of([&] { return hg::ImportanceWeightedAutoencoder{encoder, fits, 3}; }) == "");
  const std::string text = error_of([&] { return hg::VariationalAutoencoder{encoder, narrow}; });
  CHECK(text.find("VariationalAutoencoder: encoder.0 (Conv2d) gives images of shape (2, 4, 4), decoder.0") == 0);
  CHECK(error_of([&] {
          return hg::ImportanceWeightedAutoencoder{encoder, narrow, 3};
        }) == "ImportanceWeighted" + text.substr(11));
  // With classes beside them they are no image.
  CHECK(error_of([&] {
          return hg::ConditionalVariationalAutoencoder{
              hg::Sequential{hg::Linear{19, 16}, hg::Unflatten{ImageShape{4, 2, 2}}}, hg::Linear{11, 16}, 3};
        }) == "");
}

TEST_CASE("the output is images like the input, where it is as wide") {
  const auto encoder = pixels({1, 4, 4}, 2);
  const auto other = hg::Sequential{hg::Flatten{}, hg::Conv2d{ImageShape{8, 2, 2}, 4, 1}};
  const std::string text = error_of([&] {
    return hg::Autoencoder{hg::Sequential{encoder, hg::Flatten{}}, hg::Sequential{other, hg::ReLU{}}};
  });
  CHECK(text ==
        "Autoencoder: decoder.0.1 (Conv2d) gives images of shape (4, 2, 2), the input has (1, 4, 4); make the two "
        "shapes equal");
  // Another width is for another target, and twice the channels are means and log-variances.
  CHECK(error_of([&] { return hg::Autoencoder{encoder, pixels({2, 4, 4}, 3)}; }) == "");
  CHECK(error_of([&] { return hg::VariationalAutoencoder{pixels({1, 4, 4}, 4), pixels({2, 4, 4}, 2)}; }) == "");
  CHECK(error_of([&] {
          return hg::VariationalAutoencoder{pixels({2, 4, 4}, 4),
                                            hg::Sequential{hg::Flatten{}, hg::Conv2d{ImageShape{8, 2, 2}, 16, 1}}};
        }) ==
        "VariationalAutoencoder: decoder.1 (Conv2d) gives images of shape (8, 2, 2), the input has (2, 4, 4); make the "
        "two shapes equal");
}

TEST_CASE("summary() follows latent variables into the decoder") {
  const std::string text = hg::summary(hg::VariationalAutoencoder{
      pixels({1, 4, 4}, 4), hg::Sequential{hg::ReLU{}, hg::Conv2d{ImageShape{2, 4, 4}, 1, 1}}});
  CHECK(text.find("encoder.1  ReLU    (batch, 4, 4, 4)") != std::string::npos);
  CHECK(text.find("decoder.0  ReLU    (batch, 2, 4, 4)") != std::string::npos);
  CHECK(text.find("decoder.1  Conv2d  (batch, 1, 4, 4)") != std::string::npos);
}
