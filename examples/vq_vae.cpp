// VQ-VAE 784-512-code, mirrored, whose code is a row of vectors from a codebook that follows the encoder as a moving
// average: an image becomes a few small numbers. Compresses the test images with it and says what is lost.
#include <CLI/CLI.hpp>
#include <cmath>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"
#include "plot.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/vq_vae";
  settings.latent = 128;
  hg::Index codes = 64;
  hg::Index dimensions = 8;
  const char* what = "Trains a VQ-VAE on MNIST and compresses images with it.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    hg::Rng rng{settings.seed};
    hg::VQAutoencoder model{
        hg::Sequential{hg::Linear<784, 512>{}, hg::ReLU{}, hg::Linear{512, settings.latent}},
        hg::VectorQuantizer{codes, dimensions},
        hg::Sequential{hg::Linear{settings.latent, 512}, hg::ReLU{}, hg::Linear<512, 784>{}, hg::Sigmoid{}}};
    hg::initialize(model, rng);
    const auto epochs =
        hg::fit(model, mnist.train.images, hg::VQLoss{hg::MSELoss{}, {.codebook = 0}},
                hg::CodebookEMA{hg::Adam{{.lr = settings.learning_rate}}}, example::fit_options(settings, mnist), rng);
    hg::save(model, settings.output / "model.safetensors");
    example::plot_losses(settings, epochs);

    const hg::Matrix<float> images = mnist.test.images.topRows(mnist.test.images.rows());
    const std::vector<hg::Index> indices = model.encode_indices(images);
    const hg::Matrix<float> rebuilt = model.decode_indices(indices);
    std::vector<example::Bar> uses(static_cast<std::size_t>(codes));
    for (const hg::Index index : indices)
      uses[static_cast<std::size_t>(index)].value += 100 / static_cast<double>(indices.size());
    double entropy = 0;  // in bits
    for (const example::Bar& use : uses)
      if (use.value > 0) entropy -= use.value / 100 * std::log2(use.value / 100);
    const auto vectors = static_cast<double>(model.vectors());
    const double bits = vectors * std::log2(static_cast<double>(codes));
    example::report(settings, {{"test MSE", hg::MSELoss{}(rebuilt, images)},
                               {"PSNR", hg::psnr(rebuilt, images)},
                               {"SSIM", hg::ssim(rebuilt, images)},
                               {"codes used", static_cast<double>(std::ranges::count_if(
                                                  uses, [](const example::Bar& use) { return use.value > 0; }))},
                               {"perplexity", std::exp2(entropy)},
                               {"bits per image", bits},
                               {"entropy of an image in bits", vectors * entropy},
                               {"times smaller", 784 * 8 / bits}});
    example::draw_reconstructions(settings, model, mnist);
    std::ranges::sort(uses, std::ranges::greater{}, &example::Bar::value);
    example::show(settings,
                  example::plot_bars(settings.output / "codebook.png",
                                     {"How often the test images use each code", "codes by frequency", "%"}, uses));
  };
  return example::run(argc, argv, "vq_vae", what, settings, program, [&](CLI::App& app) {
    app.add_option("--codes", codes, "vectors of the codebook");
    app.add_option("--dimensions", dimensions, "of each of them; --latent is a multiple");
  });
}
