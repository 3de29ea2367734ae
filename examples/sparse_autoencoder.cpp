// Sparse autoencoder: 784-latent-784 with a code whose units a penalty keeps silent: L1 on units that are ReLUs, or the
// divergence of their mean from a rate rho on units that are sigmoids (A. Ng, "Sparse autoencoder", CS294A notes,
// 2011).
#include <CLI/CLI.hpp>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"

namespace hg = hourglass;

namespace {

template <class Activation, class Penalty, class Optimizer>
void train(const Penalty& penalty, Optimizer optimizer, const example::Settings& settings) {
  const hg::Mnist mnist = example::load_data(settings);
  hg::Rng rng{settings.seed};
  hg::Autoencoder model{hg::Sequential{hg::Linear{784, settings.latent}, Activation{}},
                        hg::Sequential{hg::Linear{settings.latent, 784}, hg::Sigmoid{}}};
  hg::initialize(model, rng, hg::XavierUniform{});
  if (!settings.quiet) std::cout << hg::summary(model);
  const auto epochs = hg::fit(model, mnist.train.images, hg::SparseLoss{hg::BCELoss{}, penalty}, optimizer,
                              example::fit_options(settings, mnist), rng);
  example::plot_losses(settings, epochs);

  const hg::Matrix<float> code = hg::codes(model, mnist.test.images);
  example::Figures figures = example::dead_units(model, mnist);
  figures.emplace_back("test BCE", epochs.back().test->parts.front().second);
  figures.emplace_back("mean code", double{code.mean()});
  figures.emplace_back("zeros %", 100 * double{(code.array() == 0).cast<float>().mean()});
  example::report(settings, figures);
  hg::save(model, settings.output / "model.safetensors");
  example::draw_reconstructions(settings, model, mnist);
  hg::save_image_grid(settings.output / "filters.png", {.columns = 8, .scale = 2, .padding = 1},
                      hg::filter_images(model.encoder().template layer<0>().weight(), {.normalize = true}));
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/sparse";
  settings.latent = 32;
  double lambda = 1e-4;
  double rho = 0;
  double beta = 1e-3;
  bool adadelta = false;
  const char* what =
      "Trains a sparse autoencoder on MNIST: an L1 penalty on the code, or the mean that its units shall have.";
  const auto program = [&] {
    const hg::Adam adam{{.lr = settings.learning_rate}};
    if (rho > 0)
      train<hg::Sigmoid>(hg::KLSparsity{rho, beta}, adam, settings);
    else if (adadelta)
      train<hg::ReLU>(hg::L1Activity{lambda}, hg::Adadelta{{.rho = 0.95, .eps = 1e-8}}, settings);
    else
      train<hg::ReLU>(hg::L1Activity{lambda}, adam, settings);
  };
  return example::run(argc, argv, "sparse_autoencoder", what, settings, program, [&](CLI::App& app) {
    auto* penalty = app.add_option("--lambda", lambda, "weight of the L1 penalty on the code");
    auto* rate = app.add_option("--rho", rho, "the mean that units of the code shall have instead, such as 0.05")
                     ->check(CLI::PositiveNumber)
                     ->default_str("")
                     ->excludes(penalty);
    app.add_option("--beta", beta, "weight of the divergence from it")->needs(rate);
    app.add_flag("--adadelta", adadelta, "train with Adadelta, as the Keras blog did, in place of Adam")
        ->excludes(rate)
        ->excludes(app.get_option("--learning-rate"));  // it has none
  });
}
