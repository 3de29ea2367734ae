// GzipReader: the content of a gzip file (RFC 1952), inflated only as far as it is asked for.
#pragma once

#include <cstdint>

namespace hourglass::detail {

/// Deflate holds at most this many bytes in one: 258 in a match of two bits.
inline constexpr std::uint64_t gzip_expansion = 1032;

}  // namespace hourglass::detail

#ifdef HOURGLASS_WITH_ZLIB

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "hourglass/core/error.hpp"
#include "hourglass/data/input_file.hpp"

namespace hourglass::detail {

/// Reads the members of a gzip file one after another. `file` must outlive it.
class GzipReader {
 public:
  explicit GzipReader(InputFile& file) : file_{file}, packed_(std::size_t{1} << 16) {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK)
      throw FormatError(message(file_.name(), ": zlib did not start; is there enough memory?"));
  }
  GzipReader(const GzipReader&) = delete;  // zlib's state points back at its stream
  GzipReader& operator=(const GzipReader&) = delete;
  ~GzipReader() { inflateEnd(&stream_); }

  /// Reads up to `count` unpacked bytes, fewer only where the last member ends, whose length and checksum then have
  /// been verified. Throws FormatError for damaged, truncated or trailing data.
  std::size_t read(void* to, std::size_t count) {
    auto* out = static_cast<Bytef*>(to);
    std::size_t done = 0;
    while (done < count && !finished_) {
      if (stream_.avail_in == 0 && !refill())
        throw FormatError(message(file_.name(), ": byte ", file_.offset(),
                                  ": the gzip data ends too early; the file is truncated, fetch it again"));
      const std::size_t room = std::min<std::size_t>(count - done, std::numeric_limits<uInt>::max());
      stream_.next_out = out + done;
      stream_.avail_out = static_cast<uInt>(room);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      if (result == Z_STREAM_END)
        next_member();
      else if (result != Z_OK && result != Z_BUF_ERROR)
        throw FormatError(message(file_.name(), ": byte ", position(), ": the gzip data is damaged (",
                                  stream_.msg == nullptr ? "no reason given" : stream_.msg, "); fetch the file again"));
    }
    return done;
  }

 private:
  [[nodiscard]] std::uint64_t position() const noexcept { return file_.offset() - stream_.avail_in; }

  bool refill() {
    const std::size_t got = file_.read(packed_.data(), packed_.size());
    stream_.next_in = packed_.data();
    stream_.avail_in = static_cast<uInt>(got);
    return got > 0;
  }

  // A gzip file may be several ones joined, as `cat` makes it.
  void next_member() {
    if (stream_.avail_in == 0 && !refill()) {
      finished_ = true;
      return;
    }
    if (*stream_.next_in != 0x1f)
      throw FormatError(message(file_.name(), ": byte ", position(), ": ", file_.size() - position(),
                                " trailing bytes follow the end of the gzip data; fetch the file again"));
    inflateReset(&stream_);
  }

  InputFile& file_;
  std::vector<Bytef> packed_;
  z_stream stream_{};
  bool finished_ = false;
};

}  // namespace hourglass::detail

#endif
