// WorkspacePasses: forward and backward of a model in its workspace, as users call them.
#pragma once

#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/nn/workspace.hpp"

namespace hourglass {

/// Base of the class `Model`, which brings these calls beside its own passes: `using Passes::forward`.
template <class Model, class Scalar>
class WorkspacePasses {
 public:
  /// y (batch, out) for x (batch, in); the result lies in the workspace and lasts until its next use.
  template <Mode M = Inference>
  ConstMatrixView<Scalar> forward(const ConstMatrixView<Scalar>& x, Workspace<Model>& workspace,
                                  const M& mode = {}) const {
    return workspace.forward(static_cast<const Model&>(*this), x, mode);
  }
  /// Gradients of all parameters, from what the loss wrote into the workspace (workspace.output_gradient(), and terms
  /// that the code has of its own) and the batch x of the last forward().
  void backward(const ConstMatrixView<Scalar>& x, Workspace<Model>& workspace) const {
    workspace.backward(static_cast<const Model&>(*this), x);
  }
  /// The same and a step of `optimizer`, fused where it can be: gradients are used up where they are made, and
  /// workspace.gradients() does not hold them afterwards. The weights get the bits of backward() and optimizer.step().
  template <class Optimizer>
  void backward(const ConstMatrixView<Scalar>& x, Workspace<Model>& workspace, Optimizer& optimizer) {
    workspace.backward(static_cast<Model&>(*this), x, optimizer);
  }
};

}  // namespace hourglass
