#include "hourglass/io/png.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <vector>

#include "hourglass/core/rng.hpp"
#include "io/decode_png.hpp"
#include "io/files.hpp"

namespace fs = std::filesystem;
namespace hg = hourglass;
using namespace hourglass_test;

TEST_CASE("random pixels come back") {
  const fs::path path = fresh_folder("png") / "a.png";
  hg::Rng rng{1};
  for (const hg::Index channels : {1, 3})
    for (const auto& [height, width] :
         std::vector<std::pair<hg::Index, hg::Index>>{{1, 1}, {1, 300}, {300, 1}, {37, 53}}) {
      std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * channels));
      for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
      hg::write_png(path, height, width, channels, pixels);
      const Picture picture = decode_png(path);
      CHECK(picture.height == height);
      CHECK(picture.width == width);
      CHECK(picture.channels == channels);
      CHECK(picture.pixels == pixels);
    }
}

TEST_CASE("impossible pictures are refused before the file is touched") {
  const fs::path path = fresh_folder("png_bad") / "a.png";
  const std::vector<std::uint8_t> pixels(6);
  const auto error = [&](hg::Index height, hg::Index width, hg::Index channels) {
    return error_of<hg::ShapeError>([&] { hg::write_png(path, height, width, channels, pixels); });
  };
  CHECK(error(3, 2, 2) == "write_png: 2 channels; 1 (grey) and 3 (RGB) are possible");
  CHECK(error(2, 2, 1) == "write_png: 2 x 2 pixels of 1 channels need 4 bytes, not 6");
  constexpr hg::Index huge = std::numeric_limits<hg::Index>::max();
  CHECK(error(0, 2, 1).starts_with("write_png: the picture would have 0 x 2 pixels; "));
  CHECK(error(2, -2, 1).starts_with("write_png: the picture would have 2 x -2 pixels; "));
  CHECK(error(huge, huge, 3).starts_with("write_png: the picture would have 9223372036854775807 x "));
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a missing folder is named") {
  const fs::path path = fresh_folder("png_missing") / "absent" / "a.png";
  const std::vector<std::uint8_t> pixels(1);
  CHECK(error_of([&] { hg::write_png(path, 1, 1, 1, pixels); }) ==
        path.string() + ": the folder \"" + path.parent_path().string() +
            "\" does not exist; create it first, or check the path");
}
