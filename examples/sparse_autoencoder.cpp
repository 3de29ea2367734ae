// Sparse autoencoder: 784-latent-784 with a ReLU code whose units an L1 penalty keeps silent, or of which only the k
// largest are kept. A linear probe on the code tells what it knows of the digits.
//
// A. Makhzani, B. Frey, "k-Sparse autoencoders", 2013.
#include <CLI/CLI.hpp>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"

namespace hg = hourglass;

namespace {

template <class Model, class Loss>
void train(Model model, const Loss& loss, const example::Settings& settings, bool probe) {
  const hg::Mnist mnist = example::load_data(settings);
  hg::Rng rng{settings.seed};
  hg::initialize(model, rng, hg::XavierUniform{});
  const auto epochs = hg::fit(model, mnist.train.images, loss, hg::Adam{{.lr = settings.learning_rate}},
                              example::fit_options(settings, mnist), rng);
  example::plot_losses(settings, epochs);

  const hg::Matrix<float> code = hg::codes(model, mnist.test.images);
  const hg::LossReport& last = *epochs.back().test;
  example::Figures figures{
      {"test BCE", last.parts.empty() ? last.loss : last.parts.front().second},
      {"mean code", double{code.mean()}},
      {"zeros %", 100.0 * static_cast<double>((code.array() == 0).count()) / static_cast<double>(code.size())}};
  for (const hg::DeadUnits& layer : hg::dead_units(model, mnist.test.images))
    figures.emplace_back("dead units of " + layer.layer, static_cast<double>(layer.dead));
  if (probe) {
    const hg::LogisticRegression classifier(hg::codes(model, mnist.train.images), mnist.train.labels);
    figures.emplace_back("probe error %", 100 * (1 - classifier.accuracy(code, mnist.test.labels)));
  }
  example::report(settings, figures);
  hg::save(model, settings.output / "model.safetensors");
  example::draw_reconstructions(settings, model, mnist);
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/sparse";
  settings.latent = 32;
  double lambda = 1e-4;
  hg::Index k = 0;
  double alpha = 1;
  bool probe = false;
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
    auto* penalty = app.add_option("--lambda", lambda, "weight of the L1 penalty on the code")->capture_default_str();
    auto* largest = app.add_option("--k", k, "keep the k largest values of the code instead")->excludes(penalty);
    app.add_option("--alpha", alpha, "inference keeps alpha k values")->needs(largest)->capture_default_str();
    app.add_flag("--probe", probe, "classify the digits by logistic regression on the code");
  });
}
