// An autoencoder in MiniDNN (Qiu 2021, github.com/yixuan/MiniDNN), header-only over Eigen, for compare_pytorch, which
// compiles this with MDNN_SCALAR=float and -march=native.
//     usage: worker THREADS FLUSH FOLDER, with a socket as standard input; requests are those of ../pytorch/worker.py,
// without infer: MiniDNN keeps no encoder apart. ADAM and MODE count for nothing.
// Its entropy accepts pixels of 0 and 1 only, so the loss is its RegressionMSE, which costs less: sum (y - x)^2 / 2 per
// image. What goes back as loss is the mean of (y - x)^2 over pixels.
#include <MiniDNN.h>
#include <immintrin.h>
#include <sys/prctl.h>

#include <Eigen/Core>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../common/channel.hpp"

namespace benchmark {
namespace {

using Matrix = Eigen::MatrixXf;  // an image in each column
constexpr Eigen::Index features = 784;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Matrix read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty()) throw std::runtime_error(path + ": cannot be read");
  using Pixels = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic>;
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto images = static_cast<Eigen::Index>(bytes.size()) / features;
  return Eigen::Map<const Pixels>(first, features, images).cast<float>() / 255;
}

// fit() forgets all moments at its start, and is called for each epoch.
struct LastingAdam : MiniDNN::Adam {
  using Adam::Adam;
  void reset() override {}
};

struct Loss : MiniDNN::Callback {
  double total = 0;
  void post_training_batch(const MiniDNN::Network* network, const Matrix& x, const Matrix&) override {
    total += 2.0 / features * network->get_output()->loss() * static_cast<double>(x.cols());
  }
};

template <class Activation>
using Linear = MiniDNN::FullyConnected<Activation>;

class Server {
 public:
  explicit Server(const std::string& folder) : train_{read(folder + "/train.bin")}, test_{read(folder + "/test.bin")} {}

  static std::string greeting() { return "ready\t" + std::to_string(Eigen::nbThreads()); }

  std::string answer(const std::string& request) {
    std::istringstream words(request);
    std::string verb, name;
    int images = 0;
    std::uint32_t seed = 0;
    words >> verb;
    if (verb == "new" && words >> name >> batch_ >> seed && name == "ae-784-256-64") return start(seed);
    if (verb == "fit" && words >> images) return fit(images);
    if (verb == "evaluate") {
      const double error = (network_->predict(test_) - test_).squaredNorm();
      return std::to_string(error / static_cast<double>(test_.size()));
    }
    throw std::runtime_error("there is no request '" + request + "'");
  }

 private:
  std::string start(std::uint32_t seed) {
    network_ = std::make_unique<MiniDNN::Network>();
    network_->add_layer(new Linear<MiniDNN::ReLU>(784, 256));  // the network deletes them
    network_->add_layer(new Linear<MiniDNN::ReLU>(256, 64));
    network_->add_layer(new Linear<MiniDNN::ReLU>(64, 256));
    network_->add_layer(new Linear<MiniDNN::Sigmoid>(256, 784));
    network_->set_output(new MiniDNN::RegressionMSE);
    network_->set_callback(loss_);
    network_->init();
    std::mt19937 generator(seed);
    auto parameters = network_->get_parameters();
    const auto layers = network_->get_layers();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const float bound = 1 / std::sqrt(static_cast<float>(layers[i]->in_size()));  // nn.Linear's default
      std::uniform_real_distribution<float> uniform(-bound, bound);
      for (float& each : parameters[i]) each = uniform(generator);
    }
    network_->set_parameters(parameters);
    optimizer_ = LastingAdam(1e-3F, 1e-8F);
    return "made";
  }

  std::string fit(int images) {
    loss_.total = 0;
    const double start = now();
    const auto x = train_.leftCols(images);
    network_->fit(optimizer_, x, x, batch_, 1);  // an epoch, in a new random order
    const double seconds = now() - start;
    return std::to_string(seconds) + " " + std::to_string(loss_.total / images);
  }

  Matrix train_, test_;
  int batch_ = 0;
  std::unique_ptr<MiniDNN::Network> network_;
  LastingAdam optimizer_;
  Loss loss_;
};

void flush_denormals() {
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
  _MM_SET_DENORMALS_ZERO_MODE(0x40);
}

}  // namespace
}  // namespace benchmark

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // stopped, it would outlive a driver that was interrupted
  benchmark::Channel channel(0);
  return benchmark::serve(channel, [&] {
    if (argc != 4) throw std::runtime_error("usage: worker THREADS FLUSH FOLDER");
    Eigen::setNbThreads(std::stoi(argv[1]));
    const bool flush = std::string(argv[2]) == "1";
#pragma omp parallel
    if (flush) benchmark::flush_denormals();
    return benchmark::Server(argv[3]);
  });
}
