// Denoising autoencoder 784-latent-784 on MNIST: it sees spoilt digits and is compared with the clean ones. A plain
// autoencoder of the same size learns beside it and shows what the noise teaches.
//
// P. Vincent et al., "Extracting and composing robust features with denoising autoencoders", 2008.
#include <CLI/CLI.hpp>
#include <map>

#include "common.hpp"

namespace hg = hourglass;

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/denoising_autoencoder";
  settings.latent = 500;
  enum class Kind { masking, gaussian, salt_and_pepper };
  const std::map<std::string, Kind> kinds{
      {"masking", Kind::masking}, {"gaussian", Kind::gaussian}, {"salt-and-pepper", Kind::salt_and_pepper}};
  Kind kind = Kind::masking;
  double amount = 0.3;
  const char* what = "Trains a denoising and a plain autoencoder on MNIST and lets both restore spoilt digits.";
  const auto program = [&] {
    const hg::Mnist mnist = example::load_data(settings);
    using Corruption = decltype(hg::FitOptions<>::corruption);
    const Corruption corrupt = kind == Kind::masking    ? Corruption(hg::MaskingNoise{amount})
                               : kind == Kind::gaussian ? Corruption(hg::GaussianNoise{amount})
                                                        : Corruption(hg::SaltAndPepper{amount});
    const auto train = [&](const Corruption& corruption, const char* name) {
      hg::Rng rng{settings.seed};
      hg::Autoencoder model{hg::Sequential{hg::Linear{784, settings.latent}, hg::ReLU{}},
                            hg::Sequential{hg::Linear{settings.latent, 784}, hg::Sigmoid{}}};
      hg::initialize(model, rng);
      hg::FitOptions<> options = example::fit_options(settings, mnist);
      options.corruption = corruption;
      options.metrics_csv = settings.output / (std::string(name) + ".csv");
      if (!settings.quiet) std::cout << name << "\n";
      const auto epochs =
          hg::fit(model, mnist.train.images, hg::BCELoss{}, hg::Adam{{.lr = settings.learning_rate}}, options, rng);
      if (corruption) example::plot_losses(settings, epochs);
      return model;
    };
    const auto denoising = train(corrupt, "denoising");
    const auto plain = train({}, "plain");
    hg::save(denoising, settings.output / "model.safetensors");

    const hg::Matrix<float> clean = mnist.test.images.topRows(mnist.test.images.rows());
    hg::Matrix<float> noisy = clean;
    hg::Rng rng{settings.seed + 1};
    corrupt(hg::MatrixView<float>(noisy), rng);
    const auto error = [&](const hg::Matrix<float>& restored) {
      return static_cast<double>((restored - clean).squaredNorm()) / static_cast<double>(clean.size());
    };
    const hg::Matrix<float> restored = denoising.reconstruct(noisy);
    const hg::Matrix<float> restored_by_plain = plain.reconstruct(noisy);
    example::report(settings, {{"MSE of the noisy images", error(noisy)},
                               {"MSE restored by the plain autoencoder", error(restored_by_plain)},
                               {"MSE restored by the denoising autoencoder", error(restored)}});

    // Clean, noisy, restored; then what each unit looks for.
    const hg::Index shown = std::min<hg::Index>(16, clean.rows());
    hg::save_image_grid(settings.output / "restored.png", {.columns = shown / 2, .scale = 3}, clean.topRows(shown),
                        noisy.topRows(shown), restored.topRows(shown));
    example::draw_filters(settings, denoising.encoder().layer<0>().weight(), 100, 10);
  };
  return example::run(argc, argv, "denoising_autoencoder", what, settings, program, [&](CLI::App& app) {
    app.add_option("--noise", kind, "masking, gaussian or salt-and-pepper")
        ->transform(CLI::CheckedTransformer(kinds, CLI::ignore_case))
        ->default_str("masking");
    app.add_option("--amount", amount, "share of the pixels that are spoilt, or the deviation of Gaussian noise");
  });
}
