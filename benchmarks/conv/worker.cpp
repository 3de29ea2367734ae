// Our side of conv_benchmark: a process with one convolution.
//
//     usage: conv_worker DESCRIPTOR THREADS
//
// DESCRIPTOR is a socket. The first line is "ready THREADS ISA", tabs between. Requests and answers are those of
// pytorch/conv_worker.py, but for the layout of images, which is always contiguous, and `peak`: GFLOP/s of
// multiply-adds in registers with as many threads.
#include <sys/prctl.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <hourglass/core/isa.hpp>
#include <hourglass/core/threads.hpp>
#include <hourglass/nn/conv2d.hpp>
#include <hourglass/nn/conv_transpose2d.hpp>
#include <iostream>
#include <memory>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "../common/channel.hpp"
#include "../common/peak.hpp"
#include "../common/text.hpp"

namespace {

namespace hg = hourglass;

using hg::Index;
using Numbers = hg::MatrixView<float>;

void fill_with_wave(std::span<float> values) {
  const auto count = static_cast<double>(values.size());
  double i = 0;
  for (float& value : values) value = static_cast<float>(0.5 + std::sin(i++ * 0.7 + count));
}

double sum_of_sizes(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += std::abs(static_cast<double>(value));
  return sum;
}

std::span<float> elements(hg::Matrix<float>& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

class Passes {
 public:
  Passes() = default;
  Passes(const Passes&) = delete;
  Passes& operator=(const Passes&) = delete;
  virtual ~Passes() = default;
  virtual void forward() = 0;
  virtual void backward() = 0;
  [[nodiscard]] virtual std::string sums() = 0;
};

template <class Layer>
class PassesOf final : public Passes {
 public:
  PassesOf(Layer layer, Index batch)
      : layer_{std::move(layer)},
        x_(batch, layer_.in_features()),
        y_(batch, layer_.out_features()),
        dx_(batch, layer_.in_features()),
        dy_(batch, layer_.out_features()),
        gradients_(layer_) {
    hg::for_each_parameter(layer_, [](const auto&, auto& parameter) {
      fill_with_wave({parameter.data(), static_cast<std::size_t>(parameter.size())});
    });
    fill_with_wave(elements(x_));
    fill_with_wave(elements(dy_));
    scratch_.resize(static_cast<std::size_t>(layer_.scratch_size(batch, x_.cols(), hg::Purpose::training)));
  }

  void forward() override { layer_.forward(x_, Numbers(y_), scratch_, hg::Inference{}, {0, x_.rows()}); }
  void backward() override {
    layer_.backward(x_, y_, dy_, Numbers(dx_), scratch_, {0, x_.rows()}, hg::epilogue::Store{});
    const int parts = hg::num_threads();
    hg::parallel_for(parts, parts, [&](std::ptrdiff_t part) {
      Layer::parameter_gradient(std::as_const(layer_), x_.rows(), scratch_, hg::GradientStore<float>{gradients_.data()},
                                {static_cast<int>(part), parts});
    });
  }
  std::string sums() override {
    std::string text;
    for (hg::Matrix<float>* each : {&y_, &dx_}) text += word(elements(*each));
    hg::zip_parameters(
        layer_,
        [&](const auto&, const auto& parameter, const float* gradient) {
          text += word({gradient, static_cast<std::size_t>(parameter.size())});
        },
        gradients_);
    return text;
  }

 private:
  static std::string word(std::span<const float> values) { return benchmark::number(sum_of_sizes(values)) + " "; }

  Layer layer_;
  hg::Matrix<float> x_;
  hg::Matrix<float> y_;
  hg::Matrix<float> dx_;
  hg::Matrix<float> dy_;
  hg::ParameterBuffer<float> gradients_;
  hg::AlignedVector<float> scratch_;
};

template <class Layer>
std::unique_ptr<Passes> passes(Layer layer, Index batch) {
  return std::make_unique<PassesOf<Layer>>(std::move(layer), batch);
}

class Server {
 public:
  [[nodiscard]] static std::string greeting() {
    return "ready\t" + std::to_string(hg::num_threads()) + "\t" + std::string(hg::isa_name(hg::isa()));
  }

  [[nodiscard]] std::string answer(const std::string& request) {
    std::istringstream words(request);
    std::string verb;
    words >> verb;
    if (verb == "new") {
      std::string kind;
      std::string layout;
      Index batch = 0;
      Index out = 0;
      Index kernel = 0;
      Index stride = 0;
      Index padding = 0;
      Index output_padding = 0;
      hg::ImageShape image;
      words >> kind >> layout >> batch >> image.channels >> image.height >> image.width >> out >> kernel >> stride >>
          padding >> output_padding;
      if (!words) throw std::runtime_error("the request '" + request + "' is too short");
      passes_ =
          kind == "Conv2d"
              ? passes(hg::Conv2d{image, out, kernel, {.stride = stride, .padding = padding}}, batch)
              : passes(
                    hg::ConvTranspose2d{
                        image, out, kernel, {.stride = stride, .padding = padding, .output_padding = output_padding}},
                    batch);
      (void)seconds_of(1, true);
      return passes_->sums();
    }
    if (verb == "peak")
      return benchmark::number(benchmark::measure_peaks(hg::num_threads())[std::string(hg::isa_name(hg::isa()))]);
    long repeats = 0;
    if ((verb == "forward" || verb == "both") && passes_ && words >> repeats)
      return benchmark::number(seconds_of(repeats, verb == "both"));
    throw std::runtime_error("there is no request '" + request + "'");
  }

 private:
  double seconds_of(long repeats, bool both) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    hg::keep_threads([&] {
      for (long i = 0; i < repeats; ++i) {
        passes_->forward();
        if (both) passes_->backward();
      }
    });
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  std::unique_ptr<Passes> passes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: conv_worker DESCRIPTOR THREADS, by benchmarks/conv_benchmark\n";
    return 1;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // stopped, it would outlive whoever started it and was interrupted
  benchmark::Channel channel(std::stoi(argv[1]));
  return benchmark::serve(channel, [&] {
    hg::set_num_threads(std::stoi(argv[2]));
    return Server{};
  });
}
