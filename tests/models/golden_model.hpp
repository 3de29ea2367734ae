// Whole models against a golden file: parameters from there, gradients compared with it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "golden.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/nn/workspace.hpp"

/// Fills the parameters of `model` from the golden case.
template <class Model>
void load_golden(Model& model, const Golden& golden, const std::string& scenario) {
  using Scalar = typename Model::Scalar;
  hourglass::for_each_parameter(model, [&](const auto& name, auto& parameter) {
    const auto values = golden.values<Scalar>(scenario + "." + name.str());
    for (hourglass::Index i = 0; i < parameter.size(); ++i)
      parameter.data()[parameter.offset_of_row_major(i)] = values.at(static_cast<std::size_t>(i));
  });
}

/// "" when all gradients in the workspace are those of the golden case, else the name and place of one that is not.
template <class Model>
[[nodiscard]] std::string golden_gradients(const Model& model, const hourglass::Workspace<Model>& workspace,
                                           const Golden& golden, const std::string& scenario,
                                           Tolerance tolerance = golden_tolerance<typename Model::Scalar>) {
  using Scalar = typename Model::Scalar;
  std::string result;
  hourglass::zip_parameters(
      model,
      [&](const auto& name, const auto& parameter, const Scalar* gradient) {
        std::vector<Scalar> row_major;
        for (hourglass::Index i = 0; i < parameter.size(); ++i)
          row_major.push_back(gradient[parameter.offset_of_row_major(i)]);
        const auto expected = golden.values<Scalar>(scenario + ".d " + name.str());
        const std::string text =
            difference(std::span<const Scalar>(row_major), std::span<const Scalar>(expected), tolerance);
        if (!text.empty()) result += name.str() + ": " + text + "; ";
      },
      workspace.gradients());
  return result;
}
