// Summary: a table of a model's layers, output shapes and parameter counts.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "hourglass/core/buffer.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/nn/layer.hpp"
#include "hourglass/nn/shape_flow.hpp"

namespace hourglass {

namespace detail {

/// 1234567 -> "1,234,567".
[[nodiscard]] inline std::string grouped(Index number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

using SummaryRow = std::array<std::string, 4>;

/// "(batch, 64)", "(batch, 16, 14, 14)" where rows are images, "(batch, ?)" where nothing is known.
[[nodiscard]] inline std::string output_shape(const RowShape& row) {
  if (row.image.is_known())
    return message("(batch, ", row.image.channels, ", ", row.image.height, ", ", row.image.width, ")");
  return row.features == Dynamic ? "(batch, ?)" : message("(batch, ", row.features, ")");
}

}  // namespace detail

/// A table, one line a layer: name as in files, type, output shape (that of images where it is known, such as
/// "(batch, 16, 14, 14)"), number of parameters; then the total, and what
/// buffers hold beside them. Text for the caller to print: `std::cout << summary(model)`.
template <class Model>
[[nodiscard]] std::string summary(const Model& model) {
  std::vector<detail::SummaryRow> rows{{"layer", "type", "output", "parameters"}};
  const auto add = [&](const ParameterName& name, const auto& layer, const detail::RowShape& in) {
    const detail::RowShape out = detail::shape_after(layer, in);
    const Index count = parameter_count(layer);
    rows.push_back({name.str(), std::string(detail::layer_name(layer)), detail::output_shape(out),
                    count > 0 ? detail::grouped(count) : "-"});
    return out;
  };
  (void)detail::follow_shapes(model, ParameterName{}, {}, add);
  std::array<std::size_t, 4> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - row[i].size(), ' ');
      text += i + 1 < row.size() ? row[i] + pad + "  " : pad + row[i];
    }
    text += '\n';
  }
  const Index buffers = buffer_count(model);
  return detail::message(text, detail::layer_name(model), ": ", detail::grouped(parameter_count(model)), " parameters",
                         buffers > 0 ? detail::message(", and ", detail::grouped(buffers), " values in buffers") : "",
                         "\n");
}

}  // namespace hourglass
