#include "plot.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <hourglass/core/error.hpp>
#include <set>
#include <string_view>
#include <system_error>

#if defined(__unix__) || defined(__APPLE__)
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us
#endif

namespace example {

namespace hg = hourglass;
namespace fs = std::filesystem;

namespace {

// M. Okabe, K. Ito, "Color universal design", 2008.
constexpr std::array<const char*, 6> curve_colors{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
// P. Tol, "Colour schemes", 2021: muted, with a darker grey.
constexpr std::array<const char*, 10> class_colors{"#332288", "#88ccee", "#44aa99", "#117733", "#999933",
                                                   "#ddcc77", "#cc6677", "#882255", "#aa4499", "#777777"};
constexpr std::array<int, 4> class_shapes{7, 5, 9, 13};  // disc, square, triangle, diamond

// A string of gnuplot. Whatever could have a meaning there (quotes, backslashes, backquotes, which run programs) is
// written as an octal number; four digits, so that a digit that follows stays apart.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20) {
      result += ' ';
    } else if (code >= 0x80 || std::isalnum(code) != 0 ||
               std::string_view(" ,.-_/").find(c) != std::string_view::npos) {
      result += c;
    } else {
      std::array<char, 8> octal{};
      (void)std::snprintf(octal.data(), octal.size(), "\\%04o", unsigned{code});
      result += octal.data();
    }
  }
  return result + "\"";
}

// A field of a CSV file.
std::string field(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "\"";
}

std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

class Picture {
 public:
  // Throws unless `path` can name a picture.
  Picture(const fs::path& path, const PlotText& text, const std::string& size = "1080,660")
      : path_{path}, csv_path_{path} {
    const std::string ending = path.extension().string();
    if (ending != ".png" && ending != ".svg")
      throw hg::FormatError(path.string() + ": pictures end in .png or .svg; give it another name");
    const fs::path folder = path.parent_path().empty() ? fs::path{"."} : path.parent_path();
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
      throw hg::FormatError(path.string() + ": the folder " + folder.string() + " does not exist; create it first");
    if (fs::is_directory(path, ignored))
      throw hg::FormatError(path.string() + ": is a folder; give the name of a file");
    csv_path_.replace_extension(".csv");
    temporary_ = path.string() + ".tmp";
    csv_.open(csv_path_);

    const std::string common = " size " + size + " noenhanced font 'sans,13' ";
    if (ending == ".svg")
      line("set terminal svg" + common + "background '#ffffff'");
    else
      line("set terminal pngcairo" + common + "background '#ffffff'");
    line("set encoding utf8");
    line("set output " + quoted(temporary_.string()));
    line("set datafile separator comma");
    line("set datafile missing 'NaN'");
    line("set border 3 lc rgb '#888888'");
    line("set tics nomirror out scale 0.6 textcolor rgb '#333333'");
    line("set grid lt 1 lw 1 lc rgb '#e4e4e4'");
    line("set key outside right center vertical Left reverse samplen 1.5 spacing 1.4 textcolor rgb '#333333'");
    line("set title " + quoted(text.title) + " font ',16' offset 0,0.3");
    line("set xlabel " + quoted(text.x_label) + " textcolor rgb '#333333'");
    line("set ylabel " + quoted(text.y_label) + " textcolor rgb '#333333'");
  }

  std::ofstream& csv() { return csv_; }
  void line(const std::string& command) { script_ += command + "; "; }
  [[nodiscard]] std::string data() const { return quoted(csv_path_.string()); }

  // Runs gnuplot; "" or a note on what is missing.
  [[nodiscard]] std::string draw() {
    csv_.close();
    if (!csv_) throw hg::FormatError(csv_path_.string() + ": cannot be written; check the folder and the disk");
    line("unset output");
    std::string output;
    const int status = run_gnuplot(output);
    std::error_code error;
    if (status == not_installed)
      return path_.string() +
             " is not drawn: gnuplot is missing (on Debian: apt-get install gnuplot-nox); its numbers are in " +
             csv_path_.string();
    if (status != 0) {
      fs::remove(temporary_, error);
      throw hg::FormatError(path_.string() + ": gnuplot failed; version 5.4 or newer is needed. It says: " + output);
    }
    fs::rename(temporary_, path_, error);
    if (error) throw hg::FormatError(path_.string() + ": cannot be written: " + error.message());
    return "";
  }

 private:
  static constexpr int not_installed = -1;

  // Exit status of gnuplot on the script, and all that it prints. There is no shell between, so no name needs quoting.
  [[nodiscard]] int run_gnuplot([[maybe_unused]] std::string& output) const {
#if defined(__unix__) || defined(__APPLE__)
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) throw hg::FormatError(path_.string() + ": no pipe to gnuplot can be opened");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO})
      posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], descriptor);
    for (const int descriptor : pipe_ends) posix_spawn_file_actions_addclose(&actions, descriptor);
    std::array<std::string, 4> words{"gnuplot", "-d", "-e", script_};  // -d: no settings of the user
    std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    pid_t child = 0;
    const int failed = posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    std::array<char, 512> buffer{};
    for (ssize_t count = 0; failed == 0 && (count = read(pipe_ends[0], buffer.data(), buffer.size())) > 0;)
      output.append(buffer.data(), static_cast<std::size_t>(count));
    close(pipe_ends[0]);
    int status = 0;
    if (failed != 0 || waitpid(child, &status, 0) != child) return not_installed;
    std::replace(output.begin(), output.end(), '\n', ' ');
    output.erase(0, output.rfind("^ line ") == std::string::npos ? 0 : output.rfind("^ line ") + 2);  // not the script
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 127 ? not_installed : WEXITSTATUS(status);
    return 1;
#else
    return not_installed;
#endif
  }

  fs::path path_;
  fs::path csv_path_;
  fs::path temporary_;
  std::ofstream csv_;
  std::string script_;
};

}  // namespace

std::string plot_curves(const fs::path& path, const PlotText& text, const std::vector<Series>& series) {
  std::size_t longest = 0;
  bool any = false;
  for (const Series& one : series) {
    longest = std::max(longest, one.values.size());
    any = any || std::any_of(one.values.begin(), one.values.end(), [](double y) { return std::isfinite(y); });
  }
  if (!any) throw hg::DataError(path.string() + ": there are no numbers to plot");
  Picture picture(path, text);
  picture.csv() << field(text.x_label.empty() ? "x" : text.x_label);
  for (const Series& one : series) picture.csv() << ',' << field(one.name);
  picture.csv() << '\n';
  for (std::size_t i = 0; i < longest; ++i) {
    picture.csv() << i + 1;
    for (const Series& one : series) picture.csv() << ',' << (i < one.values.size() ? number(one.values[i]) : "NaN");
    picture.csv() << '\n';
  }
  // Points show the epochs as long as they do not run into each other.
  const std::string style = longest <= 40 ? " with linespoints lw 2.5 pt 7 ps 0.7" : " with lines lw 2.5";
  if (longest <= 12) picture.line("set xtics 1");
  const double margin = 0.02 * static_cast<double>(longest);
  picture.line("set xrange [" + number(1 - margin) + ":" + number(static_cast<double>(longest) + margin) + "]");
  picture.line("set offsets 0, 0, graph 0.03, graph 0.03");
  std::string plot = "plot ";
  for (std::size_t k = 0; k < series.size(); ++k)
    plot += (k ? ", " : "") + picture.data() + " skip 1 using 1:" + std::to_string(k + 2) + style + " lc rgb '" +
            curve_colors[k % curve_colors.size()] + "' title " + quoted(series[k].name);
  picture.line(plot);
  return picture.draw();
}

std::string plot_scatter(const fs::path& path, const PlotText& text, const hg::ConstMatrixView<float>& points,
                         std::span<const std::uint8_t> labels) {
  if (points.cols() != 2 || points.rows() != static_cast<hg::Index>(labels.size()))
    throw hg::ShapeError(path.string() + ": points " + hg::shape_string(points.rows(), points.cols()) + " and " +
                         std::to_string(labels.size()) + " labels; a scatter plot takes (n, 2) and n");
  if (points.rows() == 0) throw hg::DataError(path.string() + ": there are no points to plot");
  Picture picture(path, text, "840,720");
  picture.csv() << "x,y,label\n";
  for (hg::Index i = 0; i < points.rows(); ++i)
    picture.csv() << number(static_cast<double>(points(i, 0))) << ',' << number(static_cast<double>(points(i, 1)))
                  << ',' << int{labels[static_cast<std::size_t>(i)]} << '\n';
  const std::set<std::uint8_t> classes(labels.begin(), labels.end());
  const std::size_t colors = class_colors.size();
  const auto shape = [&](std::size_t label) {
    return "pt " + std::to_string(class_shapes[label / colors % class_shapes.size()]);
  };
  picture.line("array color[" + std::to_string(colors) + "]");
  // The first byte is transparency: where classes overlap, all of them show.
  for (std::size_t k = 0; k < colors; ++k)
    picture.line("color[" + std::to_string(k + 1) + "] = 0x40" + std::string(class_colors[k]).substr(1));
  picture.line("set size ratio 1");
  picture.line("set offsets graph 0.02, graph 0.02, graph 0.02, graph 0.02");
  const std::string size = points.rows() > 3000 ? "0.35" : points.rows() > 500 ? "0.55" : "0.9";
  // All points of a shape in the order of the data, so that no class lies on top of the others.
  std::string plot = "plot ";
  for (std::size_t first = 0; first <= *classes.rbegin(); first += colors) {
    const std::string low = std::to_string(first);
    const std::string high = std::to_string(first + colors);
    plot += picture.data() + " skip 1 using (column(3) >= " + low + " && column(3) < " + high +
            " ? column(1) : NaN):2:(color[int(column(3)) % " + std::to_string(colors) +
            " + 1]) with points lc rgb variable ps " + size + " " + shape(first) + " notitle, ";
  }
  for (const std::uint8_t label : classes)
    plot += std::string(label == *classes.begin() ? "" : ", ") + "keyentry with points ps 1.4 lc rgb '" +
            class_colors[label % colors] + "' " + shape(label) + " title '" + std::to_string(int{label}) + "'";
  picture.line(plot);
  return picture.draw();
}

std::string plot_bars(const fs::path& path, const PlotText& text, const std::vector<Bar>& bars) {
  if (bars.empty()) throw hg::DataError(path.string() + ": there are no bars to draw");
  Picture picture(path, text);
  picture.csv() << "name,value\n";
  // Read from an array: names that are set as tics would be formats, and those of a file cannot hold every character.
  picture.line("array names[" + std::to_string(bars.size()) + "]");
  for (std::size_t i = 0; i < bars.size(); ++i) {
    picture.csv() << field(bars[i].name) << ',' << number(bars[i].value) << '\n';
    picture.line("names[" + std::to_string(i + 1) + "] = " + quoted(bars[i].name));
  }
  picture.line("set xtics scale 0");
  picture.line("set grid noxtics");
  picture.line("set style fill solid 1.0 noborder");
  picture.line("set boxwidth 0.7");
  picture.line("set xrange [-0.6:" + number(static_cast<double>(bars.size()) - 0.4) + "]");
  const bool negative = std::any_of(bars.begin(), bars.end(), [](const Bar& bar) { return bar.value < 0; });
  if (!negative) picture.line("set yrange [0:*]");
  picture.line("plot " + picture.data() + " skip 1 using 0:2:xtic(names[int(column(0)) + 1]) with boxes lc rgb '" +
               curve_colors[0] + "' notitle");
  return picture.draw();
}

}  // namespace example
