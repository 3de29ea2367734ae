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

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: exchange save|load|two_heads FOLDER");
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
