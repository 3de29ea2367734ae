// beta-VAE 784-256-256-latent, mirrored, on pictures whose factors are known: bright bars of all positions, sizes
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

struct Bars {
  hg::Matrix<float> images;  // (1728, 784)
  hg::Matrix<int> factors;   // (1728, 3): height of each bar, from 0 to 11
};

/// A picture for each combination of heights; the tops of the bars are soft.
[[nodiscard]] Bars draw_bars() {
  constexpr std::array<hg::Index, 3> left{2, 13, 21};
  constexpr std::array<hg::Index, 3> width{9, 6, 4};
  Bars bars{hg::Matrix<float>(1728, 784), hg::Matrix<int>(1728, 3)};
  for (hg::Index i = 0; i < 1728; ++i) {
    hg::Index rest = i;
    for (std::size_t bar = 0; bar < 3; ++bar, rest /= 12) {
      bars.factors(i, static_cast<hg::Index>(bar)) = static_cast<int>(rest % 12);
      const double height = 2 + 20.0 / 11 * static_cast<double>(rest % 12);
      for (hg::Index y = 0; y < 26; ++y) {
        const auto value = static_cast<float>(1 / (1 + std::exp(2 * (static_cast<double>(y) - height))));
        bars.images.row(i).segment((25 - y) * 28 + left[bar], width[bar]).setConstant(value);
      }
    }
  }
  return bars;
}

}  // namespace

int main(int argc, char** argv) {
  example::Settings settings;
  settings.output = "output/beta_vae";
  settings.latent = 6;
  settings.batch_size = 64;
  settings.epochs = 60;
  hg::ElboOptions elbo{.beta = 4};
  const char* what = "Trains a beta-VAE on pictures of bars and measures what its latent dimensions stand for.";
  const auto program = [&] {
    const Bars bars = draw_bars();
    if (!settings.quiet) std::cout << "data: bars (" << bars.images.rows() << " images)\n";
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
    const auto epochs = hg::fit(model, bars.images, hg::NegativeELBO{hg::BCELoss{}, elbo},
                                hg::Adam{{.lr = settings.learning_rate}}, options, rng);
    hg::save(model, settings.output / "model.safetensors");
    example::plot_losses(settings, epochs);

    const hg::Posterior<float> posterior = model.encode(bars.images);
    std::vector<example::Bar> divergence;
    for (hg::Index j = 0; j < settings.latent; ++j)
      divergence.push_back({"z_" + std::to_string(j),
                            hg::kl_divergence(posterior.mu.middleCols(j, 1), posterior.logvar.middleCols(j, 1))});
    example::Figures figures = example::last_losses(epochs);
    figures.emplace_back("active units", static_cast<double>(hg::active_units(posterior.mu)));
    figures.emplace_back("mutual information gap", hg::mutual_information_gap(posterior.mu, bars.factors));
    for (const auto& [name, kl] : divergence) figures.emplace_back("KL of " + name, kl);
    example::report(settings, figures);
    example::show(settings, example::plot_bars(settings.output / "divergence.png",
                                               {"KL divergence of the latent dimensions", "", "nats"}, divergence));
    hg::save_image_grid(settings.output / "traversal.png", {.columns = 11, .scale = 2},
                        hg::latent_traversal(model, hg::Matrix<float>(posterior.mu.colwise().mean()), 11));
  };
  return example::run(argc, argv, "beta_vae", what, settings, program, [&](CLI::App& app) {
    app.remove_option(app.get_option("--data"));  // it draws its own
    app.add_option("--beta", elbo.beta, "weight of the KL term");
    app.add_option("--warm-up-steps", elbo.warm_up_steps, "steps in which that weight grows");
    app.add_option("--free-bits", elbo.free_bits, "nats that each dimension has for nothing");
    app.add_option("--capacity", elbo.capacity, "nats that the KL term is pulled to");
    app.add_option("--capacity-steps", elbo.capacity_steps, "steps in which they grow");
  });
}
