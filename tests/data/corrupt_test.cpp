#include "hourglass/data/corrupt.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "each_isa.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/data/batches.hpp"

namespace hg = hourglass;

namespace {

template <class Scalar>
hg::Matrix<Scalar> grey(hg::Index rows, hg::Index cols) {
  hg::Matrix<Scalar> x(rows, cols);
  hg::Rng{8}.fill_uniform(std::span<Scalar>(x.data(), static_cast<std::size_t>(x.size())), Scalar(0.1), Scalar(0.9));
  return x;
}

template <class Scalar, class Noise>
hg::Matrix<Scalar> corrupted(hg::Matrix<Scalar> x, const Noise& noise, hg::Rng& rng) {
  noise(hg::MatrixView<Scalar>(x.data(), x.rows(), x.cols()), rng);
  return x;
}

/// The slow twin: all numbers drawn at once, then change(x, number) for one element after the other.
template <class Scalar, class Draw, class Change>
hg::Matrix<Scalar> expected(hg::Matrix<Scalar> x, hg::Rng& rng, const Draw& draw, const Change& change) {
  std::vector<Scalar> numbers(static_cast<std::size_t>(x.size()));
  draw(rng, std::span<Scalar>(numbers));
  for (hg::Index i = 0; i < x.size(); ++i) x.data()[i] = change(x.data()[i], numbers[static_cast<std::size_t>(i)]);
  return x;
}

template <class Scalar>
void compare_with_slow_twins() {
  const auto uniform = [](hg::Rng& rng, std::span<Scalar> out) { rng.fill_uniform(out); };
  const auto normal = [](hg::Rng& rng, std::span<Scalar> out) { rng.fill_normal(out, Scalar(0), Scalar(0.4)); };
  // One element, less than a vector, a chunk and one more, several ranges for threads.
  for (const auto& shape : {std::pair{1, 1}, {1, 5}, {27, 19}, {300, 401}}) {
    CAPTURE(shape.first);
    const auto x = grey<Scalar>(shape.first, shape.second);
    for (const int threads : {1, 3}) {
      const int before = hg::num_threads();
      hg::set_num_threads(threads);
      hg::Rng fast{3, 5};
      hg::Rng slow{3, 5};
      (void)fast();  // in the middle of a block
      (void)slow();
      CHECK(corrupted(x, hg::MaskingNoise{0.3}, fast) ==
            expected(x, slow, uniform, [](Scalar v, Scalar u) { return u < Scalar(0.3) ? Scalar(0) : v; }));
      CHECK(fast.state() == slow.state());
      CHECK(corrupted(x, hg::GaussianNoise{0.4, false}, fast) ==
            expected(x, slow, normal, [](Scalar v, Scalar e) { return v + e; }));
      CHECK(fast.state() == slow.state());
      CHECK(corrupted(x, hg::GaussianNoise{0.4}, fast) ==
            expected(x, slow, normal, [](Scalar v, Scalar e) { return std::clamp(v + e, Scalar(0), Scalar(1)); }));
      CHECK(corrupted(x, hg::SaltAndPepper{0.2}, fast) == expected(x, slow, uniform, [](Scalar v, Scalar u) {
              return u < Scalar(0.1) ? Scalar(0) : u < Scalar(0.2) ? Scalar(1) : v;
            }));
      CHECK(fast.state() == slow.state());
      CHECK(fast() == slow());
      hg::set_num_threads(before);
    }
  }
}

}  // namespace

TEST_CASE("noise has the bits of numbers drawn one after another, on every instruction set and at any thread count") {
  for_each_isa([] { compare_with_slow_twins<float>(); });
  compare_with_slow_twins<double>();
}

TEST_CASE("noise has the statistics that it is named for") {
  const hg::Matrix<float> x = hg::Matrix<float>::Constant(400, 250, 0.5f);
  const auto size = static_cast<double>(x.size());
  hg::Rng rng{1};
  const auto share = [&](const hg::Matrix<float>& y, float value) {
    return static_cast<double>((y.array() == value).count()) / size;
  };
  const auto masked = corrupted(x, hg::MaskingNoise{0.3}, rng);
  CHECK(share(masked, 0) == doctest::Approx(0.3).epsilon(0.02));
  CHECK(share(masked, 0) + share(masked, 0.5f) == doctest::Approx(1));
  const auto speckled = corrupted(x, hg::SaltAndPepper{0.2}, rng);
  CHECK(share(speckled, 0) == doctest::Approx(0.1).epsilon(0.05));
  CHECK(share(speckled, 1) == doctest::Approx(0.1).epsilon(0.05));
  CHECK(share(speckled, 0.5f) == doctest::Approx(0.8).epsilon(0.02));
  const hg::Matrix<float> error = corrupted(x, hg::GaussianNoise{0.25, false}, rng) - x;
  CHECK(std::abs(error.cast<double>().mean()) < 0.005);
  CHECK(std::sqrt(error.cast<double>().array().square().mean()) == doctest::Approx(0.25).epsilon(0.02));
  const auto clamped = corrupted(x, hg::GaussianNoise{1.0}, rng);
  CHECK(clamped.minCoeff() == 0);
  CHECK(clamped.maxCoeff() == 1);
}

TEST_CASE("the ends of the range: nothing changes, or everything") {
  const auto x = grey<float>(13, 17);
  hg::Rng rng{1};
  CHECK(corrupted(x, hg::MaskingNoise{0}, rng) == x);
  CHECK(corrupted(x, hg::SaltAndPepper{0}, rng) == x);
  CHECK(corrupted(x, hg::GaussianNoise{0}, rng) == x);
  CHECK((corrupted(x, hg::MaskingNoise{1}, rng).array() == 0).all());
  const auto speckled = corrupted(x, hg::SaltAndPepper{1}, rng);
  CHECK((speckled.array() == 0 || speckled.array() == 1).all());
  CHECK(corrupted(hg::Matrix<float>(0, 4), hg::MaskingNoise{}, rng).rows() == 0);
  CHECK(corrupted(x, hg::MaskingNoise{0.5}, rng) != corrupted(x, hg::MaskingNoise{0.5}, rng));
}

TEST_CASE("options out of range are refused when the noise is made") {
  for (const double p : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_WITH_AS(hg::MaskingNoise{p}, doctest::Contains("MaskingNoise: the probability must be in [0, 1]"),
                         hg::DataError);
    CHECK_THROWS_WITH_AS(hg::SaltAndPepper{p}, doctest::Contains("SaltAndPepper"), hg::DataError);
  }
  CHECK_THROWS_WITH_AS(hg::GaussianNoise{-1}, doctest::Contains("0 or more, not -1"), hg::DataError);
  CHECK_THROWS_AS(hg::GaussianNoise{std::numeric_limits<double>::quiet_NaN()}, hg::DataError);
}

TEST_CASE("batches keep the clean batch beside its corrupted copy") {
  const auto x = grey<float>(10, 6);
  hg::Rng rng{1};
  hg::BatchOptions<float> options;
  options.transform = [](hg::MatrixView<float> batch) { batch.array() += 1; };
  options.corruption = [&](hg::MatrixView<float> batch) { hg::MaskingNoise{0.5}(batch, rng); };
  auto pass = hg::batches(x, 4, options);
  hg::Index zeros = 0;
  for (auto batch = pass.begin(); batch != pass.end(); ++batch) {
    CHECK(batch.input().rows() == (*batch).rows());
    for (hg::Index i = 0; i < (*batch).rows(); ++i)
      for (hg::Index j = 0; j < 6; ++j) {
        CHECK((*batch)(i, j) == x(4 * batch.number() + i, j) + 1);
        CHECK((batch.input()(i, j) == 0 || batch.input()(i, j) == (*batch)(i, j)));
        zeros += batch.input()(i, j) == 0;
      }
  }
  CHECK(zeros > 15);
  CHECK(zeros < 45);
  auto plain = hg::batches(x, 4);
  CHECK(plain.begin().input().data() == (*plain.begin()).data());
}
