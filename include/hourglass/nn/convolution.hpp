// Convolution: what Conv2d and ConvTranspose2d share. Each is the other's adjoint.
//
// A window of kernel (kh, kw) moves over an image (C, H, W) with a border of `padding` zeros in steps of `stride`; its
// places make pixels (M, h, w), and the weight W is (M, C, kh, kw).
//
//   to_pixels        pixels(m, y, x) = sum over c, i, j of W(m, c, i, j) image(c, y s + i - p, x s + j - p)
//   to_image         image(c, y, x) = sum over m, i, j of W(m, c, i, j) pixels(m, (y + p - i) / s, (x + p - j) / s),
//                    over those i and j for which the quotients are whole
//   weight_gradient  dW(m, c, i, j) = sum over y, x of pixels(m, y, x) image(c, y s + i - p, x s + j - p)
//
// All run on one image at a time, whose parts stay in a near cache, as products of gemm/shifted.hpp. With stride s an
// image is first split into s * s ones, of which each takes every s-th row and column; to_image makes such parts, one
// after another, each with its own taps.
//
// Images of a batch come in groups of images_per_group. A group has its own scratch memory and its own sum of weight
// gradients, so that groups may run side by side; the sums are then added in the order of the groups.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "hourglass/core/blocks.hpp"
#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/image_shape.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/mode.hpp"
#include "hourglass/core/parameter.hpp"
#include "hourglass/core/parameter_buffer.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"
#include "hourglass/core/update.hpp"
#include "hourglass/gemm/epilogue.hpp"
#include "hourglass/gemm/shifted.hpp"
#include "hourglass/nn/container.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass::detail {

[[nodiscard]] constexpr Index ceil_div(Index a, Index b) noexcept { return a > 0 ? (a + b - 1) / b : -(-a / b); }

/// One direction of a convolution: images of shape `from` become images of shape `to`.
struct ConvolutionPass {
  /// Taps that share one grid of results: every stride-th row and column of the result.
  struct Phase {
    std::size_t first_tap;
    Index taps;
    Index rows;
    Index cols;
    Index source;  // the first result's place in a padded channel
    Index dest;    // and in a channel of the result
  };

  ImageShape from;
  ImageShape to;
  Size2d split;    // every split-th row and column of `from` lie together
  Size2d padding;  // zeros before the first row and column of `from`
  Size2d parts;    // of the split that some tap sees
  Size2d padded;   // size of each part
  Size2d stride;   // of a phase in the result
  Index a_row;
  Index a_channel;
  std::vector<Tap> taps;
  std::vector<Phase> phases;

  [[nodiscard]] Index padded_channel() const noexcept {
    return parts.height * parts.width * padded.height * padded.width;
  }
  [[nodiscard]] Index padded_size() const noexcept { return from.channels * padded_channel(); }
  /// Columns of the largest product.
  [[nodiscard]] Index most_cols() const noexcept {
    Index most = 0;
    for (const Phase& phase : phases) most = std::max(most, cols_of(phase));
    return most;
  }
  [[nodiscard]] Index cols_of(const Phase& phase) const noexcept {
    return (phase.rows - 1) * padded.width + phase.cols;
  }
  /// Results of phases are put together in memory of their own first.
  [[nodiscard]] bool is_split() const noexcept { return phases.size() > 1; }
};

/// to_pixels, for the given number M of channels of the pixels.
[[nodiscard]] inline ConvolutionPass to_pixels_pass(const ImageShape& image, const ImageShape& pixels, Size2d kernel,
                                                    Size2d stride, Size2d padding) {
  const Index area = kernel.height * kernel.width;
  const Size2d parts{std::min(stride.height, kernel.height), std::min(stride.width, kernel.width)};
  const Size2d padded{pixels.height + (kernel.height - 1) / stride.height,
                      pixels.width + (kernel.width - 1) / stride.width};
  ConvolutionPass pass{image, pixels, stride, padding, parts, padded, Size2d{1}, image.channels * area, area, {}, {}};
  for (Index i = 0; i < kernel.height; ++i)
    for (Index j = 0; j < kernel.width; ++j) {
      const Index part = i % stride.height * parts.width + j % stride.width;
      pass.taps.push_back(
          {i * kernel.width + j, (part * padded.height + i / stride.height) * padded.width + j / stride.width});
    }
  pass.phases.push_back({0, area, pixels.height, pixels.width, 0, 0});
  return pass;
}

/// to_image.
[[nodiscard]] inline ConvolutionPass to_image_pass(const ImageShape& image, const ImageShape& pixels, Size2d kernel,
                                                   Size2d stride, Size2d padding) {
  const Index area = kernel.height * kernel.width;
  // Row y of the image, y + padding = a stride + part, sees pixels a, a - 1, ...: as many as the part has taps.
  const Size2d before{ceil_div(kernel.height, stride.height) - 1, ceil_div(kernel.width, stride.width) - 1};
  const Size2d padded{(image.height - 1 + padding.height) / stride.height + 1 + before.height,
                      (image.width - 1 + padding.width) / stride.width + 1 + before.width};
  ConvolutionPass pass{pixels, image, Size2d{1}, before, Size2d{1}, padded, stride, area, image.channels * area,
                       {},     {}};
  for (Index down = 0; down < stride.height; ++down)
    for (Index right = 0; right < stride.width; ++right) {
      const Index top = std::max<Index>(0, ceil_div(padding.height - down, stride.height));
      const Index left = std::max<Index>(0, ceil_div(padding.width - right, stride.width));
      const Index y = top * stride.height + down - padding.height;
      const Index x = left * stride.width + right - padding.width;
      if (y >= image.height || x >= image.width) continue;
      const std::size_t first = pass.taps.size();
      for (Index i = down; i < kernel.height; i += stride.height)
        for (Index j = right; j < kernel.width; j += stride.width)
          pass.taps.push_back({i * kernel.width + j,
                               (before.height - i / stride.height) * padded.width + before.width - j / stride.width});
      pass.phases.push_back({first, static_cast<Index>(pass.taps.size() - first),
                             (image.height - 1 - y) / stride.height + 1, (image.width - 1 - x) / stride.width + 1,
                             top * padded.width + left, y * image.width + x});
    }
  return pass;
}

/// Copies an image to the middle of the zeros of its padded, split form.
HOURGLASS_SIMD(void pad_image(const ConvolutionPass& pass, const typename V::Scalar* image, typename V::Scalar* padded),
               {
                 using Scalar = typename V::Scalar;
                 const ImageShape from = pass.from;
                 const Size2d split = pass.split;
                 for (Index channel = 0; channel < from.channels; ++channel)
                   for (Index down = 0; down < pass.parts.height; ++down)
                     for (Index right = 0; right < pass.parts.width; ++right) {
                       const Index top = std::max<Index>(0, ceil_div(pass.padding.height - down, split.height));
                       const Index left = std::max<Index>(0, ceil_div(pass.padding.width - right, split.width));
                       const Index x = left * split.width + right - pass.padding.width;
                       const Index count = std::min(pass.padded.width - left, ceil_div(from.width - x, split.width));
                       for (Index a = top; a < pass.padded.height; ++a) {
                         const Index y = a * split.height + down - pass.padding.height;
                         if (y >= from.height) break;
                         const Scalar* row = image + (channel * from.height + y) * from.width + x;
                         Scalar* out = padded + a * pass.padded.width + left;
                         if (split.width == 1)
                           for (Index b = 0; b < count; b += V::lanes) {
                             const Index n = std::min<Index>(V::lanes, count - b);
                             V::load(row + b, n).store(out + b, n);
                           }
                         else
                           for (Index b = 0; b < count; ++b) out[b] = row[b * split.width];
                       }
                       padded += pass.padded.height * pass.padded.width;
                     }
               })

/// to = epilogue(sums + bias) for one image, whose first element is (row, 0) of the epilogue's matrix.
// clang-format off
HOURGLASS_SIMD(void finish_image(const ConvolutionPass& pass, const typename V::Scalar* sums, Index channel_size,
                                 Index pitch, const typename V::Scalar* bias, Index row, typename V::Scalar* to,
                                 const auto& epilogue), {
  using Scalar = typename V::Scalar;
  const bool whole = pitch == pass.to.width;
  const Index rows = whole ? 1 : pass.to.height;
  const Index cols = whole ? pass.to.plane() : pass.to.width;
  Index place = 0;
  for (Index channel = 0; channel < pass.to.channels; ++channel) {
    const V offset(bias == nullptr ? Scalar(0) : bias[channel]);
    for (Index y = 0; y < rows; ++y) {
      const Scalar* from = sums + channel * channel_size + y * pitch;
      for (Index x = 0; x < cols; x += V::lanes) {
        const Index n = std::min<Index>(V::lanes, cols - x);
        const epilogue::Edge at{row, place + x, n};
        V sum = V::load(from + x);
        if (bias != nullptr) sum = sum + offset;
        epilogue(sum, V(Scalar(0)), at).store(to + place + x, n);
      }
      place += cols;
    }
  }
})
// clang-format on

/// Scratch memory of one pass.
template <class Scalar>
struct PassScratch {
  Scalar* padded;   // padded_size(), zero at the border
  Scalar* sums;     // (to.channels, shifted_row(most_cols()))
  Scalar* results;  // to.size(), where phases are put together
};

/// One pass over one image, on this thread.
template <class Scalar, class Epilogue>
struct RunPass {
  const ConvolutionPass& pass;
  const Scalar* weight;
  const Scalar* bias;  // (to.channels), or null
  const Scalar* image;
  PassScratch<Scalar> scratch;
  Scalar* to;
  Index row;
  const Epilogue& epilogue;

  HOURGLASS_SIMD(void operator()() const, {
    pad_image<V>(pass, image, scratch.padded);
    const Index c_row = shifted_row<Scalar>(pass.most_cols());
    for (const ConvolutionPass::Phase& phase : pass.phases) {
      shifted_product<V>({pass.to.channels, pass.cols_of(phase), pass.from.channels, phase.taps,
                          pass.taps.data() + phase.first_tap, weight, pass.a_row, pass.a_channel,
                          scratch.padded + phase.source, pass.padded_channel(), scratch.sums, c_row});
      if (!pass.is_split()) continue;
      for (Index channel = 0; channel < pass.to.channels; ++channel)
        for (Index y = 0; y < phase.rows; ++y) {
          const Scalar* from = scratch.sums + channel * c_row + y * pass.padded.width;
          Scalar* out =
              scratch.results + channel * pass.to.plane() + phase.dest + y * pass.stride.height * pass.to.width;
          for (Index x = 0; x < phase.cols; ++x) out[x * pass.stride.width] = from[x];
        }
    }
    if (pass.is_split())
      finish_image<V>(pass, scratch.results, pass.to.plane(), pass.to.width, bias, row, to, epilogue);
    else
      finish_image<V>(pass, scratch.sums, c_row, pass.padded.width, bias, row, to, epilogue);
  })
};

/// Sums of weight gradients over images. Rows are channels and taps of the side that `pass` starts from, columns
/// channels of the other.
template <class Scalar>
struct RunWeightGradient {
  const ConvolutionPass& pass;  // of one phase
  const Scalar* padded;         // its start
  const Scalar* end;            // its end
  Scalar* columns;              // (blocks, pixels, line): the end with its channels last
  Scalar* sums;                 // (blocks, offsets, line)
  const std::vector<Index>& offsets;
  bool add;

  HOURGLASS_SIMD(void operator()() const, {
    constexpr Index line = shifted_block<Scalar>;
    const ImageShape& to = pass.to;
    const auto height = static_cast<Index>(offsets.size());
    pack_blocks<V>(end, to.plane(), to.channels, columns);
    shifted_sums<V>({height, (to.channels + line - 1) / line, to.height, to.width, offsets.data(), padded,
                     pass.padded.width, columns, sums, height * line, add});
  })
};

/// Sum of `count` elements: 64 sums of every 64th element each, and their tree.
HOURGLASS_SIMD(double plane_sum(const typename V::Scalar* values, Index count), {
  using Scalar = typename V::Scalar;
  constexpr Index vectors = block_size / V::lanes;
  V sums[vectors];
  HOURGLASS_UNROLL
  for (Index j = 0; j < vectors; ++j) sums[j] = V(Scalar(0));
  Index i = 0;
  for (; i + block_size <= count; i += block_size) {
    HOURGLASS_UNROLL
    for (Index j = 0; j < vectors; ++j) sums[j] = sums[j] + V::load(values + i + j * V::lanes);
  }
  for (Index j = 0; i < count; ++j, i += V::lanes)
    sums[j] = sums[j] + V::load(values + i, std::min(V::lanes, count - i));
  alignas(64) Scalar block[block_size];
  HOURGLASS_UNROLL
  for (Index j = 0; j < vectors; ++j) sums[j].store(block + j * V::lanes);
  return tree_sum(block);
})

/// sums[c] = (add ? sums[c] : 0) + sum of channel c of an image.
template <class Scalar>
struct AddPlanes {
  const ImageShape& shape;
  const Scalar* image;
  Scalar* sums;  // (channels)
  bool add;
  HOURGLASS_SIMD(void operator()() const, {
    for (Index channel = 0; channel < shape.channels; ++channel) {
      const auto sum = static_cast<Scalar>(plane_sum<V>(image + channel * shape.plane(), shape.plane()));
      sums[channel] = add ? sums[channel] + sum : sum;
    }
  })
};

template <class Scalar>
struct PadImage {
  const ConvolutionPass& pass;
  const Scalar* image;
  Scalar* padded;
  HOURGLASS_SIMD(void operator()() const, { pad_image<V>(pass, image, padded); })
};

/// gradient(row channel, column channel, tap) = sum over groups, in ascending order, of their sums, for the columns
/// [first, last), of which the first begins a block.
template <class Scalar>
struct AddGroups {
  const Scalar* sums;  // (groups, blocks, height, line)
  Index group_size;
  Index groups;
  Index height;
  Index taps;
  Index first;
  Index last;
  Scalar* gradient;
  Index row_stride;  // of channels in the gradient
  Index column_stride;

  HOURGLASS_SIMD(void operator()() const, {
    constexpr Index line = shifted_block<Scalar>;
    for (Index column = first; column < last; column += V::lanes)
      for (Index i = 0; i < height; ++i) {
        const Scalar* from = sums + (column / line * height + i) * line + column % line;
        V total(Scalar(0));
        for (Index group = 0; group < groups; ++group) total = total + V::load(from + group * group_size);
        Scalar values[V::lanes];
        total.store(values);
        Scalar* to = gradient + i / taps * row_stride + column * column_stride + i % taps;
        for (Index lane = 0; lane < std::min<Index>(V::lanes, last - column); ++lane)
          to[lane * column_stride] = values[lane];
      }
  })
};

/// Rows that share scratch memory and a sum of gradients.
inline constexpr Index images_per_group = 16;

/// body(group, first, last) for the rows [first, last) of each group of a range; `work`: multiplications for a row.
template <class Body>
void for_each_group(RowRange rows, double work, const Body& body) {
  const Index end = rows.first + rows.count;
  const Index begin = rows.first / images_per_group;
  const Index groups = (end + images_per_group - 1) / images_per_group - begin;
  // Below some 50 microseconds of work a second thread costs more than it gives.
  const int threads = work * static_cast<double>(rows.count) > 4e6 ? num_threads() : 1;
  parallel_for(groups, threads, [&](Index i) {
    const Index group = begin + i;
    body(group, std::max(rows.first, group * images_per_group), std::min(end, (group + 1) * images_per_group));
  });
}

}  // namespace hourglass::detail

namespace hourglass {

/// For convolutions whose other options are in their type.
struct BiasOption {
  bool bias = true;
};

/// Conv2d, or ConvTranspose2d if `transposed`: from images to pixels or back, see above.
template <class Scalar_, bool transposed>
class Convolution {
 public:
  using Scalar = Scalar_;
  static constexpr bool is_affine = true;
  static constexpr bool takes_rows = true;
  static constexpr Index row_group = detail::images_per_group;

  static constexpr auto fields() {
    return std::tuple{Field{"weight", &Convolution::weight_}, Field{"bias", &Convolution::bias_}};
  }

  [[nodiscard]] const ImageShape& in_image() const noexcept { return forward_.from; }
  [[nodiscard]] const ImageShape& out_image() const noexcept { return forward_.to; }
  [[nodiscard]] Index in_features() const noexcept { return in_image().size(); }
  [[nodiscard]] Index out_features() const noexcept { return out_image().size(); }
  /// Throws ShapeError unless `in` is in_features().
  [[nodiscard]] Index out_features(Index in) const {
    if (in != in_features())
      throw ShapeError(detail::message(name(), ": input has ", in, " features, an image of shape ", in_image().str(),
                                       " has ", in_features(), "; check the layer before it"));
    return out_features();
  }
  [[nodiscard]] bool has_bias() const noexcept { return !bias_.empty(); }
  [[nodiscard]] double work_per_row() const noexcept {
    return static_cast<double>(weight_.size()) * static_cast<double>(to_pixels().to.plane());
  }

  /// The weight as a matrix, the first axis of its shape down and the others right.
  [[nodiscard]] MatrixView<Scalar> weight() noexcept {
    return {weight_.data(), weight_.shape()[0], weight_.size() / weight_.shape()[0]};
  }
  [[nodiscard]] ConstMatrixView<Scalar> weight() const noexcept {
    return {weight_.data(), weight_.shape()[0], weight_.size() / weight_.shape()[0]};
  }
  /// The bias as a row, shape (1, out_channels); (1, 0) without one.
  [[nodiscard]] MatrixView<Scalar> bias() noexcept { return {bias_.data(), 1, bias_.size()}; }
  [[nodiscard]] ConstMatrixView<Scalar> bias() const noexcept { return {bias_.data(), 1, bias_.size()}; }

  [[nodiscard]] Index scratch_size(Index batch, Index, Purpose purpose) const noexcept {
    const Index groups = (batch + row_group - 1) / row_group;
    return groups * (forward_size() + (purpose == Purpose::training ? backward_size() : 0));
  }

  /// y = epilogue(convolution + bias) for rows `rows` of a batch. Throws ShapeError when x has another width.
  template <class Epilogue>
  void product(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar> scratch, RowRange rows,
               const Epilogue& epilogue) const {
    (void)out_features(x.cols());
    detail::for_each_group(rows, work_per_row(), [&](Index group, Index first, Index last) {
      for (Index row = first - rows.first; row < last - rows.first; ++row)
        run(forward_, has_bias() ? bias_.data() : nullptr, x.data() + row * x.cols(),
            pass_scratch(scratch, group, forward_), y.data() + row * y.cols(), row, epilogue);
    });
  }
  template <Mode M>
  void forward(const ConstMatrixView<Scalar>& x, MatrixView<Scalar> y, std::span<Scalar> scratch, const M&,
               RowRange rows) const {
    product(x, y, scratch, rows, epilogue::Store{});
  }

  /// dx = epilogue(gradient of x) unless dx is empty, and sums of parameter gradients for each group in `scratch`.
  template <class Epilogue>
  void backward(const ConstMatrixView<Scalar>& x, const ConstMatrixView<Scalar>&, const ConstMatrixView<Scalar>& dy,
                MatrixView<Scalar> dx, std::span<Scalar> scratch, RowRange rows, const Epilogue& epilogue) const {
    detail::for_each_group(rows, work_per_row(), [&](Index group, Index first, Index last) {
      const detail::PassScratch<Scalar> own = pass_scratch(scratch, group, backward_);
      const GroupSums sums = group_sums(scratch, group);
      Scalar* const padded = sums_go_back() ? own.padded : pass_scratch(scratch, group, forward_).padded;
      for (Index row = first - rows.first; row < last - rows.first; ++row) {
        const Scalar* const in = x.data() + row * x.cols();
        const Scalar* const out = dy.data() + row * dy.cols();
        if (dx.data() != nullptr) run(backward_, nullptr, out, own, dx.data() + row * dx.cols(), row, epilogue);
        if (!sums_go_back() || dx.data() == nullptr)
          simd::dispatch<Scalar>(detail::PadImage<Scalar>{sums_pass(), sums_go_back() ? out : in, padded});
        const bool add = row > first - rows.first;
        simd::dispatch<Scalar>(detail::RunWeightGradient<Scalar>{sums_pass(), padded, sums_go_back() ? in : out,
                                                                 sums.columns, sums.weight, offsets_, add});
        if (has_bias()) simd::dispatch<Scalar>(detail::AddPlanes<Scalar>{out_image(), out, sums.bias, add});
      }
    });
  }

  /// The sums of the groups of a batch of `rows` rows, added in their order, into the slots or a step of an optimiser.
  template <class Self, class Sink>
  static void parameter_gradient(Self& self, Index rows, std::span<Scalar> scratch, const Sink& sink, WorkPart part) {
    constexpr Index line = detail::shifted_block<Scalar>;
    const Index groups = (rows + row_group - 1) / row_group;
    const Index area = self.weight_.shape()[2] * self.weight_.shape()[3];
    const Index next = self.weight_.shape()[1] * area;  // from one of its rows to the next
    // Only columns that are rows of W can be given to several threads, each with whole rows for the optimiser.
    const bool exchanged = self.sums_are_exchanged_;
    const int parts = exchanged ? 1 : part.count;
    const Index blocks = part.index < parts ? self.blocks() : 0;
    const Index first = blocks * part.index / parts * line;
    const Index last = std::min(self.sums_pass().to.channels, blocks * (part.index + 1) / parts * line);
    const Index bias_slot = slot_size<Scalar>(self.weight_.size());
    const GroupSums sums = self.group_sums(scratch, 0);
    simd::dispatch<Scalar>(detail::AddGroups<Scalar>{sums.weight, self.backward_size(), groups,
                                                     static_cast<Index>(self.offsets_.size()), area, first, last,
                                                     sink.gradient, exchanged ? next : area, exchanged ? area : next});
    if constexpr (Sink::updates)
      if (first < last)
        detail::update_range(sink.rule, exchanged ? 0 : first * next, exchanged ? self.weight_.size() : last * next,
                             self.weight_.data(), static_cast<const Scalar*>(sink.gradient));
    if (part.index != 0 || !self.has_bias()) return;
    Scalar* const db = sink.gradient + bias_slot;
    for (Index channel = 0; channel < self.bias_.size(); ++channel) {
      db[channel] = 0;
      for (Index group = 0; group < groups; ++group) db[channel] += sums.bias[group * self.backward_size() + channel];
    }
    if constexpr (Sink::updates)
      detail::update_range(sink.rule.at_slot(bias_slot), Index{0}, self.bias_.size(), self.bias_.data(),
                           static_cast<const Scalar*>(db));
  }

 protected:
  Convolution(const ImageShape& image, const ImageShape& pixels, const Size2d& kernel, const Size2d& stride,
              const Size2d& padding, bool bias)
      : forward_{transposed ? detail::to_image_pass(image, pixels, kernel, stride, padding)
                            : detail::to_pixels_pass(image, pixels, kernel, stride, padding)},
        backward_{transposed ? detail::to_pixels_pass(image, pixels, kernel, stride, padding)
                             : detail::to_image_pass(image, pixels, kernel, stride, padding)},
        weight_{Shape{pixels.channels, image.channels, kernel.height, kernel.width}} {
    if (bias) bias_ = Parameter<Scalar>{Shape{out_image().channels}};
    // Channels of the columns fill blocks; without a stride both sides can be the columns.
    constexpr Index line = detail::shifted_block<Scalar>;
    sums_are_exchanged_ =
        stride == Size2d{1} && pixels.channels * detail::ceil_div(image.channels, line) * image.plane() <
                                   image.channels * detail::ceil_div(pixels.channels, line) * pixels.plane();
    const detail::ConvolutionPass& pass = sums_pass();
    for (Index channel = 0; channel < pass.from.channels; ++channel)
      for (const detail::Tap& tap : pass.taps)
        offsets_.push_back(channel * pass.padded_channel() + pass.phases[0].source + tap.b);
  }

 private:
  [[nodiscard]] static std::string_view name() noexcept { return transposed ? "ConvTranspose2d" : "Conv2d"; }
  [[nodiscard]] const detail::ConvolutionPass& to_pixels() const noexcept { return transposed ? backward_ : forward_; }
  /// The sums of weight gradients come from the padded images of backward_ rather than forward_.
  [[nodiscard]] bool sums_go_back() const noexcept { return transposed != sums_are_exchanged_; }
  [[nodiscard]] const detail::ConvolutionPass& sums_pass() const noexcept {
    return sums_go_back() ? backward_ : forward_;
  }

  // Scratch memory: for each group what forward() needs, and behind all of those what backward() needs besides.
  [[nodiscard]] static Index rounded(Index size) noexcept { return detail::shifted_row<Scalar>(size); }
  [[nodiscard]] static Index padded_size(const detail::ConvolutionPass& pass) noexcept {
    return rounded(pass.padded_size() + detail::shifted_slack<Scalar>);
  }
  [[nodiscard]] static Index pass_size(const detail::ConvolutionPass& pass) noexcept {
    return padded_size(pass) + pass.to.channels * rounded(pass.most_cols()) +
           (pass.is_split() ? rounded(pass.to.size() + detail::shifted_slack<Scalar>) : 0);
  }
  [[nodiscard]] Index blocks() const noexcept {
    return detail::ceil_div(sums_pass().to.channels, detail::shifted_block<Scalar>);
  }
  [[nodiscard]] Index columns_size() const noexcept {
    return rounded(blocks() * detail::shifted_block<Scalar> * sums_pass().to.plane());
  }
  [[nodiscard]] Index sums_size() const noexcept {
    return rounded(blocks() * detail::shifted_block<Scalar> * static_cast<Index>(offsets_.size()));
  }
  [[nodiscard]] Index forward_size() const noexcept { return pass_size(forward_); }
  [[nodiscard]] Index backward_size() const noexcept {
    return pass_size(backward_) + columns_size() + sums_size() + rounded(bias_.size());
  }
  [[nodiscard]] Scalar* backward_scratch(std::span<Scalar> scratch, Index group) const noexcept {
    const Index groups = static_cast<Index>(scratch.size()) / (forward_size() + backward_size());
    return scratch.data() + groups * forward_size() + group * backward_size();
  }
  [[nodiscard]] detail::PassScratch<Scalar> pass_scratch(std::span<Scalar> scratch, Index group,
                                                         const detail::ConvolutionPass& pass) const noexcept {
    Scalar* const begin =
        &pass == &forward_ ? scratch.data() + group * forward_size() : backward_scratch(scratch, group);
    Scalar* const sums = begin + padded_size(pass);
    return {begin, sums, sums + pass.to.channels * rounded(pass.most_cols())};
  }
  struct GroupSums {
    Scalar* columns;  // (blocks, pixels, line)
    Scalar* weight;   // (blocks, offsets, line)
    Scalar* bias;     // (out_channels)
  };
  [[nodiscard]] GroupSums group_sums(std::span<Scalar> scratch, Index group) const noexcept {
    Scalar* const columns = backward_scratch(scratch, group) + pass_size(backward_);
    return {columns, columns + columns_size(), columns + columns_size() + sums_size()};
  }

  template <class Epilogue>
  void run(const detail::ConvolutionPass& pass, const Scalar* bias, const Scalar* from,
           const detail::PassScratch<Scalar>& scratch, Scalar* to, Index row, const Epilogue& epilogue) const {
    simd::dispatch<Scalar>(
        detail::RunPass<Scalar, Epilogue>{pass, weight_.data(), bias, from, scratch, to, row, epilogue});
  }

  detail::ConvolutionPass forward_;
  detail::ConvolutionPass backward_;
  bool sums_are_exchanged_ = false;  // columns of weight gradients are channels of images, not of pixels
  std::vector<Index> offsets_;       // of their rows, (channel, tap), in a padded image of sums_pass()
  Parameter<Scalar> weight_;         // (pixel channels, image channels, kh, kw)
  Parameter<Scalar> bias_;           // (out_channels)
};

}  // namespace hourglass
