// Convolution: what Conv2d and ConvTranspose2d share. Each is the other's adjoint; see nn/convolution_pass.hpp.
//
// All runs on one image at a time, whose parts stay in a near cache. Images of a batch come in groups of
// images_per_group. A group has its own scratch memory and its own sum of weight gradients, so that groups may run side
// by side; the sums are then added in the order of the groups.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

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
#include "hourglass/nn/convolution_gradient.hpp"
#include "hourglass/nn/convolution_pass.hpp"
#include "hourglass/nn/convolution_run.hpp"
#include "hourglass/nn/layer.hpp"

namespace hourglass::detail {

/// Rows that share scratch memory and a sum of gradients.
inline constexpr Index images_per_group = most_row_group;

/// body(group, first, last) for the rows [first, last) of each group of a range; `work`: multiplications for a row.
template <class Body>
void for_each_group(RowRange rows, double work, const Body& body) {
  const Index end = rows.first + rows.count;
  const Index begin = rows.first / images_per_group;
  const Index groups = (end + images_per_group - 1) / images_per_group - begin;
  // Below some 50 microseconds of work a second thread costs more than it gives; small images with few channels take a
  // microsecond for 20,000 multiplications.
  const int threads = work * static_cast<double>(rows.count) > 1e6 ? num_threads() : 1;
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
      const detail::PassScratch<Scalar> own = pass_scratch(scratch, group, forward_);
      pack_weight(forward_, own);
      for (Index row = first - rows.first; row < last - rows.first; ++row)
        run(forward_, has_bias() ? bias_.data() : nullptr, x.data() + row * x.cols(), own, y.data() + row * y.cols(),
            row, epilogue);
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
    detail::for_each_group(rows, 2 * work_per_row(), [&](Index group, Index first, Index last) {
      const detail::PassScratch<Scalar> own = pass_scratch(scratch, group, backward_);
      const GroupSums sums = group_sums(scratch, group);
      if (dx.data() != nullptr) pack_weight(backward_, own);
      Scalar* const padded = sums_go_back() ? own.padded : pass_scratch(scratch, group, forward_).padded;
      for (Index row = first - rows.first; row < last - rows.first; ++row) {
        const Scalar* const in = x.data() + row * x.cols();
        const Scalar* const out = dy.data() + row * dy.cols();
        if (dx.data() != nullptr) run(backward_, nullptr, out, own, dx.data() + row * dx.cols(), row, epilogue);
        if (!sums_go_back() || dx.data() == nullptr)
          simd::dispatch<Scalar>(detail::PadImage<Scalar>{sums_pass(), sums_go_back() ? out : in, padded});
        const bool add = row > first - rows.first;
        simd::dispatch<Scalar>(detail::RunWeightGradient<Scalar>{
            sums_pass(), gradient_terms_, padded, sums_go_back() ? in : out, sums.columns, sums.weight, add});
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
                                                     self.gradient_terms_.height(), area, first, last, sink.gradient,
                                                     exchanged ? next : area, exchanged ? area : next});
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
      : forward_(pass(transposed, image, pixels, kernel, stride, padding)),
        backward_(pass(!transposed, image, pixels, kernel, stride, padding)),
        weight_{Shape{pixels.channels, image.channels, kernel.height, kernel.width}} {
    if (bias) bias_ = Parameter<Scalar>{Shape{out_image().channels}};
    // Channels of the columns fill blocks; without a stride both sides can be the columns.
    constexpr Index line = detail::shifted_block<Scalar>;
    sums_are_exchanged_ =
        stride == Size2d{1} && pixels.channels * detail::ceil_div(image.channels, line) * image.plane() <
                                   image.channels * detail::ceil_div(pixels.channels, line) * pixels.plane();
    gradient_terms_ = detail::WeightGradientTerms(sums_pass(), line);
  }

 private:
  [[nodiscard]] static std::string_view name() noexcept { return transposed ? "ConvTranspose2d" : "Conv2d"; }
  [[nodiscard]] static detail::ConvolutionPass pass(bool to_image, const ImageShape& image, const ImageShape& pixels,
                                                    const Size2d& kernel, const Size2d& stride, const Size2d& padding) {
    const auto make = to_image ? detail::to_image_pass : detail::to_pixels_pass;
    const Index line = detail::shifted_block<Scalar>;
    detail::ConvolutionPass made = make(image, pixels, kernel, stride, padding, 0);
    return made.suits_channels(line) ? make(image, pixels, kernel, stride, padding, line) : made;
  }
  [[nodiscard]] const detail::ConvolutionPass& to_pixels() const noexcept { return transposed ? backward_ : forward_; }
  /// The sums of weight gradients come from the padded images of backward_ rather than forward_.
  [[nodiscard]] bool sums_go_back() const noexcept { return transposed != sums_are_exchanged_; }
  [[nodiscard]] const detail::ConvolutionPass& sums_pass() const noexcept {
    return sums_go_back() ? backward_ : forward_;
  }

  // Scratch memory: for each group what forward() needs, and behind all of those what backward() needs besides.
  [[nodiscard]] static Index rounded(Index size) noexcept { return detail::shifted_row<Scalar>(size); }
  [[nodiscard]] Index blocks() const noexcept {
    return detail::ceil_div(sums_pass().to.channels, detail::shifted_block<Scalar>);
  }
  [[nodiscard]] Index columns_size() const noexcept {
    return rounded(blocks() * detail::shifted_block<Scalar> * sums_pass().to.plane());
  }
  [[nodiscard]] Index sums_size() const noexcept {
    return rounded(blocks() * detail::shifted_block<Scalar> * gradient_terms_.height());
  }
  [[nodiscard]] Index forward_size() const noexcept { return detail::PassScratch<Scalar>::size(forward_); }
  [[nodiscard]] Index backward_size() const noexcept {
    return detail::PassScratch<Scalar>::size(backward_) + columns_size() + sums_size() + rounded(bias_.size());
  }
  [[nodiscard]] Scalar* backward_scratch(std::span<Scalar> scratch, Index group) const noexcept {
    const Index groups = static_cast<Index>(scratch.size()) / (forward_size() + backward_size());
    return scratch.data() + groups * forward_size() + group * backward_size();
  }
  [[nodiscard]] detail::PassScratch<Scalar> pass_scratch(std::span<Scalar> scratch, Index group,
                                                         const detail::ConvolutionPass& pass) const noexcept {
    return {pass, &pass == &forward_ ? scratch.data() + group * forward_size() : backward_scratch(scratch, group)};
  }
  struct GroupSums {
    Scalar* columns;  // (blocks, pixels, line)
    Scalar* weight;   // (blocks, rows, line)
    Scalar* bias;     // (out_channels)
  };
  [[nodiscard]] GroupSums group_sums(std::span<Scalar> scratch, Index group) const noexcept {
    Scalar* const columns = backward_scratch(scratch, group) + detail::PassScratch<Scalar>::size(backward_);
    return {columns, columns + columns_size(), columns + columns_size() + sums_size()};
  }

  void pack_weight(const detail::ConvolutionPass& pass, const detail::PassScratch<Scalar>& scratch) const {
    if (pass.line > 0) simd::dispatch<Scalar>(detail::PackWeight<Scalar>{pass, weight_.data(), scratch.weight});
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
  detail::WeightGradientTerms gradient_terms_;
  Parameter<Scalar> weight_;  // (pixel channels, image channels, kh, kw)
  Parameter<Scalar> bias_;    // (out_channels)
};

}  // namespace hourglass
