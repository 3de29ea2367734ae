// Contractive autoencoders: loss = reconstruction + lambda |dh/dx|_F^2, averaged over the batch.
//
// For a code h = f(x W^T + b) of one linear layer, W (code, features), the Jacobian is J_ji = f'_j W_ji, so
//     |J|_F^2 = sum_j f'_j^2 s_j,    s_j = sum_i W_ji^2,
// with f' = h (1 - h) for the sigmoid and 1 - h^2 for tanh. Its gradients, averaged over the rows n of the batch:
//     d/dh_nj = 2 s_j f'_nj df'/dh,    d/dW_ji = 2 W_ji sum_n f'_nj^2 beside the path through h.
//
// S. Rifai, P. Vincent, X. Muller, X. Glorot, Y. Bengio, "Contractive auto-encoders", 2011.
#pragma once

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/sum_of_rows.hpp"
#include "hourglass/loss/bce.hpp"
#include "hourglass/loss/elementwise.hpp"
#include "hourglass/loss/reduction.hpp"
#include "hourglass/models/code_penalty.hpp"
#include "hourglass/models/penalized_terms.hpp"
#include "hourglass/nn/linear.hpp"
#include "hourglass/nn/mlp.hpp"
#include "hourglass/nn/sequential.hpp"
#include "hourglass/nn/sigmoid.hpp"
#include "hourglass/nn/tanh.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

namespace detail {

/// f' as a function of the output h, and its derivative df'/dh.
template <class V>
struct SlopeOfOutput {
  V slope;
  V change;
};
HOURGLASS_SIMD(SlopeOfOutput<V> slope_of_output(const Sigmoid&, V h), { return {h * (V(1) - h), V(1) - (h + h)}; })
HOURGLASS_SIMD(SlopeOfOutput<V> slope_of_output(const Tanh&, V h), { return {fma(-h, h, V(1)), -(h + h)}; })

/// The one linear layer of an encoder and its activation, where |J|_F^2 has a closed form.
template <class Encoder>
struct OneLayerEncoder {
  static constexpr bool fits = false;
};
template <class Affine, class A>
struct OneLayerEncoder<Sequential<Affine, A>> {
  static constexpr bool fits = requires(const Affine& layer) { layer.weight(); }
  &&(std::is_same_v<A, Sigmoid> || std::is_same_v<A, Tanh>);
  using Activation = A;
  static const auto& linear(const Sequential<Affine, A>& encoder) noexcept { return encoder.template layer<0>(); }
};
template <class Hidden, class A, class Scalar>
struct OneLayerEncoder<Mlp<Hidden, A, Scalar>> {
  static constexpr bool fits = std::is_same_v<A, Sigmoid> || std::is_same_v<A, Tanh>;
  using Activation = A;
  static const auto& linear(const Mlp<Hidden, A, Scalar>& encoder) {
    if (encoder.depth() != 1)
      throw ShapeError(message("ContractiveLoss: the encoder has ", encoder.depth(),
                               " linear layers; the penalty has a closed form for one only"));
    return encoder.linear(0);
  }
};

/// Adds up f'^2 over the samples.
template <class Scalar, class A>
struct SquaredSlopes {
  const Scalar* h;
  Index units;
  Index count;
  HOURGLASS_SIMD(V operator()(Index row, V sum) const, {
    const V slope = slope_of_output(A{}, V::load(h + row * units, count)).slope;
    return fma(slope, slope, sum);
  })
};

/// Sum of f'_nj^2 s_j over all samples and units; factor 2 s_j f'_nj df'/dh goes to `gradient` unless that is null.
template <class Scalar, class A>
struct ContractivePenalty {
  Index rows;
  Index units;
  Index features;
  const Scalar* h;  // (rows, units)
  const Scalar* w;  // (features, units)
  Scalar* gradient;
  Scalar factor;
  double* sum;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index j = 0; j < units; j += V::lanes) {
      const Index n = std::min<Index>(V::lanes, units - j);
      const V norms = sum_of_rows<V>(features, SquareTerms<Scalar>{w + j, units, n});
      const V slopes = sum_of_rows<V>(rows, SquaredSlopes<Scalar, A>{h + j, units, n});
      Scalar values[V::lanes];
      (norms * slopes).store(values);
      for (Index lane = 0; lane < n; ++lane) *sum += static_cast<double>(values[lane]);
      if (gradient == nullptr) continue;
      const V scale = V(2 * factor) * norms;
      for (Index row = 0; row < rows; ++row) {
        const auto at = slope_of_output(A{}, V::load(h + row * units + j, n));
        (scale * at.slope * at.change).store(gradient + row * units + j, n);
      }
    }
  })
};

/// dw_ji += factor 2 w_ji sum_n f'_nj^2.
template <class Scalar, class A>
struct ContractiveDecay {
  Index rows;
  Index units;
  Index features;
  const Scalar* h;  // (rows, units)
  const Scalar* w;  // (features, units)
  Scalar* gradient;
  Scalar factor;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index j = 0; j < units; j += V::lanes) {
      const Index n = std::min<Index>(V::lanes, units - j);
      const V slopes = sum_of_rows<V>(rows, SquaredSlopes<Scalar, A>{h + j, units, n});
      const V decay = V(2 * factor) * slopes;
      for (Index i = j; i < features * units; i += units)
        fma(decay, V::load(w + i, n), V::load(gradient + i, n)).store(gradient + i, n);
    }
  })
};

}  // namespace detail

/// Loss of a contractive autoencoder, whose encoder is Sequential{Linear, Sigmoid} or Sequential{Linear, Tanh} (or an
/// Mlp of one layer, as in TiedAutoencoder): the reconstruction loss with its own reduction plus lambda |J|_F^2
/// averaged over the batch, or summed when the reconstruction loss is a sum.
///
/// The penalty depends on the weights themselves, so that calls take the model, and one step is
///     loss(model, output, target, workspace);
///     model.backward(x, workspace);
///     loss.add_parameter_gradient(model, workspace);
///     optimizer.step(model, workspace);
/// which is what fit() does.
template <class Reconstruction = BCELoss>
class ContractiveLoss {
 public:
  static constexpr std::string_view name = "ContractiveLoss";
  const Reduction reduction;

  /// Throws DataError unless lambda >= 0.
  explicit ContractiveLoss(Reconstruction reconstruction = {}, double lambda = 1e-3)
      : reduction{reconstruction.reduction}, reconstruction_{std::move(reconstruction)}, lambda_{lambda} {
    if (!(lambda >= 0)) throw DataError(detail::message("ContractiveLoss: lambda must be 0 or more, not ", lambda));
  }

  [[nodiscard]] double lambda() const noexcept { return lambda_; }
  [[nodiscard]] const Reconstruction& reconstruction() const noexcept { return reconstruction_; }

  /// Terms of the batch whose forward pass is in `workspace`; writes the gradients of output and code there.
  template <class Model, Batch Output, BatchLike<Output> Target>
  PenalizedTerms<typename Output::Scalar> operator()(const Model& model, const Output& output, const Target& target,
                                                     Workspace<Model>& workspace) const {
    const auto value = reconstruction_(output, target, workspace);
    return terms(value, model, workspace, output.rows(), workspace.cache().penalty_gradient(output.rows()).data());
  }

  /// The same terms without gradients, for a workspace of any purpose.
  template <class Model, Batch Output, BatchLike<Output> Target>
  PenalizedTerms<typename Output::Scalar> value(const Model& model, const Output& output, const Target& target,
                                                Workspace<Model>& workspace) const {
    using Scalar = typename Output::Scalar;
    return terms(reconstruction_(output, target), model, workspace, output.rows(), static_cast<Scalar*>(nullptr));
  }

  /// Adds the gradient that reaches the weight of the encoder directly, not through the code, to
  /// workspace.gradients(): call it between backward(x, workspace) and the step of the optimiser.
  template <class Model>
  void add_parameter_gradient(const Model& model, Workspace<Model>& workspace) const {
    using Scalar = typename Model::Scalar;
    using Encoder = OneLayer<Model>;
    const auto weight = Encoder::linear(model.encoder()).weight();
    const Index rows = workspace.rows();
    const ConstMatrixView<Scalar> code = workspace.cache().code(rows);
    // The weight of the encoder's first layer is the first parameter of the model.
    simd::dispatch<Scalar>(detail::ContractiveDecay<Scalar, typename Encoder::Activation>{
        rows, weight.rows(), weight.cols(), code.data(), weight.data(), workspace.gradients().data(),
        static_cast<Scalar>(factor(rows))});
  }

 private:
  template <class Model>
  struct OneLayer : detail::OneLayerEncoder<std::remove_cvref_t<decltype(std::declval<const Model&>().encoder())>> {
    static_assert(OneLayer::fits,
                  "ContractiveLoss: the penalty has a closed form only for an encoder Sequential{Linear, Sigmoid} or "
                  "Sequential{Linear, Tanh}");
  };
  [[nodiscard]] double factor(Index rows) const noexcept {
    return lambda_ * detail::penalty_scale(reduction, rows) / static_cast<double>(rows);
  }

  template <class Scalar, class Model>
  PenalizedTerms<Scalar> terms(Scalar reconstruction, const Model& model, const Workspace<Model>& workspace, Index rows,
                               Scalar* gradient) const {
    using Encoder = OneLayer<Model>;
    const auto weight = Encoder::linear(model.encoder()).weight();
    const ConstMatrixView<Scalar> code = workspace.cache().code(rows);
    double sum = 0;
    simd::dispatch<Scalar>(detail::ContractivePenalty<Scalar, typename Encoder::Activation>{
        rows, weight.rows(), weight.cols(), code.data(), weight.data(), gradient, static_cast<Scalar>(factor(rows)),
        &sum});
    const auto penalty = static_cast<Scalar>(factor(rows) * sum);
    return {reconstruction + penalty, reconstruction, penalty};
  }

  Reconstruction reconstruction_;
  double lambda_;
};

}  // namespace hourglass
