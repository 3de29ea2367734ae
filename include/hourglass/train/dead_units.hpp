// Dead units: those of a ReLU or TopK that are zero for every sample, and so get no gradient and hardly ever come back.
//
// A layer of one's own takes part with `static constexpr bool silences_units = true`: a unit that it sets to zero gets
// no gradient.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/nn/workspace.hpp"
#include "hourglass/train/evaluate.hpp"

namespace hourglass {

/// The units of one layer.
struct DeadUnits {
  std::string layer;  ///< "encoder.1"
  Index units = 0;
  Index dead = 0;  ///< zero for all samples

  [[nodiscard]] double fraction() const noexcept { return static_cast<double>(dead) / static_cast<double>(units); }
};

namespace detail {

/// A layer that sets units to zero, which get no gradient then.
template <class Layer>
concept SilencesUnits = requires {
  requires Layer::silences_units;
};

/// A run of linear layers and activations of run-time number: Mlp, TiedDecoder.
template <class Module, class Cache>
concept ListsOutputs = requires(const Module& module, const Cache& cache) {
  module.hidden_activation();
  module.last_activation();
  cache.outputs;
};

/// Calls visit(name, outputs) for the outputs (rows, units) of each layer that silences units, as they lie in the
/// cache of the module.
template <class Module, class Cache, class Visit>
void for_each_silencer(const Module& module, const Cache& cache, Index rows, const ParameterName& name,
                       const Visit& visit) {
  if constexpr (SilencesUnits<Module>) {
    visit(name, cache.output(rows));
  } else if constexpr (requires { module.encoder(), module.decoder(), cache.encoder, cache.decoder; }) {
    for_each_silencer(module.encoder(), cache.encoder, rows, ParameterName{name, "encoder"}, visit);
    for_each_silencer(module.decoder(), cache.decoder, rows, ParameterName{name, "decoder"}, visit);
  } else if constexpr (requires { cache.layers; }) {
    [&]<std::size_t... index>(std::index_sequence<index...>) {
      (for_each_silencer(module.template layer<index>(), std::get<index>(cache.layers), rows,
                         ParameterName{name, static_cast<Index>(index)}, visit),
       ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(cache.layers)>>{});
  } else if constexpr (ListsOutputs<Module, Cache>) {
    const auto of = [&]<class A>(const A&, std::size_t i) {
      if constexpr (SilencesUnits<A>)
        visit(ParameterName{name, static_cast<Index>(2 * i + 1)}, first_rows(cache.outputs[i], rows));
    };
    for (std::size_t i = 0; i + 1 < cache.outputs.size(); ++i) of(module.hidden_activation(), i);
    of(module.last_activation(), cache.outputs.size() - 1);
  }
}

}  // namespace detail

/// How many units of each ReLU and TopK of `model` are zero for all of `data`, in inference: for those in Sequential,
/// Mlp, and the encoders and decoders of autoencoders. A large fraction means a learning rate that is too high, or a
/// bad start. Throws DataError for an empty data set, ShapeError for the wrong number of features.
template <class Model>
[[nodiscard]] std::vector<DeadUnits> dead_units(const Model& model, const Samples& data, Index batch_size = 256) {
  using Scalar = typename Model::Scalar;
  detail::check_samples("dead_units", model, data);
  Workspace<Model> workspace(model, batch_size, data.cols(), Purpose::inference);
  std::vector<DeadUnits> layers;
  std::vector<std::vector<bool>> alive;
  for (const auto& x : batches<Scalar>(data, batch_size)) {
    (void)model.forward(x, workspace, Inference{});
    std::size_t layer = 0;
    const auto look = [&](const ParameterName& name, const auto& y) {
      if (layer == layers.size()) {
        layers.push_back({name.str(), y.cols(), 0});
        alive.emplace_back(static_cast<std::size_t>(y.cols()));
      }
      for (Index row = 0; row < y.rows(); ++row)
        for (Index unit = 0; unit < y.cols(); ++unit)
          if (y(row, unit) != 0) alive[layer][static_cast<std::size_t>(unit)] = true;
      ++layer;
    };
    detail::for_each_silencer(model, workspace.cache(), x.rows(), ParameterName{}, look);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].dead = std::ranges::count(alive[i], false);
  return layers;
}

}  // namespace hourglass
