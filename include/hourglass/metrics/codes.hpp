// Codes: what the encoder of a model makes of a data set, a bounded number of samples at a time.
#pragma once

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/data/batches.hpp"
#include "hourglass/data/samples.hpp"
#include "hourglass/metrics/sample_errors.hpp"

namespace hourglass {

/// Codes (n, code) of `data` (n, features): model.encode(x), and for a variational autoencoder the mean of q(z|x). For
/// probes, active_units, PCA and scatter plots. Throws ShapeError when the model expects another number of features,
/// DataError when there are no samples.
template <class Model, SampleSource Data>
[[nodiscard]] Matrix<typename Model::Scalar> codes(const Model& model, const Data& data) {
  using Scalar = typename Model::Scalar;
  const Samples samples(data);
  if (samples.empty()) throw DataError("codes: there are no samples");
  if (!compatible(samples.cols(), model.in_features()))
    throw ShapeError(detail::message("codes: the samples have ", samples.cols(), " features, the model expects ",
                                     model.in_features(), "; check the image size or the model"));
  Matrix<Scalar> result;
  Index first = 0;
  for (const ConstMatrixView<Scalar>& x : batches<Scalar>(samples, 256)) {
    const auto part = [&]() -> Matrix<Scalar> {
      if constexpr (requires { model.encode_to_latent(x); })
        return model.encode_to_latent(x);
      else
        return model.encode(x);
    }();
    if (first == 0) result = Matrix<Scalar>(samples.rows(), part.cols());
    result.middleRows(first, part.rows()) = part;
    first += part.rows();
  }
  return result;
}

}  // namespace hourglass
