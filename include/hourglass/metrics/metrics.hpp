// All metrics. They are not in hourglass.hpp: whoever only trains would wait a second longer for each compilation.
#pragma once

#include "hourglass/metrics/active_units.hpp"
#include "hourglass/metrics/anomaly_scores.hpp"
#include "hourglass/metrics/auc.hpp"
#include "hourglass/metrics/codes.hpp"
#include "hourglass/metrics/interpolate.hpp"
#include "hourglass/metrics/latent_traversal.hpp"
#include "hourglass/metrics/logistic_regression.hpp"
#include "hourglass/metrics/manifold_grid.hpp"
#include "hourglass/metrics/mutual_information_gap.hpp"
#include "hourglass/metrics/normal_quantile.hpp"
#include "hourglass/metrics/pca.hpp"
#include "hourglass/metrics/psnr.hpp"
#include "hourglass/metrics/quantile.hpp"
#include "hourglass/metrics/sample_errors.hpp"
#include "hourglass/metrics/ssim.hpp"
