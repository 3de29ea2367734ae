// What the example programs share: settings, command line, choice of the data, errors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <hourglass/hourglass.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace example {

namespace hg = hourglass;

/// Options of the command line and their defaults; a program has no option for a number that it sets to 0.
struct Settings {
  std::string data;  // empty: choose
  hg::Index epochs = 20;
  hg::Index batch_size = 128;
  hg::Index latent = 64;
  double learning_rate = 1e-3;
  std::uint64_t seed = 1;
  int threads = 0;  // 0: as many as OpenMP takes
  std::filesystem::path output;
  bool quiet = false;
};

/// The training and test images of --data, $HOURGLASS_MNIST_DIR, data/mnist or the committed digits: the first there
/// is.
[[nodiscard]] hg::Mnist load_data(const Settings& settings);

[[nodiscard]] inline hg::FitOptions<> fit_options(const Settings& settings, const hg::Mnist& mnist) {
  return {.epochs = settings.epochs,
          .batch_size = settings.batch_size,
          .validation = mnist.test.images,
          .metrics_csv = settings.output / "metrics.csv",
          .log = settings.quiet ? nullptr : &std::cout};
}

/// Draws the training and test loss of the epochs as loss.png in the folder of the output.
void plot_losses(const Settings& settings, const std::vector<hg::EpochReport>& epochs);

/// Figures of a run, such as {"test MSE", 0.0045}: printed, and written to results.csv in the folder of the output.
using Figures = std::vector<std::pair<std::string, double>>;
void report(const Settings& settings, const Figures& figures);
/// The losses of the last epoch and their terms, such as {"train loss", ...} and {"test kl", ...}; none after no epoch.
[[nodiscard]] Figures last_losses(const std::vector<hg::EpochReport>& epochs);

/// Prints a note of plot.hpp.
void show(const Settings& settings, const std::string& note);
/// Draws the first test images, below each of them what `model` makes of it, as reconstruction.png.
template <class Model>
void draw_reconstructions(const Settings& settings, const Model& model, const hg::Mnist& mnist) {
  const hg::ImageSpan originals = mnist.test.images.topRows(std::min<hg::Index>(16, mnist.test.images.rows()));
  hg::save_image_grid(settings.output / "reconstruction.png", {.columns = 8, .scale = 3}, originals,
                      model.reconstruct(originals));
}
/// The units of each ReLU and TopK that are zero for all test images, such as {"dead units of encoder.1", 3}.
template <class Model>
[[nodiscard]] Figures dead_units(const Model& model, const hg::Mnist& mnist) {
  Figures figures;
  for (const hg::DeadUnits& layer : hg::dead_units(model, mnist.test.images))
    figures.emplace_back("dead units of " + layer.layer, static_cast<double>(layer.dead));
  return figures;
}
/// Draws the first rows of a first layer's `weight`, at most `number`: what each unit looks for, as filters.png.
template <class Weight>
void draw_filters(const Settings& settings, const Weight& weight, hg::Index number, hg::Index columns) {
  hg::save_image_grid(settings.output / "filters.png", {.columns = columns, .padding = 1},
                      hg::filter_images(weight.topRows(std::min(number, weight.rows())), {.normalize = true}));
}

/// Parses the command line into `settings`, runs `program()` and turns every error into one line on stderr and
/// status 1. `more_options` may add some to the command line.
int run(
    int argc, char** argv, const char* name, const char* description, Settings& settings,
    const std::function<void()>& program, const std::function<void(CLI::App&)>& more_options = [](CLI::App&) {});

}  // namespace example
