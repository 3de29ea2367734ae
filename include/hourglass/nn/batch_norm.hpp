// BatchNorm1d, BatchNorm2d: y = (x - mean) / sqrt(var + eps) weight + bias, with a mean and a variance for each
// channel.
//
// In training these are those of the batch (the variance biased), and dx = weight / sqrt(var + eps) (dy - mean(dy) -
// x^ mean(dy x^)), where x^ is the normalised x. In inference they are the running ones.
//
// Models are const while they compute, so a forward pass in training leaves the batch's statistics in the workspace,
// and the running ones follow with the parameters: in `optimizer.step(model, workspace)` and in `model.backward(x,
// workspace, optimizer)`, or by `workspace.update_buffers(model)`. With one forward pass a step the numbers are
// PyTorch's, which moves them in each forward pass.
//
// S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift",
// 2015.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "hourglass/core/buffer.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/nn/batch_statistics.hpp"

namespace hourglass {

/// Options of BatchNorm1d and BatchNorm2d, named as in PyTorch.
struct BatchNormOptions {
  double eps = 1e-5;
  /// running = (1 - momentum) running + momentum batch; empty: the average over all batches.
  std::optional<double> momentum = 0.1;
  bool affine = true;               ///< with weight and bias
  bool track_running_stats = true;  ///< false: inference uses the statistics of its batch, too
};

namespace detail {

/// What BatchNorm1d and BatchNorm2d share.
template <Index Channels, class Scalar_, bool images>
class BatchNorm {
 public:
  using Scalar = Scalar_;
  using Options = BatchNormOptions;
  static constexpr std::string_view name = images ? "BatchNorm2d" : "BatchNorm1d";
  static constexpr bool preserves_width = true;
  static constexpr Index static_in = images ? Dynamic : Channels;
  static constexpr ImageShape static_in_image{images ? Channels : Dynamic, Dynamic, Dynamic};

  BatchNorm(Index channels, const Options& options) : channels_{channels}, options_{options} {
    if (!(options.eps >= 0 && std::isfinite(options.eps)))
      throw DataError(message(name, ": eps must be finite and not negative, it is ", options.eps));
    if (options.momentum && !(*options.momentum >= 0 && *options.momentum <= 1))
      throw DataError(message(name, ": momentum must lie in [0, 1], it is ", *options.momentum));
    if (options.affine) {
      weight_ = Parameter<Scalar>{Shape{channels}};
      bias_ = Parameter<Scalar>{Shape{channels}};
    }
    if (options.track_running_stats) {
      running_mean_ = Buffer<Scalar>{Shape{channels}};
      running_var_ = Buffer<Scalar>{Shape{channels}};
      num_batches_tracked_ = Buffer<std::int64_t>{Shape{}};
    }
    reset_parameters();
  }

  static constexpr auto fields() {
    return std::tuple{Field{"weight", &BatchNorm::weight_}, Field{"bias", &BatchNorm::bias_},
                      Field{"running_mean", &BatchNorm::running_mean_}, Field{"running_var", &BatchNorm::running_var_},
                      Field{"num_batches_tracked", &BatchNorm::num_batches_tracked_}};
  }

  /// Weight 1, bias 0, running mean 0 and variance 1, no batches tracked; initialize() calls it.
  void reset_parameters() {
    std::ranges::fill(weight_.values(), Scalar(1));
    std::ranges::fill(bias_.values(), Scalar(0));
    std::ranges::fill(running_mean_.values(), Scalar(0));
    std::ranges::fill(running_var_.values(), Scalar(1));
    std::ranges::fill(num_batches_tracked_.values(), 0);
  }

  [[nodiscard]] Index channels() const noexcept { return channels_.value(); }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] Index in_features() const noexcept { return images ? Dynamic : channels(); }
  [[nodiscard]] ImageShape in_image() const noexcept { return {images ? channels() : Dynamic, Dynamic, Dynamic}; }
  /// Throws ShapeError unless the layer takes `in` features.
  [[nodiscard]] Index out_features(Index in) const {
    (void)pixels_of(in);
    return in;
  }

  /// Rows (1, channels); (1, 0) without `affine`.
  [[nodiscard]] MatrixView<Scalar> weight() noexcept { return {weight_.data(), 1, weight_.size()}; }
  [[nodiscard]] ConstMatrixView<Scalar> weight() const noexcept { return {weight_.data(), 1, weight_.size()}; }
  [[nodiscard]] MatrixView<Scalar> bias() noexcept { return {bias_.data(), 1, bias_.size()}; }
  [[nodiscard]] ConstMatrixView<Scalar> bias() const noexcept { return {bias_.data(), 1, bias_.size()}; }
  /// Rows (1, channels); (1, 0) without `track_running_stats`.
  [[nodiscard]] ConstMatrixView<Scalar> running_mean() const noexcept {
    return {running_mean_.data(), 1, running_mean_.size()};
  }
  [[nodiscard]] ConstMatrixView<Scalar> running_var() const noexcept {
    return {running_var_.data(), 1, running_var_.size()};
  }
  /// Batches that the running statistics have seen.
  [[nodiscard]] std::int64_t num_batches_tracked() const noexcept {
    return num_batches_tracked_.empty() ? 0 : num_batches_tracked_.data()[0];
  }

  /// Where running statistics are tracked; otherwise those of the batch count in inference too.
  [[nodiscard]] bool takes_rows_in_inference() const noexcept { return options_.track_running_stats; }
  [[nodiscard]] Index scratch_size(Index, Index) const noexcept { return 4 * channels() + 1; }

  /// Leaves the statistics in `scratch` for the passes that follow; inference may leave it empty. Throws ShapeError for
  /// a batch with less than 2 values per channel where its own statistics count.
  template <Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar> scratch, const M&) const {
    const Index pixels = pixels_of(x.cols());
    const bool of_batch = std::is_same_v<M, Training> || !options_.track_running_stats;
    if (of_batch && x.rows() * pixels < 2)
      throw ShapeError(message(name, ": a batch of shape ", shape_string(x.rows(), x.cols()), " has ",
                               x.rows() * pixels, " values per channel, a variance takes at least 2; use larger ",
                               "batches, or leave out the last one (drop_last)"));
    const bool keep = !scratch.empty();
    if (keep) scratch.back() = of_batch ? 1 : 0;
    for_each_group(x.rows(), channels(), pixels, [&](const ChannelGroup& group) {
      TileValues<Scalar> centre;
      TileValues<Scalar> scale;
      TileValues<Scalar> shift;
      const auto set = [&](Index channel, const Moments<Scalar>& moments) {
        if (keep) Kept{scratch, channels()}.store(channel, moments, group.values_per_channel());
        const Index i = channel - group.first;
        centre[i] = moments.centre;
        scale[i] = moments.inverse * weight_of(channel);
        shift[i] = std::fma(moments.offset, weight_of(channel), weight_.empty() ? Scalar(0) : bias_.data()[channel]);
      };
      if (of_batch)
        measure(group, x.data(), options_.eps, set);
      else
        for (Index c = group.first; c < group.first + group.count; ++c) set(c, running(c));
      TileValues<Scalar> of_column[3];
      group.spread(centre.data(), of_column[0].data());
      group.spread(scale.data(), of_column[1].data());
      group.spread(shift.data(), of_column[2].data());
      group.for_each_tile([&](Index at, Index cols) {
        simd::dispatch<Scalar>(NormalizeColumns<Scalar>{group.rows, cols, group.stride(), x.data() + at,
                                                        of_column[0].data(), of_column[1].data(), of_column[2].data(),
                                                        y.data() + at});
      });
    });
  }

  /// After a forward pass in inference the running statistics are constants, as in PyTorch's eval mode.
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<const Scalar> scratch, Scalar* gradient) const {
    const Kept<const Scalar> kept{scratch, channels()};
    const bool of_batch = scratch.back() != 0;
    Scalar* const dweight = gradient;
    Scalar* const dbias = gradient + slot_size<Scalar>(weight_.size());
    for_each_group(x.rows(), channels(), pixels_of(x.cols()), [&](const ChannelGroup& group) {
      TileValues<double> sum;
      TileValues<double> product;
      TileValues<Scalar> of_column[4];  // centre, scale, along, shift
      group.spread(kept.centre() + group.first, of_column[0].data());
      group.template sums<Scalar>(
          [&](Index at) {
            return GradientTerms<Scalar>{x.data() + at, dy.data() + at, group.stride(), of_column[0].data()};
          },
          sum.data(), product.data());
      const double share = of_batch ? 1 / group.values_per_channel() : 0.0;
      TileValues<Scalar> of_channel[3];  // scale, along, shift
      for (Index i = 0; i < group.count; ++i) {
        const Index c = group.first + i;
        const double inverse = double{kept.inverse()[c]};
        const double offset = double{kept.offset()[c]};
        const double normalized = std::fma(inverse, product[i], offset * sum[i]);  // sum of dy x^
        if (!weight_.empty()) {
          dweight[c] = static_cast<Scalar>(normalized);
          dbias[c] = static_cast<Scalar>(sum[i]);
        }
        const double slope = normalized * share;
        of_channel[0][i] = kept.inverse()[c] * weight_of(c);
        of_channel[1][i] = static_cast<Scalar>(slope * inverse);
        of_channel[2][i] = static_cast<Scalar>(std::fma(slope, offset, sum[i] * share));
      }
      if (dx.data() == nullptr) return;
      for (int k = 0; k < 3; ++k) group.spread(of_channel[k].data(), of_column[k + 1].data());
      group.for_each_tile([&](Index at, Index cols) {
        simd::dispatch<Scalar>(NormalizeColumnsBackward<Scalar>{
            group.rows, cols, group.stride(), x.data() + at, dy.data() + at, of_column[0].data(), of_column[1].data(),
            of_column[2].data(), of_column[3].data(), dx.data() + at});
      });
    });
  }

  /// The running statistics follow those in `scratch`, if it was a batch that they belong to.
  void update_buffers(std::span<const Scalar> scratch) {
    if (!options_.track_running_stats || scratch.empty() || scratch.back() == 0) return;
    const Kept<const Scalar> kept{scratch, channels()};
    const std::int64_t batches = ++num_batches_tracked_.data()[0];
    const auto momentum = static_cast<Scalar>(options_.momentum.value_or(1 / static_cast<double>(batches)));
    simd::dispatch<Scalar>(MoveAverage<Scalar>{channels(), momentum, kept.centre(), running_mean_.data()});
    simd::dispatch<Scalar>(MoveAverage<Scalar>{channels(), momentum, kept.variance(), running_var_.data()});
  }

 private:
  /// Scratch memory: four numbers for each channel, then 1 if they are those of a batch and 0 if they are running ones.
  template <class Number>
  struct Kept {
    std::span<Number> scratch;
    Index channels;
    [[nodiscard]] Number* centre() const noexcept { return scratch.data(); }
    [[nodiscard]] Number* inverse() const noexcept { return scratch.data() + channels; }
    [[nodiscard]] Number* offset() const noexcept { return scratch.data() + 2 * channels; }
    [[nodiscard]] Number* variance() const noexcept { return scratch.data() + 3 * channels; }  // unbiased
    void store(Index channel, const Moments<Scalar>& moments, double n) const noexcept {
      centre()[channel] = moments.centre;
      inverse()[channel] = moments.inverse;
      offset()[channel] = moments.offset;
      variance()[channel] = static_cast<Scalar>(moments.variance * (n / (n - 1)));
    }
  };
  template <class Number>
  Kept(std::span<Number>, Index) -> Kept<Number>;

  /// Throws ShapeError unless the layer takes `in` features.
  [[nodiscard]] Index pixels_of(Index in) const {
    if (images ? in < 1 || in % channels() != 0 : in != channels())
      throw ShapeError(images ? message(name, ": input has ", in, " features, which are no images of ", channels(),
                                        " channels; their number must be a multiple of that of the channels")
                              : message(name, ": input has ", in, " features, the layer has ", channels(),
                                        "; check the width of the layer before it"));
    return images ? in / channels() : 1;
  }
  [[nodiscard]] Scalar weight_of(Index channel) const noexcept {
    return weight_.empty() ? Scalar(1) : weight_.data()[channel];
  }
  [[nodiscard]] Moments<Scalar> running(Index channel) const {
    const double variance = double{running_var_.data()[channel]};
    return {running_mean_.data()[channel], static_cast<Scalar>(1 / std::sqrt(variance + options_.eps)), Scalar(0),
            variance};
  }

  [[no_unique_address]] Extent<Channels> channels_;
  Options options_;
  Parameter<Scalar> weight_;                  // (channels)
  Parameter<Scalar> bias_;                    // (channels)
  Buffer<Scalar> running_mean_;               // (channels)
  Buffer<Scalar> running_var_;                // (channels), unbiased
  Buffer<std::int64_t> num_batches_tracked_;  // ()
};

}  // namespace detail

/// Normalises each feature of x (batch, features) over the batch. `BatchNorm1d<64>{}` has a width that the compiler
/// checks, `BatchNorm1d{64}` one known at run time. Training takes at least 2 rows, and rows of a batch depend on each
/// other there; in inference they do not. Throws DataError for options out of range.
template <Index Features = Dynamic, class Scalar = float>
class BatchNorm1d : public detail::BatchNorm<Features, Scalar, false> {
  using Base = detail::BatchNorm<Features, Scalar, false>;

 public:
  explicit BatchNorm1d(const BatchNormOptions& options = {}) requires(Features != Dynamic) : Base(Features, options) {}
  explicit BatchNorm1d(Index features, const BatchNormOptions& options = {}) : Base(features, options) {}
};

/// Normalises each channel of images over batch and pixels: x is (batch, channels * height * width), every row an image
/// (channels, height, width). The number of pixels follows from the width of x, which must be a multiple of `channels`;
/// images of another number of channels are an error where their shape is known. Otherwise as BatchNorm1d.
template <Index Channels = Dynamic, class Scalar = float>
class BatchNorm2d : public detail::BatchNorm<Channels, Scalar, true> {
  using Base = detail::BatchNorm<Channels, Scalar, true>;

 public:
  explicit BatchNorm2d(const BatchNormOptions& options = {}) requires(Channels != Dynamic) : Base(Channels, options) {}
  explicit BatchNorm2d(Index channels, const BatchNormOptions& options = {}) : Base(channels, options) {}
};

}  // namespace hourglass
