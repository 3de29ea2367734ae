#include "hourglass/nn/batch_statistics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "hourglass/core/matrix.hpp"
#include "hourglass/core/threads.hpp"

namespace hg = hourglass;

TEST_CASE("groups make up all channels, each value is in one tile, and measure() finds its channel") {
  const int before = hg::num_threads();
  hg::set_num_threads(1);  // groups in order
  for (const hg::Index pixels : {1, 3, 64, 128, 129, 400})
    for (const hg::Index channels : {1, 5, 131}) {
      const hg::Index rows = 2;
      CAPTURE(pixels);
      CAPTURE(channels);
      hg::Matrix<float> x(rows, channels * pixels);
      std::vector<int> visits(static_cast<std::size_t>(x.cols()));
      // Channel c has the mean c in row 0 and -c in row 1, and the variance c^2.
      for (hg::Index j = 0; j < x.cols(); ++j) x(0, j) = static_cast<float>(j / pixels), x(1, j) = -x(0, j);
      hg::Index next = 0;
      hg::detail::for_each_group(rows, channels, pixels, [&](const hg::detail::ChannelGroup& group) {
        CHECK(group.first == next);
        group.for_each_tile([&](hg::Index offset, hg::Index cols) {
          CHECK(cols <= hg::detail::column_tile);
          for (hg::Index j = offset; j < offset + cols; ++j) ++visits[static_cast<std::size_t>(j)];
        });
        hg::detail::measure(group, x.data(), 0.25, [&](hg::Index channel, const auto& moments) {
          REQUIRE(channel == next++);
          const auto c = static_cast<double>(channel);
          REQUIRE(moments.centre == 0);
          REQUIRE(moments.variance == c * c);
          REQUIRE(moments.inverse == static_cast<float>(1 / std::sqrt(c * c + 0.25)));
        });
      });
      CHECK(next == channels);
      CHECK(visits == std::vector<int>(visits.size(), 1));
    }
  hg::set_num_threads(before);
}

TEST_CASE("spread gives a channel's number to its columns") {
  hg::detail::TileValues<float> of_column{};
  const std::vector<float> numbers{7, 8, 9};
  hg::detail::ChannelGroup{2, 5, 4, 1, 3}.spread(numbers.data(), of_column.data());
  for (hg::Index j = 0; j < 12; ++j) CHECK(of_column[j] == numbers[static_cast<std::size_t>(j / 4)]);
  hg::detail::ChannelGroup{2, 5, 300, 1, 1}.spread(numbers.data() + 1, of_column.data());
  for (hg::Index j = 0; j < hg::detail::column_tile; ++j) CHECK(of_column[j] == 8);
}

TEST_CASE("a moving average takes its share") {
  std::vector<double> running(21, 4.0);
  const std::vector<double> batch(21, 8.0);
  hg::simd::dispatch<double>(hg::detail::MoveAverage<double>{20, 0.25, batch.data(), running.data()});
  for (std::size_t i = 0; i < 20; ++i) CHECK(running[i] == 5);
  CHECK(running[20] == 4);
}
