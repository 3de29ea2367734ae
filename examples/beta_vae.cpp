// beta-VAE 784-256-256-latent, mirrored, on pictures whose factors are known: bright ellipses of all positions, sizes
// and widths. Whether each latent dimension found one factor of its own is measured, and seen in a traversal.
//
// I. Higgins et al., "beta-VAE: Learning basic visual concepts with a constrained variational framework", 2017.
#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <hourglass/metrics/metrics.hpp>

#include "common.hpp"
#include "plot.hpp"

namespace hg = hourglass;

namespace {

struct Ellipses {
  hg::Matrix<float> images;  // (n, 784)
  hg::Matrix<int> factors;   // (n, 4): x, y, size, ratio of the axes
};

/// An ellipse with a soft edge for each combination of the factors.
[[nodiscard]] Ellipses draw_ellipses() {
  constexpr std::array<int, 4> values{12, 12, 5, 5};
  const hg::Index count = values[0] * values[1] * values[2] * values[3];
  Ellipses ellipses{hg::Matrix<float>(count, 784), hg::Matrix<int>(count, 4)};
  for (hg::Index i = 0; i < count; ++i) {
    std::array<double, 4> share{};  // of each factor, from 0 to 1
    hg::Index rest = i;
    for (std::size_t k = 0; k < 4; rest /= values[k], ++k) {
      ellipses.factors(i, static_cast<hg::Index>(k)) = static_cast<int>(rest % values[k]);
      share[k] = static_cast<double>(rest % values[k]) / (values[k] - 1);
    }
    const double radius = 2.5 + 3 * share[2];
    const double ratio = std::pow(2.0, share[3] - 0.5);
    for (hg::Index pixel = 0; pixel < 784; ++pixel) {
      const double x = static_cast<double>(pixel % 28) - (7 + 13 * share[0]);
      const double y = static_cast<double>(pixel / 28) - (7 + 13 * share[1]);
      const double distance = std::hypot(x / ratio, y * ratio) - radius;
      ellipses.images(i, pixel) = static_cast<float>(1 / (1 + std::exp(3 * distance)));
    }
  }
  return ellipses;
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/beta_vae";
  settings.latent = 8;
  settings.epochs = 60;
  hg::ElboOptions elbo{.beta = 4};
  const char* what = "Trains a beta-VAE on pictures of ellipses and measures what its latent dimensions stand for.";
  const auto program = [&] {
    const Ellipses ellipses = draw_ellipses();
    if (!settings.quiet) std::cout << "data: ellipses (" << ellipses.images.rows() << " images)\n";
    hg::Rng rng{settings.seed};
    hg::VariationalAutoencoder model{
        hg::Sequential{hg::Linear<784, 256>{}, hg::ReLU{}, hg::Linear<256, 256>{}, hg::ReLU{},
                       hg::Linear{256, 2 * settings.latent}},
        hg::Sequential{hg::Linear{settings.latent, 256}, hg::ReLU{}, hg::Linear<256, 256>{}, hg::ReLU{},
                       hg::Linear<256, 784>{}, hg::Sigmoid{}}};
    hg::initialize(model, rng);
    hg::FitOptions<> options{.epochs = settings.epochs,
                             .batch_size = settings.batch_size,
                             .metrics_csv = settings.output / "metrics.csv",
                             .log = settings.quiet ? nullptr : &std::cout};
    const auto epochs = hg::fit(model, ellipses.images, hg::NegativeELBO{hg::BCELoss{}, elbo},
                                hg::Adam{{.lr = settings.learning_rate}}, options, rng);
    hg::save(model, settings.output / "model.safetensors");
    example::plot_losses(settings, epochs);

    const hg::Posterior<float> posterior = model.encode(ellipses.images);
    std::vector<example::Bar> divergence;
    for (hg::Index j = 0; j < settings.latent; ++j)
      divergence.push_back({"z_" + std::to_string(j),
                            hg::kl_divergence(posterior.mu.middleCols(j, 1), posterior.logvar.middleCols(j, 1))});
    example::Figures figures = example::last_losses(epochs);
    figures.emplace_back("active units", static_cast<double>(hg::active_units(posterior.mu)));
    figures.emplace_back("mutual information gap", hg::mutual_information_gap(posterior.mu, ellipses.factors));
    for (const auto& [name, kl] : divergence) figures.emplace_back("KL of " + name, kl);
    example::report(settings, figures);
    example::show(settings, example::plot_bars(settings.output / "divergence.png",
                                               {"KL divergence of the latent dimensions", "", "nats"}, divergence));
    const hg::Index middle = ellipses.images.rows() / 2;
    hg::save_image_grid(settings.output / "traversal.png", {.columns = 11, .scale = 2},
                        hg::latent_traversal(model, posterior.mu.middleRows(middle, 1), 11));
  };
  return example::run(argc, argv, "beta_vae", what, settings, program, [&](CLI::App& app) {
    app.add_option("--beta", elbo.beta, "weight of the KL term")->capture_default_str();
    app.add_option("--warm-up-steps", elbo.warm_up_steps, "steps in which that weight grows")->capture_default_str();
    app.add_option("--free-bits", elbo.free_bits, "nats that each dimension has for nothing")->capture_default_str();
    app.add_option("--capacity", elbo.capacity, "nats that the KL term is pulled to")->capture_default_str();
    app.add_option("--capacity-steps", elbo.capacity_steps, "steps in which they grow")->capture_default_str();
  });
}
