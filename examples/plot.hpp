// Pictures of numbers: curves, scatter plots and bars as PNG or SVG, drawn by gnuplot.
//
// gnuplot (5.4 or newer; Debian: gnuplot-nox) runs as a program of its own. The numbers of a picture are left beside it
// as CSV, for gnuplot and for any other way to plot them, and that is all there is where gnuplot is not installed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <hourglass/core/matrix.hpp>
#include <span>
#include <string>
#include <vector>

namespace example {

/// What a picture says beside its numbers. Texts are taken as they are: no character has a meaning to gnuplot.
struct PlotText {
  std::string title = {};
  std::string x_label = {};
  std::string y_label = {};
};

/// One curve: values at x = 1, 2, 3, ... NaN leaves a gap.
struct Series {
  std::string name;
  std::vector<double> values;
};

/// A bar and what it stands for.
struct Bar {
  std::string name;
  double value = 0;
};

// Each of these writes the picture `path`, which ends in .png or .svg, and its numbers to the same name with .csv. They
// return "" when the picture was drawn, and a note that says what to install when there is no gnuplot. They throw
// hourglass::FormatError when the path cannot be written or ends otherwise, or gnuplot fails; hourglass::DataError when
// there is nothing to draw.

/// Curves over 1, 2, 3, ..., such as the losses of the epochs.
[[nodiscard]] std::string plot_curves(const std::filesystem::path& path, const PlotText& text,
                                      const std::vector<Series>& series);

/// Points (n, 2), coloured by class in ten colours that the colour-blind can tell apart; from the eleventh class on
/// they come again as other shapes. Throws hourglass::ShapeError unless there is one label per point.
[[nodiscard]] std::string plot_scatter(const std::filesystem::path& path, const PlotText& text,
                                       const hourglass::ConstMatrixView<float>& points,
                                       std::span<const std::uint8_t> labels);

/// Bars side by side, such as the variance of each latent dimension.
[[nodiscard]] std::string plot_bars(const std::filesystem::path& path, const PlotText& text,
                                    const std::vector<Bar>& bars);

}  // namespace example
