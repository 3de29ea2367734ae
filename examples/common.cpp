// The command line of the examples, apart from them: its library takes longer to compile than they do.
#include "common.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <hourglass/io/atomic_file.hpp>
#include <iomanip>
#include <span>
#include <sstream>

#include "plot.hpp"

namespace example {

namespace {

void add_options(CLI::App& app, Settings& settings) {
  app.add_option("--data", settings.data,
                 "Folder with the four MNIST files; default: $HOURGLASS_MNIST_DIR, else data/mnist, else the digits "
                 "that come with Hourglass");
  app.add_option("--epochs", settings.epochs, "Passes over the training data");
  if (settings.batch_size > 0) app.add_option("--batch-size", settings.batch_size, "Images per step");
  if (settings.latent > 0) app.add_option("--latent", settings.latent, "Width of the code");
  if (settings.learning_rate > 0) app.add_option("--learning-rate", settings.learning_rate, "Step size of Adam");
  app.add_option("--seed", settings.seed, "Seed of everything random; the same seed gives the same model");
  app.add_option("--threads", settings.threads, "Threads to use; 0: all");
  app.add_option("--output", settings.output, "Folder for pictures, metrics and weights");
  app.add_flag("--quiet", settings.quiet, "Print nothing but errors");
}

std::filesystem::path data_folder(const std::string& wish) {
  if (!wish.empty()) return wish;
  if (const char* variable = std::getenv("HOURGLASS_MNIST_DIR"); variable && *variable) return variable;
  const std::filesystem::path source = HOURGLASS_EXAMPLE_DATA_DIR;
  for (const std::filesystem::path& folder : {std::filesystem::path("data/mnist"), source / "mnist"})
    if (std::filesystem::is_directory(folder)) return folder;
  return source / "digits";
}

}  // namespace

hg::Mnist load_data(const Settings& settings) {
  const auto folder = data_folder(settings.data);
  hg::Mnist mnist = hg::load_mnist(folder);
  if (!settings.quiet)
    std::cout << "data: " << folder.string() << " (" << mnist.train.images.rows() << " training images, "
              << mnist.test.images.rows() << " test images)\n";
  return mnist;
}

void plot_losses(const Settings& settings, const std::vector<hg::EpochReport>& epochs) {
  if (epochs.empty()) return;
  Series train{"train", {}};
  Series test{"test", {}};
  for (const hg::EpochReport& epoch : epochs) {
    train.values.push_back(epoch.train.loss);
    if (epoch.test) test.values.push_back(epoch.test->loss);
  }
  show(settings,
       plot_curves(settings.output / "loss.png", {.title = "Loss", .x_label = "epoch", .y_label = ""}, {train, test}));
}

void show(const Settings& settings, const std::string& note) {
  if (!settings.quiet && !note.empty()) std::cout << note << "\n";
}

Figures last_losses(const std::vector<hg::EpochReport>& epochs) {
  Figures figures;
  const auto add = [&](const std::string& part, const hg::LossReport& losses) {
    figures.emplace_back(part + " loss", losses.loss);
    for (const auto& [name, value] : losses.parts) figures.emplace_back(part + " " + name, value);
  };
  if (!epochs.empty()) add("train", epochs.back().train);
  if (!epochs.empty() && epochs.back().test) add("test", *epochs.back().test);
  return figures;
}

void report(const Settings& settings, const Figures& figures) {
  std::ostringstream csv;
  csv << "figure,value\n";
  for (const auto& [name, value] : figures) {
    std::ostringstream number;
    number << std::setprecision(6) << value;
    csv << name << ',' << number.str() << '\n';
    if (!settings.quiet) std::cout << name << ": " << number.str() << "\n";
  }
  const std::string text = csv.str();
  hg::write_file(settings.output / "results.csv", std::as_bytes(std::span(text)));
}

int run(int argc, char** argv, const char* name, const char* description, Settings& settings,
        const std::function<void()>& program, const std::function<void(CLI::App&)>& more_options) {
  CLI::App app{description, name};
  app.option_defaults()->always_capture_default();
  add_options(app, settings);
  more_options(app);
  try {
    app.parse(argc, argv);
    if (settings.epochs < 1) throw hg::DataError("--epochs must be 1 or more");
    if (settings.threads < 0) throw hg::DataError("--threads must be 0 or more");
    if (settings.threads > 0) hg::set_num_threads(settings.threads);
    std::filesystem::create_directories(settings.output);
    program();
    if (!settings.quiet) std::cout << "pictures, metrics and weights are in " << settings.output.string() << "\n";
    return 0;
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << app.get_name() << ": " << error.what() << "\n";
    return 1;
  }
}

}  // namespace example
