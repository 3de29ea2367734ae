// Gradient check: a claimed gradient against central differences, in double.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

/// Thresholds of torch.autograd.gradcheck.
struct GradcheckOptions {
  double eps = 1e-6;
  double atol = 1e-5;
  double rtol = 1e-3;
};

/// "" when `claimed` is the gradient of `f` at `x`: every (f(x + eps e_i) - f(x - eps e_i)) / (2 eps) is within
/// atol + rtol * |it|, and f gives the same bits twice. Otherwise says where it is not.
/// Use: CHECK(gradcheck(f, x, claimed) == "").
[[nodiscard]] inline std::string gradcheck(const std::function<double(std::span<const double>)>& f,
                                           std::vector<double> x, std::span<const double> claimed,
                                           const GradcheckOptions& options = {}) {
  if (x.empty()) return "nothing to check";
  if (claimed.size() != x.size())
    return "the gradient has " + std::to_string(claimed.size()) + " elements, x has " + std::to_string(x.size());
  if (!(f(x) == f(x))) return "f differs between two calls, or is NaN";
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i];
    x[i] = kept + options.eps;
    const double above = f(x);
    x[i] = kept - options.eps;
    const double below = f(x);
    x[i] = kept;
    const double numerical = (above - below) / (2 * options.eps);
    if (!(std::abs(claimed[i] - numerical) <= options.atol + options.rtol * std::abs(numerical)))
      return "element " + std::to_string(i) + ": claimed " + std::to_string(claimed[i]) + ", central difference " +
             std::to_string(numerical);
  }
  return "";
}
