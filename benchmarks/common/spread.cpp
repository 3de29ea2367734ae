#include "spread.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace benchmark {

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double fraction) {
    const double at = fraction * static_cast<double>(values.size() - 1);
    const auto index = static_cast<std::size_t>(at);
    const double above = values[std::min(index + 1, values.size() - 1)];
    return values[index] + (at - std::floor(at)) * (above - values[index]);
  };
  return {quantile(0.25), quantile(0.5), quantile(0.75)};
}

std::vector<double> quotients(const std::vector<double>& above, const std::vector<double>& below) {
  std::vector<double> result(above.size());
  std::transform(above.begin(), above.end(), below.begin(), result.begin(), [](double x, double y) { return x / y; });
  return result;
}

}  // namespace benchmark
