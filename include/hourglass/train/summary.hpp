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

/// Rows for the layers of `module`; returns the width after it.
template <class Module>
Index summarize(const Module& module, const ParameterName& name, Index width, std::vector<SummaryRow>& rows) {
  if constexpr (Container<Module>) {
    for_each_child(module, [&](const auto& key, const auto& child) {
      width = summarize(child, ParameterName{name, key}, width, rows);
    });
    return width;
  } else {
    const Index in = in_features(module);
    const Index out = in == Dynamic && width == Dynamic ? Dynamic : out_features(module, in == Dynamic ? width : in);
    const Index count = parameter_count(module);
    rows.push_back({name.str(), std::string(layer_name(module)),
                    out == Dynamic ? "(batch, ?)" : message("(batch, ", out, ")"), count > 0 ? grouped(count) : "-"});
    return out;
  }
}

}  // namespace detail

/// A table, one line a layer: name as in files, type, output shape, number of parameters; then the total, and what
/// buffers hold beside them. Text for the caller to print: `std::cout << summary(model)`.
template <class Model>
[[nodiscard]] std::string summary(const Model& model) {
  std::vector<detail::SummaryRow> rows{{"layer", "type", "output", "parameters"}};
  detail::summarize(model, ParameterName{}, Dynamic, rows);
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
