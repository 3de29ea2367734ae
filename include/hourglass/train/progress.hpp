// Progress: one line an epoch, and on a terminal a bar within the epoch.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <ostream>
#include <string>

#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

#include "hourglass/core/extent.hpp"
#include "hourglass/train/report.hpp"

namespace hourglass {

/// True when `stream` is std::cout or std::cerr and that is a terminal, where a line can be drawn over.
[[nodiscard]] inline bool is_terminal(const std::ostream& stream) noexcept {
#ifdef _WIN32
  const auto terminal = [](FILE* file) { return _isatty(_fileno(file)) != 0; };
#else
  const auto terminal = [](FILE* file) { return isatty(fileno(file)) != 0; };
#endif
  if (&stream == &std::cout) return terminal(stdout);
  if (&stream == &std::cerr) return terminal(stderr);
  return false;
}

namespace detail {

/// printf into a string.
template <class... Values>
[[nodiscard]] std::string format(const char* pattern, Values... values) {
  std::string text(static_cast<std::size_t>(std::max(0, std::snprintf(nullptr, 0, pattern, values...))) + 1, '\0');
  std::snprintf(text.data(), text.size(), pattern, values...);
  text.pop_back();
  return text;
}

}  // namespace detail

/// "epoch  3/20  train 0.0951  test 0.0928  (rec 90.1, kl 20.3)  4.2 s  14,285 images/s"; for classifiers the accuracy
/// stands behind the loss: "train 0.31 (91.2 %)".
[[nodiscard]] inline std::string epoch_line(const EpochReport& report) {
  const auto width = static_cast<int>(std::to_string(report.epochs).size());
  std::string line = detail::format("epoch %*td/%td", width, report.epoch, report.epochs);
  const auto add = [&](const char* name, const LossReport& part) {
    line += detail::format("  %s %.5g", name, part.loss);
    if (part.accuracy) line += detail::format(" (%.2f %%)", 100 * *part.accuracy);
  };
  add("train", report.train);
  if (report.test) add("test", *report.test);
  for (const auto& [name, value] : report.test ? report.test->parts : report.train.parts)
    line += detail::format("  %s %.4g", name.c_str(), value);
  return line + detail::format("  %.1f s  %.0f images/s", report.seconds, report.images_per_second);
}

/// Draws a bar over one line of a terminal: batches, loss, images per second and time left. Silent elsewhere.
class ProgressBar {
 public:
  using Clock = std::chrono::steady_clock;

  /// `out` may be null: then nothing is ever drawn.
  explicit ProgressBar(std::ostream* out) : out_{out && is_terminal(*out) ? out : nullptr} {}

  /// Called after every batch; draws at most ten times a second.
  void update(Index epoch, Index epochs, Index batch, Index batches, Index images, double loss) {
    if (!out_) return;
    const auto now = Clock::now();
    if (batch <= 1) start_ = now;
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    const std::string text =
        line(epoch, epochs, batch, batches, images, loss, std::chrono::duration<double>(now - start_).count());
    *out_ << '\r' << text << "\033[K" << std::flush;
  }
  /// Removes the bar, so that a line can be printed.
  void clear() {
    if (out_) *out_ << "\r\033[K" << std::flush;
  }

  /// The text of a bar after `seconds` of an epoch.
  [[nodiscard]] static std::string line(Index epoch, Index epochs, Index batch, Index batches, Index images,
                                        double loss, double seconds) {
    constexpr Index width = 24;
    const Index full = batches > 0 ? std::min(width, batch * width / batches) : width;
    const std::string bar =
        std::string(static_cast<std::size_t>(full), '=') + std::string(static_cast<std::size_t>(width - full), ' ');
    const double rate = seconds > 0 ? static_cast<double>(images) / seconds : 0;
    const double left = batch > 0 ? seconds / static_cast<double>(batch) * static_cast<double>(batches - batch) : 0;
    return detail::format("epoch %td/%td [%s] %td/%td  loss %.5g  %.0f images/s  %.0f s left", epoch, epochs,
                          bar.c_str(), batch, batches, loss, rate, left);
  }

 private:
  std::ostream* out_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_{};
};

}  // namespace hourglass
