// Anomaly detection on MNIST: for each digit an autoencoder that has seen no other one, and scores by reconstruction
// error. A convolutional encoder with a narrow code cannot draw what it never saw.
#include <CLI/CLI.hpp>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"
#include "plot.hpp"

namespace hg = hourglass;

namespace {

/// The images of one digit, or of all others.
hg::Matrix<float> select(const hg::LabelledImages& data, int digit, bool same) {
  std::vector<hg::Index> rows;
  for (std::size_t i = 0; i < data.labels.size(); ++i)
    if ((data.labels[i] == digit) == same) rows.push_back(static_cast<hg::Index>(i));
  hg::Matrix<float> chosen(static_cast<hg::Index>(rows.size()), data.images.cols());
  hg::Samples(data.images).gather(rows, hg::MatrixView<float>(chosen));
  return chosen;
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/anomaly_detection";
  settings.latent = 8;
  settings.epochs = 15;
  double false_alarms = 0.05;
  const char* what = "Learns one digit of MNIST at a time and tells all others from it by reconstruction error.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    example::Figures figures;
    std::vector<example::Bar> bars;
    double mean = 0;
    hg::Matrix<float> strangest(10, 784);
    hg::Matrix<float> rebuilt(10, 784);
    for (int digit = 0; digit < 10; ++digit) {
      const std::string name = std::to_string(digit);
      hg::Rng rng{settings.seed};
      using Image = hg::ImageShape;
      const hg::Conv2dOptions halving{.stride = 2, .padding = 1};
      const hg::ConvTranspose2dOptions doubling{.stride = 2, .padding = 1};
      hg::Autoencoder model{
          hg::Sequential{hg::Conv2d{Image{1, 28, 28}, 16, 3, halving}, hg::ReLU{},
                         hg::Conv2d{Image{16, 14, 14}, 32, 3, halving}, hg::ReLU{}, hg::Flatten{},
                         hg::Linear{32 * 49, settings.latent}},
          hg::Sequential{hg::Linear{settings.latent, 32 * 49}, hg::ReLU{}, hg::Unflatten{Image{32, 7, 7}},
                         hg::ConvTranspose2d{Image{32, 7, 7}, 16, 4, doubling}, hg::ReLU{},
                         hg::ConvTranspose2d{Image{16, 14, 14}, 1, 4, doubling}, hg::Sigmoid{}}};
      hg::initialize(model, rng);
      const hg::Matrix<float> train = select(mnist.train, digit, true);
      const hg::Matrix<float> normal = select(mnist.test, digit, true);
      const hg::Matrix<float> other = select(mnist.test, digit, false);
      hg::FitOptions<> options = example::fit_options(settings, mnist);
      options.validation = {};
      options.log = nullptr;
      options.metrics_csv = settings.output / ("digit" + name + ".csv");
      hg::fit(model, train, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}}, options, rng);

      const std::vector<double> calm = hg::anomaly_scores(model, normal);
      const std::vector<double> odd = hg::anomaly_scores(model, other);
      const double limit = hg::quantile(hg::anomaly_scores(model, train), 1 - false_alarms);
      bars.push_back({name, hg::auc(calm, odd)});
      mean += bars.back().value / 10;
      figures.emplace_back("AUC of " + name, bars.back().value);
      figures.emplace_back("found of " + name, hg::share_above(odd, limit));
      figures.emplace_back("false alarms of " + name, hg::share_above(calm, limit));
      const auto worst = std::ranges::max_element(calm) - calm.begin();
      strangest.row(digit) = normal.row(worst);
      rebuilt.row(digit) = model.reconstruct(normal.middleRows(worst, 1));
      hg::save(model, settings.output / ("digit" + name + ".safetensors"));
      if (!settings.quiet) std::cout << name << ": AUC " << bars.back().value << std::endl;
    }
    figures.emplace_back("mean AUC", mean);
    example::report(settings, figures);
    example::show(settings, example::plot_bars(settings.output / "auc.png",
                                               {"One digit against all others", "normal digit", "AUC"}, bars));
    // Of the digits that should be normal, the ones that the models find strangest.
    hg::save_image_grid(settings.output / "strangest.png", {.columns = 10, .scale = 3}, strangest, rebuilt);
  };
  return example::run(argc, argv, "anomaly_detection", what, settings, program, [&](CLI::App& app) {
    app.add_option("--false-alarms", false_alarms, "share of the training images above the threshold")
        ->check(CLI::Range(0.0, 1.0));
  });
}
