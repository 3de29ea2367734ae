#include "hourglass/metrics/codes.hpp"

#include <doctest/doctest.h>

#include "hourglass/core/rng.hpp"
#include "hourglass/data/images.hpp"
#include "hourglass/models/symmetric.hpp"
#include "hourglass/nn/initialize.hpp"

namespace hg = hourglass;

TEST_CASE("codes of many samples are those of one pass through the encoder") {
  hg::Rng rng{1};
  hg::Matrix<float> x(600, 6);
  rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
  auto autoencoder = hg::symmetric_autoencoder({6, 4, 2});
  hg::initialize(autoencoder, rng);
  CHECK(hg::codes(autoencoder, x) == autoencoder.encode(x));
  auto vae = hg::symmetric_variational_autoencoder(std::vector<hg::Index>{6, 4, 2});
  hg::initialize(vae, rng);
  CHECK(hg::codes(vae, x) == vae.encode(x).mu);
  const hg::Images images(std::vector<std::uint8_t>(18, 51), 3, 2, 3);
  CHECK(hg::codes(vae, images) == vae.encode(hg::Matrix<float>(images)).mu);
}

TEST_CASE("samples of another width, and none at all, are refused") {
  const auto model = hg::symmetric_autoencoder({6, 2});
  CHECK_THROWS_WITH_AS((void)hg::codes(model, hg::Matrix<float>(1, 5)),
                       doctest::Contains("samples have 5 features, the model expects 6"), hg::ShapeError);
  CHECK_THROWS_AS((void)hg::codes(model, hg::Matrix<float>(0, 6)), hg::DataError);
}
