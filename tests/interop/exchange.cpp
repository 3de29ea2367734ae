// One side of the exchange with PyTorch; pytorch_test.py is the other. Batches are files of raw floats.
#include <cstdio>
#include <fstream>
#include <hourglass/hourglass.hpp>
#include <iostream>
#include <string>

namespace hg = hourglass;

namespace {

void write_batch(const std::string& path, const hg::Matrix<float>& batch) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(batch.data()), static_cast<std::streamsize>(batch.size()) * 4);
}

hg::Matrix<float> read_batch(const std::string& path, hg::Index cols) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  hg::Matrix<float> batch(static_cast<hg::Index>(file.tellg()) / 4 / cols, cols);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(batch.data()), static_cast<std::streamsize>(batch.size()) * 4);
  return batch;
}

auto make_autoencoder() {
  return hg::Autoencoder{hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}, hg::Linear<256, 64>{}, hg::ReLU{}},
                         hg::Sequential{hg::Linear<64, 256>{}, hg::ReLU{}, hg::Linear<256, 784>{}, hg::Sigmoid{}}};
}

auto make_normalized() {
  return hg::Autoencoder{hg::Sequential{hg::Linear<784, 64>{}, hg::BatchNorm1d<64>{}, hg::ReLU{}, hg::Linear<64, 32>{}},
                         hg::Sequential{hg::LayerNorm<32>{}, hg::Linear<32, 64>{}, hg::BatchNorm2d<4>{}, hg::ReLU{},
                                        hg::Linear<64, 784>{}}};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: exchange save|load|save_normalized|load_normalized|two_heads FOLDER");
  const std::string what = argv[1];
  const std::string folder = std::string(argv[2]) + "/";
  if (what == "save") {
    auto model = make_autoencoder();
    hg::Rng rng{1};
    hg::initialize(model, rng);
    hg::Matrix<float> x(16, 784);
    rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
    hg::save(model, folder + "ours.safetensors");
    write_batch(folder + "ours_x.bin", x);
    write_batch(folder + "ours_y.bin", model.reconstruct(x));
  } else if (what == "load") {
    auto model = make_autoencoder();
    hg::load(model, folder + "theirs.safetensors");
    write_batch(folder + "theirs_back.bin", model.reconstruct(read_batch(folder + "theirs_x.bin", 784)));
  } else if (what == "save_normalized") {
    auto model = make_normalized();
    hg::Rng rng{1};
    hg::initialize(model, rng);
    hg::Matrix<float> x(64, 784);
    rng.fill_uniform(std::span<float>(x.data(), static_cast<std::size_t>(x.size())));
    hg::Workspace workspace{model, 16};
    hg::SGD optimizer{{.lr = 0.1}};
    for (const auto& batch : hg::batches(x, 16)) {
      (void)hg::MSELoss{}(model.forward(batch, workspace, hg::Training{rng}), batch, workspace);
      model.backward(batch, workspace, optimizer);
    }
    hg::save(model, folder + "normalized.safetensors");
    write_batch(folder + "normalized_x.bin", x);
    write_batch(folder + "normalized_y.bin", model.reconstruct(x));
  } else if (what == "load_normalized") {
    auto model = make_normalized();
    hg::load(model, folder + "normalized_theirs.safetensors");
    if (model.encoder().layer<1>().num_batches_tracked() != 3) throw std::runtime_error("the counter is another one");
    write_batch(folder + "normalized_back.bin", model.reconstruct(read_batch(folder + "theirs_x.bin", 784)));
  } else if (what == "two_heads") {
    auto tutorial = hg::symmetric_variational_autoencoder({784, 400, 20});
    hg::load(tutorial, folder + "tutorial.safetensors",
             {{"encoder.0", {"fc1"}}, {"encoder.2", {"fc21", "fc22"}}, {"decoder.0", {"fc3"}}, {"decoder.2", {"fc4"}}});
    const auto x = read_batch(folder + "theirs_x.bin", 784);
    write_batch(folder + "tutorial_back.bin", tutorial.reconstruct(x));
    write_batch(folder + "tutorial_logvar.bin", tutorial.encode(x).logvar);
    auto heads = hg::symmetric_variational_autoencoder({784, 400, 20});
    hg::load(heads, folder + "heads.safetensors", hg::two_heads(heads, "fc_mu", "fc_logvar"));
    write_batch(folder + "heads_back.bin", heads.reconstruct(x));
  } else {
    throw std::runtime_error("no such step: " + what);
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
