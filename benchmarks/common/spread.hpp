// Medians and quartiles of what was measured round after round.
#pragma once

#include <vector>

namespace benchmark {

/// A median with its quartiles.
struct Spread {
  double low = 0;
  double median = 0;
  double high = 0;
};
[[nodiscard]] Spread spread(std::vector<double> values);

/// above[i] / below[i], of figures from the same rounds.
[[nodiscard]] std::vector<double> quotients(const std::vector<double>& above, const std::vector<double>& below);

}  // namespace benchmark
