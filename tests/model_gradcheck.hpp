// Gradient check of whole models: every parameter against central differences, in double.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gradcheck.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/nn/workspace.hpp"

/// Parameters of a model of doubles as one vector.
template <class Model>
[[nodiscard]] std::vector<double> flat_parameters(const Model& model) {
  std::vector<double> flat;
  hourglass::for_each_parameter(
      model, [&](const auto&, const auto& p) { flat.insert(flat.end(), p.values().begin(), p.values().end()); });
  return flat;
}

template <class Model>
void set_flat_parameters(Model& model, std::span<const double> flat) {
  std::size_t at = 0;
  hourglass::for_each_parameter(model, [&](const auto&, auto& p) {
    const auto size = static_cast<std::size_t>(p.size());
    std::copy_n(flat.begin() + static_cast<std::ptrdiff_t>(at), size, p.values().begin());
    at += size;
  });
}

/// Gradients of a workspace in the order of flat_parameters.
template <class Model>
[[nodiscard]] std::vector<double> flat_gradients(const Model& model, hourglass::Workspace<Model>& workspace) {
  std::vector<double> flat;
  hourglass::zip_parameters(
      model, [&](const auto&, const auto& p, const double* g) { flat.insert(flat.end(), g, g + p.size()); },
      workspace.gradients());
  return flat;
}

/// "" when backward() gives the gradient of `pass(model, workspace)`, which runs forward and loss on `x`, leaves the
/// gradients of the loss in the workspace and returns its value, the same for the same parameters.
template <class Model, class Pass>
[[nodiscard]] std::string model_gradcheck(Model model, const hourglass::Matrix<double>& x, const Pass& pass) {
  hourglass::Workspace<Model> workspace(model, x.rows(), x.cols());
  (void)pass(model, workspace);
  model.backward(x, workspace);
  const std::vector<double> claimed = flat_gradients(model, workspace);
  return gradcheck(
      [&](std::span<const double> flat) {
        set_flat_parameters(model, flat);
        return static_cast<double>(pass(model, workspace));
      },
      flat_parameters(model), claimed);
}
