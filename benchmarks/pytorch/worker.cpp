// The same networks in libtorch, PyTorch's C++ side, for compare_pytorch, which compiles this against the headers of
// the PyTorch that it found.
//     usage: worker THREADS FLUSH FOLDER, with a socket as standard input; requests are those of worker.py beside it.
// ADAM is torch::optim::Adam, or where it is "fused" the ATen function behind Python's Adam(fused=True), which has no
// class in C++. MODE is eager.
#include <sys/prctl.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../common/channel.hpp"

namespace benchmark {
namespace {

using torch::Tensor;
constexpr std::int64_t features = 784;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string joined(std::initializer_list<double> numbers) {
  std::ostringstream text;
  text.precision(9);
  for (const double number : numbers) text << (text.tellp() > 0 ? " " : "") << number;
  return text.str();
}

Tensor read(const std::string& path) {  // (images, 784), 8-bit
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.empty()) throw std::runtime_error(path + ": cannot be read");
  const Tensor pixels = torch::empty({static_cast<std::int64_t>(bytes.size()) / features, features}, torch::kUInt8);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(pixels.data_ptr<std::uint8_t>()));
  return pixels;
}

Tensor scaled(const Tensor& pixels) { return pixels.to(torch::kFloat).div_(255); }

struct Description {
  std::string name;
  std::vector<std::int64_t> widths;  // of the encoder; the decoder mirrors them
  bool variational;
  bool code_relu;
};
const std::vector<Description> networks = {{"ae-784-256-64", {784, 256, 64}, false, true},
                                           {"vae-784-512-256-20", {784, 512, 256, 20}, true, false},
                                           {"ae-784-1000-500-250-30", {784, 1000, 500, 250, 30}, false, false}};

// Linear layers with ReLU between them.
torch::nn::Sequential perceptron(const std::vector<std::int64_t>& widths) {
  torch::nn::Sequential layers;
  for (std::size_t i = 1; i < widths.size(); ++i) {
    if (i > 1) layers->push_back(torch::nn::ReLU());
    layers->push_back(torch::nn::Linear(widths[i - 1], widths[i]));
  }
  return layers;
}

class Network {
 public:
  explicit Network(const Description& description) : variational_{description.variational} {
    auto widths = description.widths;
    if (variational_) widths.back() *= 2;  // mean and log-variance
    encoder_ = perceptron(widths);
    if (description.code_relu) encoder_->push_back(torch::nn::ReLU());
    decoder_ = perceptron({description.widths.rbegin(), description.widths.rend()});
    decoder_->push_back(torch::nn::Sigmoid());
  }

  [[nodiscard]] std::vector<Tensor> parameters() const {
    auto all = encoder_->parameters();
    for (const Tensor& each : decoder_->parameters()) all.push_back(each);
    return all;
  }
  Tensor encode(const Tensor& x) { return encoder_->forward(x); }
  Tensor reconstruct(const Tensor& x) {  // z is the mean
    const Tensor code = encode(x);
    return decoder_->forward(variational_ ? code.chunk(2, 1)[0] : code);
  }
  Tensor loss(const Tensor& x) {
    if (!variational_) return torch::binary_cross_entropy(reconstruct(x), x);
    const auto halves = encode(x).chunk(2, 1);
    const Tensor &mu = halves[0], &logvar = halves[1];
    const Tensor z = mu + torch::exp(0.5 * logvar) * torch::randn_like(mu);
    const Tensor reconstruction = torch::binary_cross_entropy(decoder_->forward(z), x, {}, torch::Reduction::Sum);
    return (reconstruction - 0.5 * torch::sum(1 + logvar - mu.pow(2) - logvar.exp())) / x.size(0);
  }

 private:
  bool variational_;
  torch::nn::Sequential encoder_, decoder_;
};

// What Python's torch.optim.Adam(fused=True) does in a step.
class FusedAdam {
 public:
  explicit FusedAdam(std::vector<Tensor> parameters) : parameters_{std::move(parameters)} {
    for (const Tensor& each : parameters_) {
      means_.push_back(torch::zeros_like(each));
      squares_.push_back(torch::zeros_like(each));
      steps_.push_back(torch::zeros({}, torch::kFloat));
    }
  }

  void step() {
    const torch::NoGradGuard guard;
    std::vector<Tensor> gradients;
    for (const Tensor& each : parameters_) gradients.push_back(each.grad());
    for (Tensor& each : steps_) each.add_(1);
    at::_fused_adam_(parameters_, gradients, means_, squares_, {}, steps_, 1e-3, 0.9, 0.999, 0, 1e-8, false, false);
  }

 private:
  std::vector<Tensor> parameters_, means_, squares_, steps_;
};

class Server {
 public:
  explicit Server(const std::string& folder) : train_{read(folder + "/train.bin")}, test_{read(folder + "/test.bin")} {}

  static std::string greeting() {
    return "ready\t" + std::to_string(at::get_num_threads()) + "\tlibtorch " + TORCH_VERSION;
  }

  std::string answer(const std::string& request) {
    std::istringstream words(request);
    std::string verb, name;
    std::int64_t number = 0, repeats = 0;
    words >> verb;
    if (verb == "new") {
      std::string adam, mode;
      std::uint64_t seed = 0;
      if (words >> name >> batch_ >> seed >> adam >> mode && mode == "eager") return start(name, seed, adam);
    } else if (verb == "fit" && words >> number) {
      return fit(number);
    } else if (verb == "infer" && words >> name >> number >> repeats) {
      return infer(name == "encode", number, repeats);
    } else if (verb == "evaluate") {
      return evaluate();
    }
    throw std::runtime_error("there is no request '" + request + "'");
  }

 private:
  std::string start(const std::string& name, std::uint64_t seed, const std::string& adam) {
    torch::manual_seed(seed);
    network_.reset();
    for (const Description& each : networks)
      if (each.name == name) network_.emplace(each);
    if (!network_) throw std::runtime_error("there is no network '" + name + "'");
    parameters_ = network_->parameters();
    if (adam == "fused")
      step_ = [optimizer = std::make_shared<FusedAdam>(parameters_)] { optimizer->step(); };
    else
      step_ = [optimizer = std::make_shared<torch::optim::Adam>(parameters_, 1e-3)] { optimizer->step(); };
    return "made";
  }

  std::string fit(std::int64_t images) {
    double total = 0;
    const double start = now();
    const Tensor order = torch::randperm(images);
    for (std::int64_t first = 0; first < images; first += batch_) {
      const Tensor x = scaled(train_.index_select(0, order.slice(0, first, std::min(first + batch_, images))));
      for (const Tensor& each : parameters_) each.mutable_grad().reset();
      const Tensor loss = network_->loss(x);
      loss.backward();
      step_();
      total += loss.item<double>() * static_cast<double>(x.size(0));
    }
    return joined({now() - start, total / static_cast<double>(images)});
  }

  std::string evaluate() {
    const torch::NoGradGuard guard;
    double total = 0;
    for (const Tensor& pixels : test_.split(256))
      total += network_->loss(scaled(pixels)).item<double>() * static_cast<double>(pixels.size(0));
    return joined({total / static_cast<double>(test_.size(0))});
  }

  std::string infer(bool encode, std::int64_t batch, std::int64_t repeats) {
    const c10::InferenceMode guard;
    const Tensor x = scaled(test_.slice(0, 0, batch));
    const auto run = [&](std::int64_t count) {
      for (; count > 0; --count) encode ? network_->encode(x) : network_->reconstruct(x);
    };
    run(1 + repeats / 8);
    const double start = now();
    run(repeats);
    return joined({now() - start});
  }

  Tensor train_, test_;
  std::int64_t batch_ = 0;
  std::optional<Network> network_;
  std::vector<Tensor> parameters_;
  std::function<void()> step_;
};

}  // namespace
}  // namespace benchmark

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // stopped, it would outlive a driver that was interrupted
  benchmark::Channel channel(0);
  return benchmark::serve(channel, [&] {
    if (argc != 4) throw std::runtime_error("usage: worker THREADS FLUSH FOLDER");
    at::set_num_threads(std::stoi(argv[1]));
    if (std::string(argv[2]) == "1" && !at::globalContext().setFlushDenormal(true))
      throw std::runtime_error("this processor cannot flush denormal numbers");
    return benchmark::Server(argv[3]);
  });
}
