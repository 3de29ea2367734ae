#include "plot.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "hourglass/core/error.hpp"

namespace hg = hourglass;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_png(const fs::path& path) { return read(path).substr(0, 8) == "\x89PNG\r\n\x1a\n"; }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A folder of its own for each test; without `gnuplot` a PATH where there is none.
class Folder {
 public:
  explicit Folder(const std::string& name) : path_{fs::path(HOURGLASS_TEST_OUTPUT_DIR) / ("plot_" + name)} {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() {
    if (!old_path_.empty()) setenv("PATH", old_path_.c_str(), 1);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // From here on gnuplot is the script `text` that a shell runs; without one there is none.
  void replace_gnuplot(const std::string& text) {
    old_path_ = std::getenv("PATH");
    const fs::path programs = path_ / "programs";
    fs::create_directories(programs);
    if (!text.empty()) {
      std::ofstream(programs / "gnuplot") << "#!/bin/sh\n" << text;
      fs::permissions(programs / "gnuplot", fs::perms::owner_all);
    }
    setenv("PATH", programs.c_str(), 1);
  }

  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
  std::string old_path_;
};

bool is_installed(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string folder;
  for (const char c : std::string(path ? path : "") + ":") {
    if (c != ':') {
      folder += c;
      continue;
    }
    if (access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
    folder.clear();
  }
  return false;
}

const std::vector<example::Series> two_curves{{"train", {3, 2, 1.5}}, {"test, \"real\"", {NAN, 2.5}}};
const std::array<std::uint8_t, 3> three_labels{0, 12, 3};
const hg::Matrix<float> three_points{{0, 1}, {0.5f, -2}, {1, 0.1f}};

}  // namespace

TEST_CASE("without gnuplot a note says what to install, and the numbers are there") {
  Folder folder("absent");
  folder.replace_gnuplot("");
  const std::string note = example::plot_curves(folder / "loss.png", {.x_label = "epoch"}, two_curves);
  CHECK(contains(note, "apt-get install gnuplot-nox"));
  CHECK(contains(note, (folder / "loss.csv").string()));
  CHECK(!fs::exists(folder / "loss.png"));
  CHECK(read(folder / "loss.csv") == "\"epoch\",\"train\",\"test, \"\"real\"\"\"\n1,3,NaN\n2,2,2.5\n3,1.5,NaN\n");
  CHECK(!example::plot_scatter(folder / "plane.svg", {}, three_points, three_labels).empty());
  CHECK(read(folder / "plane.csv") == "x,y,label\n0,1,0\n0.5,-2,12\n1,0.100000001,3\n");
  CHECK(!example::plot_bars(folder / "bars.svg", {}, {{"one", 1}, {"two", -0.5}}).empty());
  CHECK(read(folder / "bars.csv") == "name,value\n\"one\",1\n\"two\",-0.5\n");
}

TEST_CASE("a gnuplot that fails leaves the old picture, and what it says is in the error") {
  Folder folder("failing");
  folder.replace_gnuplot("echo the pen is broken >&2\nexit 3\n");
  std::ofstream(folder / "loss.png") << "old";
  CHECK_THROWS_WITH_AS((void)example::plot_curves(folder / "loss.png", {}, two_curves),
                       doctest::Contains("the pen is broken"), hg::FormatError);
  CHECK(read(folder / "loss.png") == "old");
}

TEST_CASE("paths and numbers that make no picture are refused") {
  const Folder folder("refused");
  CHECK_THROWS_WITH_AS((void)example::plot_curves(folder / "loss.pdf", {}, two_curves),
                       doctest::Contains(".png or .svg"), hg::FormatError);
  CHECK_THROWS_WITH_AS((void)example::plot_curves(folder / "absent/loss.png", {}, two_curves),
                       doctest::Contains("does not exist"), hg::FormatError);
  fs::create_directories(folder / "folder.png");
  CHECK_THROWS_WITH_AS((void)example::plot_bars(folder / "folder.png", {}, {{"one", 1}}),
                       doctest::Contains("is a folder"), hg::FormatError);
  CHECK_THROWS_AS((void)example::plot_curves(folder / "loss.png", {}, {}), hg::DataError);
  CHECK_THROWS_AS((void)example::plot_curves(folder / "loss.png", {}, {{"train", {NAN}}}), hg::DataError);
  CHECK_THROWS_AS((void)example::plot_bars(folder / "bars.png", {}, {}), hg::DataError);
  CHECK_THROWS_AS((void)example::plot_scatter(folder / "plane.png", {}, hg::Matrix<float>(0, 2), {}), hg::DataError);
  CHECK_THROWS_WITH_AS((void)example::plot_scatter(folder / "plane.png", {}, hg::Matrix<float>(2, 2), three_labels),
                       doctest::Contains("(2, 2) and 3 labels"), hg::ShapeError);
  CHECK_THROWS_AS((void)example::plot_scatter(folder / "plane.png", {}, hg::Matrix<float>(3, 3), three_labels),
                  hg::ShapeError);
}

TEST_CASE("curves, scatter plots and bars become PNG and SVG; texts are texts") {
  if (!is_installed("gnuplot")) {
    MESSAGE("SKIPPED: there is no gnuplot");
    return;
  }
  const Folder folder("drawn 'n' \"quoted\"");
  const std::string evil =
      "'; set output; system(\"touch " + (folder / "evil").string() + "\"); # `date` {/:Bold x}_2 <b> & \\n";
  for (const std::string ending : {".png", ".svg"}) {
    CAPTURE(ending);
    CHECK(example::plot_curves(folder / ("curves" + ending), {evil, evil, evil}, two_curves) == "");
    CHECK(example::plot_scatter(folder / ("plane" + ending), {evil, "z_0", "z_1"}, three_points, three_labels) == "");
    CHECK(example::plot_bars(folder / ("bars" + ending), {"bars", evil, ""}, {{evil, 1}, {"it's 5%d", -0.5}}) == "");
  }
  CHECK(!fs::exists(folder / "evil"));
  for (const std::string name : {"curves", "plane", "bars"}) {
    CAPTURE(name);
    CHECK(is_png(folder / (name + ".png")));
    const std::string svg = read(folder / (name + ".svg"));
    CHECK(contains(svg, "<svg"));
    CHECK(contains(svg, "`date` {/:Bold x}_2 &lt;b> &amp; \\n"));
    CHECK(!fs::exists(folder / (name + ".png.tmp")));
  }
  const std::string curves = read(folder / "curves.svg");
  CHECK(contains(curves, ">train<"));
  CHECK(contains(curves, "test, \"real\""));
  CHECK(contains(read(folder / "plane.svg"), ">12<"));
  CHECK(contains(read(folder / "bars.svg"), "it's 5%d"));
}
