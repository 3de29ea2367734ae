// Random search for hyper-parameters of an autoencoder on MNIST: width, code, learning rate and batch size, with early
// stopping on images that no trial trains on. The best model is saved and judged on the test images.
//
// J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization", 2012.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>

#include "common.hpp"

namespace hg = hourglass;

namespace {

struct Trial {
  hg::Index width;
  hg::Index code;
  double learning_rate;
  hg::Index batch_size;
  std::filesystem::path file{};
  std::size_t epochs = 0;
  double loss = std::numeric_limits<double>::infinity();
};

hg::Autoencoder<hg::Mlp<hg::ReLU>, hg::Mlp<hg::ReLU, hg::Sigmoid>> network(const Trial& trial) {
  return hg::symmetric_autoencoder({784, trial.width, trial.code});
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/hyperparameter_search";
  settings.latent = settings.batch_size = 0;
  settings.learning_rate = 0;
  settings.epochs = 10;
  hg::Index number = 12;
  hg::Index patience = 2;
  const char* what = "Searches for the width, code, learning rate and batch size of an autoencoder on MNIST.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    const hg::Index kept = mnist.train.images.rows() * 5 / 6;
    const hg::Samples all(mnist.train.images);
    const hg::Samples validation = all.middleRows(kept, all.rows() - kept);
    hg::Rng search{settings.seed};
    const auto choose = [&](std::initializer_list<hg::Index> values) {
      return values.begin()[static_cast<std::size_t>(search.uniform() * static_cast<double>(values.size()))];
    };
    std::vector<Trial> trials;
    for (hg::Index i = 0; i < number; ++i) {
      Trial trial{.width = choose({64, 128, 256, 512}),
                  .code = choose({8, 16, 32, 64}),
                  .learning_rate = std::pow(10, -4 + 2 * search.uniform()),
                  .batch_size = choose({32, 64, 128, 256})};
      auto model = network(trial);
      hg::Rng rng{settings.seed};
      hg::initialize(model, rng);
      const std::string name = "trial" + std::to_string(i + 1);
      hg::FitOptions<> options = example::fit_options(settings, mnist);
      options.batch_size = trial.batch_size;
      options.validation = validation;
      options.metrics_csv = settings.output / (name + ".csv");
      options.log = nullptr;
      trial.file = settings.output / (name + ".safetensors");
      options.callbacks = {hg::ModelCheckpoint{model, trial.file}, hg::EarlyStopping{patience}};
      const auto epochs =
          hg::fit(model, all.topRows(kept), hg::BCELoss{}, hg::Adam{{.lr = trial.learning_rate}}, options, rng);
      for (const hg::EpochReport& epoch : epochs) trial.loss = std::min(trial.loss, epoch.test->loss);
      trial.epochs = epochs.size();
      trials.push_back(trial);
      if (!settings.quiet) std::cout << name << " of " << number << ": " << trial.loss << std::endl;
    }

    std::ranges::sort(trials, {}, &Trial::loss);
    if (!settings.quiet) {
      std::cout << std::setprecision(4) << "rank\tloss\twidth\tcode\tbatch\tepochs\tlearning rate\n";
      for (std::size_t i = 0; i < trials.size(); ++i)
        std::cout << i + 1 << "\t" << trials[i].loss << "\t" << trials[i].width << "\t" << trials[i].code << "\t"
                  << trials[i].batch_size << "\t" << trials[i].epochs << "\t" << trials[i].learning_rate << "\n";
    }
    auto model = network(trials.front());
    hg::load(model, trials.front().file);
    hg::save(model, settings.output / "model.safetensors");
    hg::Rng rng{settings.seed};
    example::report(settings,
                    {{"validation loss of the best", trials.front().loss},
                     {"validation loss of the worst", trials.back().loss},
                     {"test loss of the best", hg::evaluate(model, mnist.test.images, hg::BCELoss{}, rng).loss}});
  };
  return example::run(argc, argv, "hyperparameter_search", what, settings, program, [&](CLI::App& app) {
    app.add_option("--trials", number, "networks to train")->check(CLI::PositiveNumber);
    app.add_option("--patience", patience, "epochs without improvement before a trial ends");
  });
}
