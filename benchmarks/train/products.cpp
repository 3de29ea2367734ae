#include "products.hpp"

#include <algorithm>
#include <chrono>
#include <hourglass/gemm/gemm.hpp>

namespace benchmark {
namespace {

namespace hg = hourglass;

using Clock = std::chrono::steady_clock;

// Small numbers of both signs, so that nothing grows from product to product.
hourglass::AlignedVector<float> filled(Index size) {
  hourglass::AlignedVector<float> values(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(static_cast<int>(i % 17) - 8) / 64;
  return values;
}

}  // namespace

Products::Products(const Network& network, Index batch) : batch_{batch} {
  Index widest = 0;
  for (const auto* layers : {&network.encoder, &network.decoder})
    for (const Layer& layer : *layers) {
      entries_.push_back({layer, filled(batch * layer.in), filled(layer.in * layer.out), filled(layer.in * layer.out)});
      widest = std::max({widest, layer.in, layer.out});
    }
  y_ = filled(batch * widest);
  dx_ = filled(batch * widest);
}

ProductTimes Products::time(long repeats) {
  ProductTimes times;
  auto last = Clock::now();
  const auto lap = [&last](double& sum) {
    const auto now = Clock::now();
    sum += std::chrono::duration<double>(now - last).count();
    last = now;
  };
  for (long repeat = 0; repeat < repeats; ++repeat) {
    for (Entry& entry : entries_) {
      const auto [in, out] = entry.layer;
      hg::gemm(batch_, out, in, hg::row_major(entry.x.data(), in), hg::row_major(entry.w.data(), out),
               hg::Output<float>{y_.data(), out});
    }
    lap(times.forward);
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
      const auto [in, out] = entry->layer;
      const auto dy = hg::row_major(std::as_const(y_).data(), out);
      hg::gemm(in, out, batch_, hg::transpose(hg::row_major(std::as_const(entry->x).data(), in)), dy,
               hg::Output<float>{entry->dw.data(), out});
      lap(times.dw);
      if (entry + 1 == entries_.rend()) break;
      hg::gemm(batch_, in, out, dy, hg::transpose(hg::row_major(std::as_const(entry->w).data(), out)),
               hg::Output<float>{dx_.data(), in});
      lap(times.dx);
    }
  }
  return times;
}

}  // namespace benchmark
