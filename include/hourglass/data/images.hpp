// Images: 8-bit pictures of one size, which become rows of floats x / 255 in [0, 1] where they are used.
//
// A row holds the features of an image in PyTorch's order (channel, height, width): all red, all green, all blue.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/core/extent.hpp"
#include "hourglass/core/matrix.hpp"
#include "hourglass/core/simd.hpp"
#include "hourglass/core/threads.hpp"

namespace hourglass {

namespace detail {

/// out[i] = pixels[i] / 255, correctly rounded, as PyTorch's ToTensor has it: multiplying by 1/255 alone gives other
/// bits.
struct ScalePixels {
  const std::uint8_t* pixels;
  Index count;
  float* out;
  HOURGLASS_SIMD(void operator()() const, {
    Index i = 0;
    if constexpr (requires { V::Bits::load_bytes(pixels); }) {
      const V inverse(1.0f / 255.0f);
      for (; i + V::lanes <= count; i += V::lanes) {
        const V pixel = V::Bits::load_bytes(pixels + i).to_float();
        const V quotient = pixel * inverse;
        fma(fma(quotient, V(-255.0f), pixel), inverse, quotient).store(out + i);  // with the remainder of the first
      }
    }
    for (; i < count; ++i) out[i] = static_cast<float>(pixels[i]) / 255.0f;
  })
};

inline void scale_pixels(const std::uint8_t* pixels, Index count, float* out) noexcept {
  simd::dispatch<float>(ScalePixels{pixels, count, out});
}
inline void scale_pixels(const std::uint8_t* pixels, Index count, double* out) noexcept {
  for (Index i = 0; i < count; ++i) out[i] = static_cast<double>(pixels[i]) / 255.0;
}

/// Asks for the bytes [p, p + count), which will be read soon.
inline void prefetch_bytes(const void* p, Index count) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(p);
  for (Index i = 0; i < count; i += 64) HOURGLASS_PREFETCH(bytes + i);
}

/// True when the sizes multiply to `total`; by division, which does not overflow.
[[nodiscard]] inline bool is_product(Index total, std::initializer_list<Index> sizes) noexcept {
  for (const Index size : sizes) {
    if (size == 0) return total == 0;
    if (total % size != 0) return false;
    total /= size;
  }
  return total == 1;
}

/// (height * width, channels), as files hold a picture, to (channels, height * width).
inline void interleaved_to_planar(const std::uint8_t* in, Index area, Index channels, std::uint8_t* out) noexcept {
  for (Index c = 0; c < channels; ++c)
    for (Index i = 0; i < area; ++i) out[c * area + i] = in[i * channels + c];
}

/// Throws ShapeError unless rows [first, first + count) exist.
inline void require_rows(const char* what, Index first, Index count, Index rows) {
  if (first < 0 || count < 0 || first > rows || count > rows - first)
    throw ShapeError(message(what, ": rows ", first, " to ", first, " + ", count, " are asked for, there are ", rows,
                             "; ask for fewer"));
}

}  // namespace detail

/// Read-only window on images that somebody else owns; cheap to copy.
class ImageSpan {
 public:
  /// No images.
  ImageSpan() = default;
  /// `pixels` are (count, channels, height, width). Throws ShapeError when their number disagrees.
  ImageSpan(std::span<const std::uint8_t> pixels, Index count, Index height, Index width, Index channels = 1)
      : data_{pixels.data()}, rows_{count}, height_{height}, width_{width}, channels_{channels} {
    if (count < 0 || height < 1 || width < 1 || channels < 1 ||
        !detail::is_product(static_cast<Index>(pixels.size()), {count, channels, height, width}))
      throw ShapeError(detail::message("Images: ", pixels.size(), " pixels do not make ", count, " images of ",
                                       channels, " x ", height, " x ", width,
                                       " (channels x height x width, at least 1 each)"));
  }

  /// Number of images.
  [[nodiscard]] Index rows() const noexcept { return rows_; }
  /// Features of an image: channels * height * width.
  [[nodiscard]] Index cols() const noexcept { return channels_ * height_ * width_; }
  [[nodiscard]] bool empty() const noexcept { return rows_ == 0; }
  [[nodiscard]] Index height() const noexcept { return height_; }
  [[nodiscard]] Index width() const noexcept { return width_; }
  /// 1: grey, 3: red, green, blue.
  [[nodiscard]] Index channels() const noexcept { return channels_; }
  /// All pixels, (rows, channels, height, width).
  [[nodiscard]] std::span<const std::uint8_t> pixels() const noexcept {
    return {data_, static_cast<std::size_t>(rows_ * cols())};
  }

  /// The first `count` images; throws ShapeError when there are fewer.
  [[nodiscard]] ImageSpan topRows(Index count) const { return middleRows(0, count); }
  /// Images [first, first + count); throws ShapeError when not all of them exist.
  [[nodiscard]] ImageSpan middleRows(Index first, Index count) const {
    detail::require_rows("Images", first, count, rows_);
    ImageSpan part = *this;
    if (count != 0) part.data_ += first * cols();
    part.rows_ = count;
    return part;
  }

  /// (rows, cols) with every pixel divided by 255.
  template <std::floating_point Scalar>
  [[nodiscard]] Matrix<Scalar> to_matrix() const {
    Matrix<Scalar> out(rows_, cols());
    parallel_ranges(out.size(), [&](Index begin, Index end) {
      detail::scale_pixels(data_ + begin, end - begin, out.data() + begin);
    });
    return out;
  }
  /// Images are usable where a matrix is expected.
  template <std::floating_point Scalar>
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator Matrix<Scalar>() const {
    return to_matrix<Scalar>();
  }

 private:
  const std::uint8_t* data_ = nullptr;
  Index rows_ = 0;
  Index height_ = 0;
  Index width_ = 0;
  Index channels_ = 0;
};

/// Owner of images; converts to ImageSpan wherever one is expected.
class Images {
 public:
  /// No images.
  Images() = default;
  /// `pixels` are (count, channels, height, width). Throws ShapeError when their number disagrees.
  Images(std::vector<std::uint8_t> pixels, Index count, Index height, Index width, Index channels = 1)
      : pixels_(std::move(pixels)), height_{height}, width_{width}, channels_{channels} {
    static_cast<void>(ImageSpan(pixels_, count, height, width, channels));  // throws
  }

  /// Number of images.
  [[nodiscard]] Index rows() const noexcept { return cols() == 0 ? 0 : static_cast<Index>(pixels_.size()) / cols(); }
  /// Features of an image: channels * height * width.
  [[nodiscard]] Index cols() const noexcept { return channels_ * height_ * width_; }
  [[nodiscard]] bool empty() const noexcept { return pixels_.empty(); }
  [[nodiscard]] Index height() const noexcept { return height_; }
  [[nodiscard]] Index width() const noexcept { return width_; }
  /// 1: grey, 3: red, green, blue.
  [[nodiscard]] Index channels() const noexcept { return channels_; }
  /// All pixels, (rows, channels, height, width).
  [[nodiscard]] std::span<const std::uint8_t> pixels() const& noexcept { return pixels_; }

  // A window on a temporary would dangle, hence the deleted twins.
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator ImageSpan() const& {
    return rows() == 0 ? ImageSpan() : ImageSpan(pixels_, rows(), height_, width_, channels_);
  }
  operator ImageSpan() const&& = delete;
  std::span<const std::uint8_t> pixels() const&& = delete;

  /// The first `count` images; throws ShapeError when there are fewer.
  [[nodiscard]] ImageSpan topRows(Index count) const& { return middleRows(0, count); }
  ImageSpan topRows(Index count) const&& = delete;
  /// Images [first, first + count); throws ShapeError when not all of them exist.
  [[nodiscard]] ImageSpan middleRows(Index first, Index count) const& {
    return ImageSpan(*this).middleRows(first, count);
  }
  ImageSpan middleRows(Index first, Index count) const&& = delete;

  /// (rows, cols) with every pixel divided by 255.
  template <std::floating_point Scalar>
  [[nodiscard]] Matrix<Scalar> to_matrix() const {
    return ImageSpan(*this).to_matrix<Scalar>();
  }
  /// Images are usable where a matrix is expected.
  template <std::floating_point Scalar>
  // NOLINTNEXTLINE(google-explicit-constructor)
  operator Matrix<Scalar>() const {
    return to_matrix<Scalar>();
  }

 private:
  std::vector<std::uint8_t> pixels_;
  Index height_ = 0;
  Index width_ = 0;
  Index channels_ = 0;
};

}  // namespace hourglass
