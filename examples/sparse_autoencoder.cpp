// Sparse autoencoder: 784-latent-784 with a ReLU code whose units an L1 penalty keeps silent, or of which only the k
// largest are kept. A linear probe on the code tells what it knows of the digits.
//
// A. Makhzani, B. Frey, "k-Sparse autoencoders", 2013.
#include <CLI/CLI.hpp>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"

namespace hg = hourglass;

namespace {

struct Probe {
  bool wanted = false;
  double l2 = 1e-4;
};

template <class Model, class Loss>
void train(Model model, const Loss& loss, const example::Settings& settings, const Probe& probe) {
  const hg::Mnist mnist = example::load_data(settings);
  hg::Rng rng{settings.seed};
  hg::initialize(model, rng, hg::XavierUniform{});
  const auto epochs = hg::fit(model, mnist.train.images, loss, hg::Adam{{.lr = settings.learning_rate}},
                              example::fit_options(settings, mnist), rng);
  example::plot_losses(settings, epochs);

  const hg::Matrix<float> code = hg::codes(model, mnist.test.images);
  const hg::LossReport& last = *epochs.back().test;
  example::Figures figures{
      {"test loss", last.parts.empty() ? last.loss : last.parts.front().second},
      {"mean code", double{code.mean()}},
      {"zeros %", 100.0 * static_cast<double>((code.array() == 0).count()) / static_cast<double>(code.size())}};
  for (const hg::DeadUnits& layer : hg::dead_units(model, mnist.test.images))
    figures.emplace_back("dead units of " + layer.layer, static_cast<double>(layer.dead));
  if (probe.wanted) {
    const hg::LogisticRegression classifier(hg::codes(model, mnist.train.images), mnist.train.labels, {.l2 = probe.l2});
    figures.emplace_back("probe error %", 100 * (1 - classifier.accuracy(code, mnist.test.labels)));
  }
  example::report(settings, figures);
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
  double alpha = 1;
  Probe probe;
  const char* what = "Trains a sparse autoencoder on MNIST: an L1 penalty on the code, or its k largest values.";
  const auto program = [&] {
    const hg::Sequential decoder{hg::Linear{settings.latent, 784}, hg::Sigmoid{}};
    if (k > 0)
      train(hg::Autoencoder{hg::Sequential{hg::Linear{784, settings.latent}, hg::TopK{k, alpha}}, decoder},
            hg::BCELoss{}, settings, probe);
    else
      train(hg::Autoencoder{hg::Sequential{hg::Linear{784, settings.latent}, hg::ReLU{}}, decoder},
            hg::SparseLoss{hg::BCELoss{}, hg::L1Activity{lambda}}, settings, probe);
  };
  return example::run(argc, argv, "sparse_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--lambda", lambda, "weight of the L1 penalty on the code")->capture_default_str();
    app.add_option("--k", k, "above 0: keep the k largest values of the code instead")->capture_default_str();
    app.add_option("--alpha", alpha, "inference keeps alpha k values")->capture_default_str();
    app.add_flag("--probe", probe.wanted, "classify the digits by logistic regression on the code");
    app.add_option("--l2", probe.l2, "its penalty")->capture_default_str();
  });
}
