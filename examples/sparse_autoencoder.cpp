// Sparse autoencoder: 784-latent-784 with a ReLU code whose units an L1 penalty keeps silent, or of which only the k
// largest are kept.
#include <CLI/CLI.hpp>

#include "common.hpp"

namespace hg = hourglass;

namespace {

template <class Model, class Loss>
void train(Model model, const Loss& loss, const example::Settings& settings) {
  const hg::Mnist mnist = example::load_data(settings);
  hg::Rng rng{settings.seed};
  hg::initialize(model, rng, hg::XavierUniform{});
  hg::fit(model, mnist.train.images, loss, hg::Adam{{.lr = settings.learning_rate}},
          example::fit_options(settings, mnist), rng);

  const hg::Matrix<float> images = mnist.test.images.topRows(mnist.test.images.rows());
  const hg::Matrix<float> code = model.encode(images);
  if (!settings.quiet) {
    std::cout << "mean code " << code.mean() << ", " << (code.array() == 0).cast<float>().mean() * 100
              << " % of it zero\n";
    for (const hg::DeadUnits& layer : hg::dead_units(model, mnist.test.images))
      std::cout << layer.layer << ": " << layer.dead << " of " << layer.units << " units never fire\n";
  }
  hg::save(model, settings.output / "model.safetensors");
  const hg::ImageSpan originals = mnist.test.images.topRows(std::min<hg::Index>(16, mnist.test.images.rows()));
  hg::save_image_grid(settings.output / "reconstruction.png", {.columns = 8, .scale = 3}, originals,
                      model.reconstruct(originals));
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/sparse";
  settings.latent = 32;
  double lambda = 1e-4;
  hg::Index k = 0;
  const char* what = "Trains a sparse autoencoder on MNIST: an L1 penalty on the code, or its k largest values.";
  const auto program = [&] {
    const hg::Sequential decoder{hg::Linear{settings.latent, 784}, hg::Sigmoid{}};
    if (k > 0)
      train(hg::Autoencoder{hg::Sequential{hg::Linear{784, settings.latent}, hg::ReLU{}, hg::TopK{k}}, decoder},
            hg::BCELoss{}, settings);
    else
      train(hg::Autoencoder{hg::Sequential{hg::Linear{784, settings.latent}, hg::ReLU{}}, decoder},
            hg::SparseLoss{hg::BCELoss{}, hg::L1Activity{lambda}}, settings);
  };
  return example::run(argc, argv, "sparse_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--lambda", lambda, "weight of the L1 penalty on the code")->capture_default_str();
    app.add_option("--k", k, "above 0: keep the k largest values of the code instead")->capture_default_str();
  });
}
